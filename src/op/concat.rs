//! Concatenation of channels: the adjoint of [`Slice`](super::Slice).

use super::Cost;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The operands' channels one after the other; batch, rows and columns must agree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Concat;

impl Concat {
    /// Validates the operands and gives the output's shape.
    ///
    /// # Errors
    /// [`Error::Operand`] if there is no operand or one differs in more than its channels.
    pub fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let Some(&first) = inputs.first() else {
            return Err(Error::operand("concat", "inputs", "at least one", "none"));
        };
        let mut channels = 0_usize;
        for (position, &input) in inputs.iter().enumerate() {
            let operand = format!("input {position}");
            input.check("concat", &operand)?;
            if input.with_channels(first.c) != first {
                return Err(Error::operand("concat", operand, format!("{first} but for the channels"), input));
            }
            channels = channels.saturating_add(input.c);
        }
        let output = first.with_channels(channels);
        output.check("concat", "output")?;
        Ok(output)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`Concat::output_shape`].
    pub fn cost(&self, inputs: &[Shape]) -> Result<Cost> {
        let output = self.output_shape(inputs)?;
        Ok(Cost::moving([output, output]))
    }
}
