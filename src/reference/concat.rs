//! Channels one operand after the other.

use crate::error::Result;
use crate::op::Concat;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// [`Concat`] of the operands' channels.
///
/// # Errors
/// As [`Concat::output_shape`].
pub fn concat(inputs: &[&Tensor]) -> Result<Tensor> {
    let shapes: Vec<Shape> = inputs.iter().map(|input| input.shape()).collect();
    let shape = Concat.output_shape(&shapes)?;
    let mut data = Vec::with_capacity(shape.elements());
    for n in 0..shape.n {
        for input in inputs {
            let image = input.shape().c * input.shape().plane();
            data.extend_from_slice(&input.data()[n * image..][..image]);
        }
    }
    Ok(Tensor::trusted(shape, data))
}
