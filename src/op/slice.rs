//! A run of channels: the adjoint of [`Concat`](super::Concat).

use super::Cost;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// Channels `start .. start + channels`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Slice {
    /// First channel.
    pub start: usize,
    /// How many.
    pub channels: usize,
}

impl Slice {
    /// Channels `start .. start + channels`.
    #[must_use]
    pub const fn new(start: usize, channels: usize) -> Self {
        Self { start, channels }
    }

    /// Validates the operand and gives the output's shape.
    ///
    /// # Errors
    /// [`Error::Operand`] if the run is empty or leaves the input.
    pub fn output_shape(&self, input: Shape) -> Result<Shape> {
        input.check("slice", "input")?;
        let end = self.start.saturating_add(self.channels);
        if end > input.c {
            return Err(Error::operand("slice", "input", format!("at least {end} channels"), input));
        }
        let output = input.with_channels(self.channels);
        output.check("slice", "output")?;
        Ok(output)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`Slice::output_shape`].
    pub fn cost(&self, input: Shape) -> Result<Cost> {
        let output = self.output_shape(input)?;
        Ok(Cost::moving([output, output]))
    }
}
