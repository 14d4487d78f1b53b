//! Operators on each element alone.

use super::Cost;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// `y = max(x, 0)`; a NaN stays a NaN.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Relu;

impl Relu {
    /// The input's shape.
    ///
    /// # Errors
    /// [`Error::Operand`] for an empty input.
    pub fn output_shape(&self, input: Shape) -> Result<Shape> {
        input.check("relu", "input")?;
        Ok(input)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`Relu::output_shape`].
    pub fn cost(&self, input: Shape) -> Result<Cost> {
        Ok(Cost::moving([input, self.output_shape(input)?]))
    }
}

/// `y = a + b`, of one shape.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Add;

impl Add {
    /// The operands' shape.
    ///
    /// # Errors
    /// [`Error::Operand`] if the shapes differ.
    pub fn output_shape(&self, a: Shape, b: Shape) -> Result<Shape> {
        a.check("add", "a")?;
        if a != b {
            return Err(Error::operand("add", "b", format!("{a}, the shape of a"), b));
        }
        Ok(a)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`Add::output_shape`].
    pub fn cost(&self, a: Shape, b: Shape) -> Result<Cost> {
        Ok(Cost::moving([a, b, self.output_shape(a, b)?]))
    }
}
