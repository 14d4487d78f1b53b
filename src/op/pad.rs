//! Zero padding: the adjoint of [`Crop`](super::Crop).

use super::{Cost, check_padding};
use crate::error::Result;
use crate::shape::{Padding, Shape};

/// A border of zeros around every plane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Pad {
    /// The border.
    pub padding: Padding,
}

impl Pad {
    /// A border: one number for all sides, `[rows, columns]`, or a [`Padding`].
    #[must_use]
    pub fn new(padding: impl Into<Padding>) -> Self {
        Self { padding: padding.into() }
    }

    /// Validates the operand and gives the output's shape.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] for a border out of range, [`crate::Error::Operand`] for an empty or too large map.
    pub fn output_shape(&self, input: Shape) -> Result<Shape> {
        input.check("pad", "input")?;
        check_padding("pad", "padding", self.padding)?;
        let Padding { top, bottom, left, right } = self.padding;
        let output = input.with_extent([input.h + top + bottom, input.w + left + right]);
        output.check("pad", "output")?;
        Ok(output)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`Pad::output_shape`].
    pub fn cost(&self, input: Shape) -> Result<Cost> {
        Ok(Cost::moving([input, self.output_shape(input)?]))
    }
}
