//! Which numbers a weight has, told without decoding them.

use crate::graph::Parameter;
use crate::tensor::Tensor;
use crate::weights::{Entry, Weights};

/// A weight of a graph, and what its numbers are decoded from. Equal ones have equal numbers, bit for bit.
#[derive(Clone, Debug)]
pub(super) struct Source {
    parameter: Parameter,
    /// How it is stored, scaled by what was folded into it; none for a constant of the graph.
    entry: Option<Entry>,
    /// Whether it is rounded to f16, so that numbers beyond f16's range are refused.
    half: bool,
}

impl Source {
    /// That of a graph's weight among those that the graph, folded, takes.
    pub(super) fn of(parameter: &Parameter, weights: &Weights, half: bool) -> Self {
        let entry = weights.get(parameter.name()).filter(|_| parameter.constant().is_none());
        Self { parameter: parameter.clone(), entry: entry.cloned(), half }
    }

    pub(super) fn parameter(&self) -> &Parameter {
        &self.parameter
    }

    pub(super) fn is_half(&self) -> bool {
        self.half
    }

    /// Its size in 4-byte words.
    pub(super) fn words(&self) -> u64 {
        self.parameter.shape().elements() as u64
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        let described = |source: &Self| (source.half, source.parameter.shape());
        let numbers = || match (self.parameter.constant(), other.parameter.constant()) {
            (Some(constant), Some(other)) => bits(constant).eq(bits(other)),
            (None, None) => self.entry.iter().zip(&other.entry).any(|(entry, other)| entry.decodes_as(other)),
            _ => false,
        };
        self.parameter.name() == other.parameter.name() && described(self) == described(other) && numbers()
    }
}

fn bits(tensor: &Tensor) -> impl Iterator<Item = u32> {
    tensor.data().iter().map(|value| value.to_bits())
}
