//! A skip connection in one step: crop at an offset, scale, add.

use super::Cost;
use super::crop::check_window_inside;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// `y[n,c,i,j] = a[n,c,i,j] + scale * b[n,c, i + row, j + column]`: FCN's fusion of a skip map `b`, cropped down to the
/// upsampled map `a`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CropAdd {
    /// First row and column of `b` that counts.
    pub offset: [usize; 2],
    /// Factor on `b`.
    pub scale: f32,
}

impl CropAdd {
    /// A sum with `b` cropped at `offset`, unscaled.
    #[must_use]
    pub const fn new(offset: [usize; 2]) -> Self {
        Self { offset, scale: 1.0 }
    }

    /// Sets the factor on `b`.
    #[must_use]
    pub const fn scale(mut self, scale: f32) -> Self {
        self.scale = scale;
        self
    }

    /// Validates the operands and gives the output's shape, that of `a`.
    ///
    /// # Errors
    /// [`Error::Operand`] if batch or channels differ or the window leaves `b`.
    pub fn output_shape(&self, a: Shape, b: Shape) -> Result<Shape> {
        a.check("crop_add", "a")?;
        b.check("crop_add", "b")?;
        if (a.n, a.c) != (b.n, b.c) {
            return Err(Error::operand("crop_add", "b", format!("batch and channels of {a}"), b));
        }
        check_window_inside("crop_add", "b", b.extent(), self.offset, a.extent())?;
        Ok(a)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`CropAdd::output_shape`].
    pub fn cost(&self, a: Shape, b: Shape) -> Result<Cost> {
        let output = self.output_shape(a, b)?;
        Ok(Cost::moving([a, output, output]))
    }
}
