//! Batch norms, scalings and ReLUs as part of the convolution before them: what a network computes then takes fewer
//! dispatches, and rounds less often.

use std::collections::{HashMap, HashSet};

use super::merge::Readers;
use super::parameter::Parameter;
use super::{Edge, Graph, Node, Operation, ValueType};
use crate::error::{Error, Result};
use crate::op::BatchNorm;
use crate::shape::Shape;
use crate::tensor::Tensor;
use crate::weights::Weights;

/// A graph in which nothing is left to fold, and how its weights come from those of the graph it was made from.
#[derive(Clone, Debug)]
pub struct Folded {
    graph: Graph,
    changes: Vec<Change>,
    /// Names of all running variances.
    variances: Vec<String>,
}

/// What happens to one convolution's weight and bias.
#[derive(Clone, Debug)]
struct Change {
    weight: String,
    /// The weight's axis of output channels.
    axis: usize,
    /// Name of the bias, and whether there is one before.
    bias: (String, bool),
    maps: Vec<Affine>,
}

/// A factor and a shift for each channel.
#[derive(Clone, Debug)]
enum Affine {
    BatchNorm(BatchNorm, Vec<Parameter>),
    Scale(Vec<Parameter>),
}

impl Graph {
    /// The same network with every batch norm, scaling and ReLU that alone reads a convolution (plain or transposed) made
    /// part of it: `(conv(x, w) + b) * f + s` is `conv(x, w * f) + (b * f + s)`. The convolution keeps its node's name,
    /// outputs keep theirs. [`Gpu::compile`](crate::gpu::Gpu::compile) and [`Graph::plan`] do this by themselves.
    ///
    /// What stays: what follows a value that is an output or has another reader; and batch norms and scalings behind a
    /// convolution that could not be scaled alone: one whose weights another node shares (with a decoder's of its own, say, for
    /// tied weights would have to be kept once for each), one whose weights are constants, a transposed one in groups. A
    /// [plan](Graph::plan) shows them as nodes of their own.
    ///
    /// ```
    /// use switchback::{BatchNorm, Conv2d, Graph};
    /// let mut g = Graph::builder();
    /// let x = g.input("x", [1, 3, 37, 53])?;
    /// let x = g.conv2d("conv", x, Conv2d::new([3, 3]), 8)?;
    /// let x = g.batch_norm("norm", x, BatchNorm::new())?;
    /// let x = g.relu("relu", x)?;
    /// g.output(x)?;
    /// let folded = g.build()?.fold();
    /// let names: Vec<&str> = folded.graph().nodes().iter().map(|node| node.name()).collect();
    /// assert_eq!(names, ["x", "conv"]);
    /// assert_eq!(folded.graph().outputs().next().map(|(name, _)| name), Some("relu"));
    /// # Ok::<(), switchback::Error>(())
    /// ```
    #[must_use]
    pub fn fold(&self) -> Folded {
        let mut folding = Folding::of(self);
        let convolutions: Vec<usize> = self.live_nodes().map(|(position, _)| position).collect();
        for node in convolutions {
            folding.fold(node);
        }
        folding.finish()
    }
}

impl Folded {
    /// The graph.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// With diagonal weights apart: see [`Graph::with_diagonal_weights_apart`]; `weights` are [`Folded::weights`].
    pub(super) fn with_diagonal_weights_apart(self, weights: &Weights) -> Result<Self> {
        Ok(Self { graph: self.graph.with_diagonal_weights_apart(weights)?, ..self })
    }

    /// The same with another form of the graph that has the same weights.
    pub(super) fn map(self, form: impl FnOnce(&Graph) -> Graph) -> Self {
        Self { graph: form(&self.graph), ..self }
    }

    /// The graph's weights, from those of the graph it was made from. Filters are shared and scaled as they are decoded,
    /// not copied.
    ///
    /// # Errors
    /// [`Error::Weights`] for weights that are missing or misshapen, and for a variance below zero.
    pub fn weights(&self, weights: &Weights) -> Result<Weights> {
        for name in &self.variances {
            if let Some(negative) = weights.tensor(name)?.data().iter().find(|&&variance| variance < 0.0) {
                return Err(Error::Weights(format!("`{name}` holds {negative}, expected variances from 0")));
            }
        }
        let mut folded = weights.clone();
        for change in &self.changes {
            change.apply(weights, &mut folded)?;
        }
        Ok(folded)
    }
}

impl Change {
    fn apply(&self, from: &Weights, to: &mut Weights) -> Result<()> {
        let (bias, has_bias) = &self.bias;
        let mut shifts: Vec<f64> = Vec::new();
        if *has_bias {
            shifts = from.tensor(bias)?.data().iter().copied().map(f64::from).collect();
        }
        let mut factors: Vec<f64> = Vec::new();
        for map in &self.maps {
            let channels = map.channels(from)?;
            factors.resize(channels.len(), 1.0);
            shifts.resize(channels.len(), 0.0);
            for ((factor, shift), (own_factor, own_shift)) in factors.iter_mut().zip(&mut shifts).zip(channels) {
                *factor *= own_factor;
                *shift = *shift * own_factor + own_shift;
            }
        }
        to.scale_axis(&self.weight, self.axis, &factors)?;
        to.insert(bias.clone(), &Tensor::vector(shifts.into_iter().map(|shift| shift as f32).collect())?);
        Ok(())
    }
}

impl Affine {
    /// Factor and shift of each channel.
    fn channels(&self, weights: &Weights) -> Result<Vec<(f64, f64)>> {
        let read = |parameter: &Parameter| match parameter.constant() {
            Some(constant) => Ok(constant.clone()),
            None => weights.tensor(parameter.name()),
        };
        match self {
            Self::BatchNorm(op, parameters) => {
                let vectors = parameters.iter().map(read).collect::<Result<Vec<_>>>()?;
                let channel = |c: usize| op.factor_and_shift(std::array::from_fn(|part| vectors[part].data()[c]));
                Ok((0..vectors[0].data().len()).map(channel).collect())
            }
            Self::Scale(parameters) => {
                let vectors = parameters.iter().map(read).collect::<Result<Vec<_>>>()?;
                let shift = |c: usize| vectors.get(1).map_or(0.0, |shift| shift.data()[c].into());
                let factors = vectors[0].data().iter().enumerate();
                Ok(factors.map(|(c, &factor)| (factor.into(), shift(c))).collect())
            }
        }
    }
}

/// A graph on its way to being folded.
struct Folding<'g> {
    graph: &'g Graph,
    nodes: Vec<Node>,
    parameters: Vec<Parameter>,
    readers: Readers,
    /// What became part of a convolution, and the convolution.
    gone: HashMap<usize, usize>,
    changes: Vec<Change>,
}

impl<'g> Folding<'g> {
    fn of(graph: &'g Graph) -> Self {
        let (nodes, parameters) = (graph.nodes.clone(), graph.parameters.clone());
        Self { graph, nodes, parameters, readers: graph.readers(), gone: HashMap::new(), changes: Vec::new() }
    }

    /// Makes what follows a convolution part of it.
    fn fold(&mut self, conv: usize) {
        let axis = match &self.nodes[conv].operation {
            Operation::Conv2d(op) if !op.relu => Some(0),
            // In groups, the channels of one position along axis 1 are several.
            Operation::ConvTranspose2d(op) if !op.relu => (op.groups == 1).then_some(1),
            _ => return,
        };
        let axis = axis.filter(|_| self.owns_parameters(conv));
        let (mut tail, mut maps) = (conv, Vec::new());
        while let Some(next) = self.readers.only(Edge { builder: self.graph.id, node: tail, port: 0 }) {
            let parameters = || self.nodes[next].parameters.iter().map(|&p| self.parameters[p].clone()).collect();
            match self.nodes[next].operation {
                Operation::BatchNorm(op) if axis.is_some() => maps.push(Affine::BatchNorm(op, parameters())),
                Operation::Scale if axis.is_some() => maps.push(Affine::Scale(parameters())),
                Operation::Relu => {
                    self.set_relu(conv);
                    self.gone.insert(next, conv);
                    break;
                }
                _ => break,
            }
            self.gone.insert(next, conv);
            tail = next;
        }
        if let Some(axis) = axis.filter(|_| !maps.is_empty()) {
            self.change(conv, axis, maps);
        }
    }

    /// Whether a convolution's weight and bias come from the weight file and serve no other node, so that they may change.
    fn owns_parameters(&self, conv: usize) -> bool {
        let own = &self.nodes[conv].parameters;
        let others = self.graph.live_nodes().filter(|&(position, _)| position != conv);
        let taken: HashSet<usize> = others.flat_map(|(_, node)| node.parameters()).copied().collect();
        let free = own.iter().all(|p| !taken.contains(p) && self.parameters[*p].constant().is_none());
        let new_bias = bias_name(&self.nodes[conv]);
        free && (own.len() > 1 || self.parameters.iter().all(|parameter| parameter.name() != new_bias))
    }

    fn set_relu(&mut self, conv: usize) {
        match &mut self.nodes[conv].operation {
            Operation::Conv2d(op) => op.relu = true,
            Operation::ConvTranspose2d(op) => op.relu = true,
            _ => {}
        }
    }

    /// Notes how a convolution's weights change, and gives it a bias if it has none.
    fn change(&mut self, conv: usize, axis: usize, maps: Vec<Affine>) {
        let node = &mut self.nodes[conv];
        let weight = self.parameters[node.parameters[0]].name().to_owned();
        let bias = match node.parameters.get(1) {
            Some(&bias) => (self.parameters[bias].name().to_owned(), true),
            None => {
                let channels = match node.outputs.first() {
                    Some(ValueType::Tensor(shape)) => shape.c,
                    _ => return,
                };
                let bias = bias_name(node);
                self.parameters.push(Parameter::named(bias.clone(), Shape::vector(channels)));
                node.parameters.push(self.parameters.len() - 1);
                node.cost.parameters += channels as u64;
                node.cost.bytes += 4 * channels as u64;
                (bias, false)
            }
        };
        self.changes.push(Change { weight, axis, bias, maps });
    }

    /// The graph of what is left: live nodes that are not part of others now.
    fn finish(self) -> Folded {
        let Self { graph, nodes, parameters, gone, changes, .. } = self;
        let variances = graph.live_nodes().filter_map(|(_, node)| match node.operation {
            Operation::BatchNorm(_) => node.parameters.last().map(|&p| parameters[p].name().to_owned()),
            _ => None,
        });
        let variances = variances.collect();
        let graph = graph.merged(nodes, parameters, &gone);
        Folded { graph, changes, variances }
    }
}

/// The name of a bias that a convolution has only once something was folded into it.
fn bias_name(conv: &Node) -> String {
    format!("{}.bias", conv.name)
}
