//! A factor and an optional shift for each channel.

use super::Cost;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// `y[n,c,i,j] = x[n,c,i,j] * factor[c] + shift[c]`; factor and shift are `1 x C x 1 x 1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Scale;

impl Scale {
    /// Validates the operands and gives the output's shape, the input's.
    ///
    /// # Errors
    /// [`Error::Operand`] if factor or shift is not one value a channel.
    pub fn output_shape(&self, input: Shape, factor: Shape, shift: Option<Shape>) -> Result<Shape> {
        input.check("scale", "input")?;
        for (operand, shape) in [("factor", Some(factor)), ("shift", shift)] {
            if let Some(found) = shape.filter(|&s| s != Shape::vector(input.c)) {
                return Err(Error::operand("scale", operand, Shape::vector(input.c), found));
            }
        }
        Ok(input)
    }

    /// One multiply-add an element, parameters and least bytes.
    ///
    /// # Errors
    /// As [`Scale::output_shape`].
    pub fn cost(&self, input: Shape, factor: Shape, shift: Option<Shape>) -> Result<Cost> {
        let elements = self.output_shape(input, factor, shift)?.elements() as u64;
        let parameters = (factor.elements() + shift.map_or(0, Shape::elements)) as u64;
        Ok(Cost { macs: elements, parameters, bytes: 4 * (2 * elements + parameters) })
    }
}
