//! The batch norm after a layer, in each of the forms in which published weights have it.

use crate::error::Result;
use crate::graph::{Edge, GraphBuilder};
use crate::op::BatchNorm;
use crate::shape::Shape;
use crate::weights::Weights;

/// How a network's weights hold its batch norms; all of them alike.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Norm {
    /// `NAME.weight`, `NAME.bias`, `NAME.running_mean` and `NAME.running_var`, as PyTorch has them.
    Statistics(BatchNorm),
    /// `NAME.scale` and `NAME.shift`: SegNet's and DeconvNet's Caffe files, once their scripts have put the training set's
    /// statistics in.
    FactorAndShift,
    /// Nothing: they are part of the convolutions already.
    Absorbed,
}

impl Norm {
    /// The form that `weights` have for the norms of these names.
    pub(super) fn read(mut names: impl Iterator<Item = String> + Clone, weights: &Weights) -> Self {
        let has = |name: &str, part: &str| weights.get(&format!("{name}.{part}")).is_some();
        if names.clone().any(|name| has(&name, "running_var") || has(&name, "running_mean")) {
            Self::Statistics(BatchNorm::new())
        } else if names.any(|name| has(&name, "scale") || has(&name, "shift")) {
            Self::FactorAndShift
        } else {
            Self::Absorbed
        }
    }

    /// The parts of the weights' names.
    fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Statistics(_) => &BatchNorm::PARTS,
            Self::FactorAndShift => &["scale", "shift"],
            Self::Absorbed => &[],
        }
    }

    /// Adds the names and shapes of one norm's weights.
    pub(super) fn require(self, name: &str, channels: usize, required: &mut Vec<(String, Shape)>) {
        required.extend(self.parts().iter().map(|part| (format!("{name}.{part}"), Shape::vector(channels))));
    }

    /// Adds the node, if there is one.
    pub(super) fn add(self, g: &mut GraphBuilder, name: &str, x: Edge) -> Result<Edge> {
        match self {
            Self::Statistics(op) => g.batch_norm(name, x, op),
            Self::FactorAndShift => g.scale(name, x, format!("{name}.scale"), Some(format!("{name}.shift").into())),
            Self::Absorbed => Ok(x),
        }
    }

    /// The same form with another epsilon, where there is one.
    pub(super) fn epsilon(self, epsilon: f32) -> Self {
        match self {
            Self::Statistics(op) => Self::Statistics(op.epsilon(epsilon)),
            other => other,
        }
    }
}
