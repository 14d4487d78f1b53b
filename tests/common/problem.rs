//! Operators with awkward parameters: named cases, each with the reason why it is there, and generators of more.
//!
//! Extents are prime and rows differ from columns, so that a swapped axis or a missing remainder shows.

#[cfg(not(target_arch = "wasm32"))]
mod generated;
mod named;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use generated::*;
pub(crate) use named::*;

use switchback::reference::{self, Answer};
use switchback::{Conv2d, ConvTranspose2d, MaxPool2d, MaxUnpool2d, Result, Shape, Switches, Tensor};

use super::random::Random;

/// A convolution or transposed convolution to be tried.
#[derive(Clone, Debug)]
pub(crate) struct ConvProblem<Op> {
    /// The branch that it exists for.
    pub(crate) because: &'static str,
    pub(crate) op: Op,
    pub(crate) input: [usize; 4],
    pub(crate) output_channels: usize,
    pub(crate) bias: bool,
}

/// The operands of a [`ConvProblem`].
#[derive(Clone, Debug)]
pub(crate) struct ConvOperands {
    pub(crate) x: Tensor,
    pub(crate) w: Tensor,
    pub(crate) bias: Option<Tensor>,
}

/// What [`Conv2d`] and [`ConvTranspose2d`] have in common.
pub(crate) trait Convolution: Copy + std::fmt::Debug {
    fn weight_shape(&self, input_channels: usize, output_channels: usize) -> Result<Shape>;
    fn output_shape(&self, input: Shape, weight: Shape, bias: Option<Shape>) -> Result<Shape>;
    fn has_relu(&self) -> bool;
    fn without_relu(self) -> Self;
    fn reference(&self, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Answer>;
    fn reference_values(&self, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor>;
}

macro_rules! convolution {
    ($op:ty, $reference:path, $reference_values:path) => {
        impl Convolution for $op {
            fn weight_shape(&self, input_channels: usize, output_channels: usize) -> Result<Shape> {
                self.weight_shape(input_channels, output_channels)
            }
            fn output_shape(&self, input: Shape, weight: Shape, bias: Option<Shape>) -> Result<Shape> {
                self.output_shape(input, weight, bias)
            }
            fn has_relu(&self) -> bool {
                self.relu
            }
            fn without_relu(mut self) -> Self {
                self.relu = false;
                self
            }
            fn reference(&self, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Answer> {
                $reference(self, x, w, bias)
            }
            fn reference_values(&self, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
                $reference_values(self, x, w, bias)
            }
        }
    };
}

convolution!(Conv2d, reference::conv2d, reference::conv2d_values);
convolution!(ConvTranspose2d, reference::conv_transpose2d, reference::conv_transpose2d_values);

impl<Op: Convolution> ConvProblem<Op> {
    pub(crate) fn weight_shape(&self) -> Result<Shape> {
        self.op.weight_shape(self.input[1], self.output_channels)
    }

    /// Fails for parameters that do not go together, which generators skip.
    pub(crate) fn output_shape(&self) -> Result<Shape> {
        let bias = self.bias.then_some(Shape::vector(self.output_channels));
        self.op.output_shape(self.input.into(), self.weight_shape()?, bias)
    }

    /// Operands whose results are exact ([`Random::integers`]).
    pub(crate) fn integers(&self, seed: u64) -> ConvOperands {
        self.operands(|shape, random| random.integers(shape), seed)
    }

    /// Operands whose results round ([`Random::reals`]).
    pub(crate) fn reals(&self, seed: u64) -> ConvOperands {
        self.operands(|shape, random| random.reals(shape), seed)
    }

    /// [`ConvProblem::integers`] over a map of [`Random::specials`].
    pub(crate) fn specials(&self, seed: u64) -> ConvOperands {
        ConvOperands { x: Random::new(seed).specials(self.input), ..self.integers(seed) }
    }

    fn operands(&self, values: impl Fn(Shape, &mut Random) -> Tensor, seed: u64) -> ConvOperands {
        let mut random = Random::new(seed);
        let x = values(self.input.into(), &mut random);
        let w = values(self.weight_shape().unwrap(), &mut random);
        let bias = self.bias.then(|| values(Shape::vector(self.output_channels), &mut random));
        ConvOperands { x, w, bias }
    }
}

/// A max pooling to be tried, on data of [`Random::ties`].
#[derive(Clone, Debug)]
pub(crate) struct PoolProblem {
    /// The branch that it exists for.
    pub(crate) because: &'static str,
    pub(crate) op: MaxPool2d,
    pub(crate) input: [usize; 4],
}

impl PoolProblem {
    pub(crate) fn input(&self, seed: u64) -> Tensor {
        Random::new(seed).ties(self.input)
    }
}

/// An unpooling to be tried, with the switches of a pooling over [`Random::ties`].
#[derive(Clone, Debug)]
pub(crate) struct UnpoolProblem {
    /// The branch that it exists for.
    pub(crate) because: &'static str,
    pub(crate) pool: PoolProblem,
    pub(crate) op: MaxUnpool2d,
}

impl UnpoolProblem {
    /// Non-zero values, and the switches that say where they go.
    pub(crate) fn operands(&self, seed: u64) -> (Tensor, Switches) {
        let (pooled, switches) = reference::max_pool2d(&self.pool.op, &self.pool.input(seed)).unwrap();
        let mut random = Random::new(seed + 1);
        let values = Tensor::from_fn(pooled.shape(), |_| random.integer(1, 16) as f32 - 16.5).unwrap();
        (values, switches)
    }
}
