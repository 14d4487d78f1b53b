//! Cropping: the adjoint of [`Pad`](super::Pad).

use super::Cost;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The window of `extent` rows and columns that begins at `offset`: `y[n,c,i,j] = x[n,c, i + row, j + column]`.
///
/// As in Caffe's Crop layer the offset is where the window begins, not a centring.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Crop {
    /// First row and column.
    pub offset: [usize; 2],
    /// Rows and columns to keep.
    pub extent: [usize; 2],
}

impl Crop {
    /// A window of `extent` at `offset`.
    #[must_use]
    pub const fn new(offset: [usize; 2], extent: [usize; 2]) -> Self {
        Self { offset, extent }
    }

    /// Validates the operand and gives the output's shape.
    ///
    /// # Errors
    /// [`Error::Operand`] if the window leaves the input.
    pub fn output_shape(&self, input: Shape) -> Result<Shape> {
        input.check("crop", "input")?;
        check_window_inside("crop", "input", input.extent(), self.offset, self.extent)?;
        let output = input.with_extent(self.extent);
        output.check("crop", "output")?;
        Ok(output)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`Crop::output_shape`].
    pub fn cost(&self, input: Shape) -> Result<Cost> {
        let output = self.output_shape(input)?;
        Ok(Cost::moving([output, output]))
    }
}

/// Refuses a window that leaves an operand's rows and columns.
pub(super) fn check_window_inside(
    op: &'static str,
    operand: &str,
    found: [usize; 2],
    offset: [usize; 2],
    extent: [usize; 2],
) -> Result<()> {
    let reach = [offset[0].saturating_add(extent[0]), offset[1].saturating_add(extent[1])];
    if reach[0] > found[0] || reach[1] > found[1] {
        let expected = format!("at least {}x{} (offset {offset:?} + {extent:?})", reach[0], reach[1]);
        return Err(Error::operand(op, operand, expected, format!("{}x{}", found[0], found[1])));
    }
    Ok(())
}
