//! Transposed convolutions whose weight is diagonal over channels, such as the bilinear upsampling of FCN: each output
//! channel reads one input channel, the other filters are zeros.

use super::parameter::Parameter;
use super::{Graph, Operation};
use crate::error::Result;
use crate::shape::Shape;
use crate::tensor::Tensor;
use crate::weights::Weights;

impl Graph {
    /// Gives every transposed convolution whose weight is diagonal over channels as many groups as it has channels, and the
    /// filters on the diagonal as its weight: as many times less work. [`Gpu::compile`](crate::gpu::Gpu::compile) does this
    /// by itself.
    ///
    /// The results are the same for finite maps. In others, infinity and NaN stay in their channel, where a product with
    /// the zeros of other filters would have made all channels NaN.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) for weights that are missing or misshapen.
    pub fn with_diagonal_weights_apart(&self, weights: &Weights) -> Result<Self> {
        let mut graph = self.clone();
        let live: Vec<usize> = self.live_nodes().map(|(position, _)| position).collect();
        for position in live {
            graph.set_apart(position, weights)?;
        }
        Ok(graph)
    }

    fn set_apart(&mut self, position: usize, weights: &Weights) -> Result<()> {
        let node = &self.nodes[position];
        let (Operation::ConvTranspose2d(op), Some(&weight)) = (node.operation(), node.parameters().first()) else {
            return Ok(());
        };
        let parameter = &self.parameters[weight];
        if op.groups != 1 || parameter.shape().n != parameter.shape().c || parameter.shape().c == 1 {
            return Ok(());
        }
        let Some(filters) = diagonal(parameter, weights)? else { return Ok(()) };
        let name = format!("diagonal of {}", parameter.name());
        let shape = filters.shape();
        let op = op.groups(shape.n);
        let input = self.value_type(node.inputs()[0]);
        self.parameters.push(Parameter::new(name, shape, filters.into())?);
        let own = self.parameters.len() - 1;
        let node = &mut self.nodes[position];
        node.parameters[0] = own;
        node.operation = Operation::ConvTranspose2d(op);
        if let super::ValueType::Tensor(input) = input {
            let bias = node.parameters.get(1).map(|_| Shape::vector(shape.n));
            node.cost = op.cost(input, shape, bias)?;
        }
        Ok(())
    }
}

/// The filters on the diagonal, `C x 1 x kh x kw`, if all others are zeros. Rows are decoded one at a time, and no further
/// than to the first that says no.
fn diagonal(parameter: &Parameter, weights: &Weights) -> Result<Option<Tensor>> {
    let shape = parameter.shape();
    let mut filters = Vec::with_capacity(shape.c * shape.plane());
    for channel in 0..shape.n {
        let decoded;
        let row = match parameter.constant() {
            Some(constant) => &constant.data()[channel * shape.c * shape.plane()..][..shape.c * shape.plane()],
            None => {
                decoded = weights.tensor_rows(parameter.name(), channel..channel + 1)?;
                decoded.data()
            }
        };
        let own = channel * shape.plane()..(channel + 1) * shape.plane();
        if row[..own.start].iter().chain(&row[own.end..]).any(|&weight| weight != 0.0) {
            return Ok(None);
        }
        filters.extend_from_slice(&row[own]);
    }
    Tensor::new(Shape { n: shape.n, c: 1, ..shape }, filters).map(Some)
}
