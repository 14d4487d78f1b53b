//! Max unpooling: values back to where pooling found its maxima.

use super::Cost;
use crate::error::{Error, Result};
use crate::shape::Shape;

const OP: &str = "max_unpool2d";

/// Unpooling: `y` is zero except `y[n,c, switch[n,c,i,j]] = x[n,c,i,j]`.
///
/// A switch is decoded to (row, column) with the width of its origin, the plane that was pooled, and the output has that
/// extent unless [`MaxUnpool2d::output_size`] asks for a larger one, which is zero below and to the right (ONNX's rule).
/// Where windows overlapped and two switches name one cell, the last in raster order of the pooled map wins, always.
///
/// With its switches held fixed, unpooling is the adjoint of pooling (where windows do not overlap).
///
/// ```
/// use switchback::MaxUnpool2d;
/// // SegNet's upsample5: 12x15 back to 23x30, not to 24x30.
/// let y = MaxUnpool2d::new().output_shape([1, 512, 12, 15].into(), [1, 512, 12, 15].into(), [23, 30])?;
/// assert_eq!(y, [1, 512, 23, 30].into());
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub struct MaxUnpool2d {
    /// Output rows and columns, if not the origin's.
    pub output_size: Option<[usize; 2]>,
}

impl MaxUnpool2d {
    /// An unpooling to the extent that was pooled.
    #[must_use]
    pub const fn new() -> Self {
        Self { output_size: None }
    }

    /// Asks for these output rows and columns, at least the origin's.
    #[must_use]
    pub const fn output_size(mut self, size: [usize; 2]) -> Self {
        self.output_size = Some(size);
        self
    }

    /// Validates the operands and gives the output's shape, from the input's shape, the switches' shape and the extent
    /// of the planes they came from.
    ///
    /// # Errors
    /// [`Error::Operand`] if the switches have another shape than the input; [`Error::Parameter`] for an output smaller
    /// than the origin.
    pub fn output_shape(&self, input: Shape, switches: Shape, origin: [usize; 2]) -> Result<Shape> {
        input.check(OP, "input")?;
        if switches != input {
            return Err(Error::operand(OP, "switches", format!("{input}, the input's shape"), switches));
        }
        let size = self.output_size.unwrap_or(origin);
        if size[0] < origin[0] || size[1] < origin[1] {
            let expected = format!("at least {origin:?}, the extent that was pooled");
            return Err(Error::parameter(OP, "output_size", expected, format!("{size:?}")));
        }
        let output = input.with_extent(size);
        output.check(OP, "output")?;
        Ok(output)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`MaxUnpool2d::output_shape`].
    pub fn cost(&self, input: Shape, switches: Shape, origin: [usize; 2]) -> Result<Cost> {
        let output = self.output_shape(input, switches, origin)?;
        Ok(Cost::moving([input, switches, output]))
    }
}
