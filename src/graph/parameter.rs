//! Where a node's weights come from: names in a weight file, or values in the graph itself.

use std::sync::Arc;

use crate::error::Result;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// Where one weight comes from.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Weight {
    /// The tensor of this name in the weight file. Nodes that give the same name share it.
    Named(String),
    /// This tensor, whatever the weight file holds.
    Constant(Tensor),
    /// This number everywhere.
    Uniform(f32),
}

impl From<&str> for Weight {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl From<String> for Weight {
    fn from(name: String) -> Self {
        Self::Named(name)
    }
}

impl From<Tensor> for Weight {
    fn from(tensor: Tensor) -> Self {
        Self::Constant(tensor)
    }
}

impl From<f32> for Weight {
    fn from(value: f32) -> Self {
        Self::Uniform(value)
    }
}

/// Where the weight and the bias of a convolution come from.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameters {
    pub(super) weight: Weight,
    pub(super) bias: Option<Weight>,
}

impl Parameters {
    /// `LAYER.weight` and `LAYER.bias`.
    #[must_use]
    pub fn named(layer: &str) -> Self {
        Self { weight: format!("{layer}.weight").into(), bias: Some(format!("{layer}.bias").into()) }
    }

    /// This weight and no bias.
    #[must_use]
    pub fn weight(weight: impl Into<Weight>) -> Self {
        Self { weight: weight.into(), bias: None }
    }

    /// Sets the bias.
    #[must_use]
    pub fn bias(mut self, bias: impl Into<Weight>) -> Self {
        self.bias = Some(bias.into());
        self
    }

    /// Leaves the bias out.
    #[must_use]
    pub fn without_bias(mut self) -> Self {
        self.bias = None;
        self
    }
}

/// A weight of a graph: its name, its shape, and its value where the graph itself gives it.
#[derive(Clone, Debug)]
pub struct Parameter {
    name: String,
    shape: Shape,
    constant: Option<Arc<Tensor>>,
}

impl Parameter {
    /// A weight by this name in the weight file.
    pub(super) fn named(name: String, shape: Shape) -> Self {
        Self { name, shape, constant: None }
    }

    /// A weight by the name `name`, or a value that is called so in messages.
    pub(super) fn new(name: String, shape: Shape, weight: Weight) -> Result<Self> {
        let constant = match weight {
            Weight::Named(name) => return Ok(Self::named(name, shape)),
            Weight::Constant(tensor) => tensor,
            Weight::Uniform(value) => Tensor::full(shape, value)?,
        };
        Ok(Self { name, shape: constant.shape(), constant: Some(Arc::new(constant)) })
    }

    /// Its name in the weight file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its shape.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Its value, if it does not come from the weight file.
    #[must_use]
    pub fn constant(&self) -> Option<&Tensor> {
        self.constant.as_deref()
    }
}
