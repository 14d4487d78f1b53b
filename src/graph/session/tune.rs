//! Measuring which kernel variants are the fastest.

use std::collections::HashSet;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::gpu::{Gpu, Tuning};
use crate::graph::{Graph, Node, Operation, Parameters};
use crate::kernel;
use crate::tensor::Tensor;
use crate::weights::Weights;

/// Timed runs of a variant, of which the fastest counts.
const RUNS: usize = 5;
/// A variant whose first run takes so many times as long as the best so far is given up.
const HOPELESS: u32 = 3;

/// One variant of one operator, measured.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Trial<'a> {
    /// The node of the graph: the first of those that are alike.
    pub node: &'a str,
    /// The variant.
    pub variant: &'a str,
    /// The time of the fastest run.
    pub time: Duration,
}

impl Gpu {
    /// Measures, for each convolution and transposed convolution of the graph, every variant that applies (those that give
    /// the same result in every run), and keeps the fastest: seconds to minutes. `observe` hears of each. All in f32: in f16
    /// variants follow from shapes and device alone.
    ///
    /// Nothing needs this: without it the variant follows from shapes and device.
    ///
    /// # Errors
    /// As [`Gpu::compile_async`]; [`Error::Unsupported`] in browsers without GPU timestamps.
    pub async fn tune_async(&self, graph: &Graph, mut observe: impl FnMut(&Trial<'_>)) -> Result<Tuning> {
        let folded = graph.fold();
        let graph = folded.graph();
        let mut tuning = Tuning::new(self.info());
        let mut met = HashSet::new();
        for (_, node) in graph.live_nodes() {
            let variants = kernel::alternatives(node.operation().name());
            let problem = graph.problem(node);
            if variants.is_empty() || !met.insert(problem.clone()) {
                continue;
            }
            let (alone, input) = graph.alone(node)?;
            let weights = Weights::random(alone.weights_required(), 1)?;
            let mut best: Option<(Duration, &str)> = None;
            for variant in variants {
                let gpu = self.with_preference(node.operation().name(), variant);
                let Some(time) = gpu.try_variant(&alone, &weights, &input, variant, best.map(|best| best.0)).await?
                else {
                    continue;
                };
                observe(&Trial { node: node.name(), variant, time });
                if best.is_none_or(|(least, _)| time < least) {
                    best = Some((time, variant));
                }
            }
            if let Some((_, variant)) = best {
                tuning.insert(problem, variant);
            }
        }
        Ok(tuning)
    }

    /// Measures variants, blocking; see [`Gpu::tune_async`].
    ///
    /// # Errors
    /// As [`Gpu::tune_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn tune(&self, graph: &Graph, observe: impl FnMut(&Trial<'_>)) -> Result<Tuning> {
        pollster::block_on(self.tune_async(graph, observe))
    }

    /// Warns where a tuning has lines, but none for any node of a (folded) graph: of another network or size, or edited.
    pub(super) fn check_tuning(&self, graph: &Graph) {
        let Some(tuning) = self.tuning().filter(|tuning| tuning.iter().next().is_some()) else { return };
        if self.elements().is_half() {
            log::warn!("the tuning is ignored wherever anything is in f16: it was measured in f32");
        }
        let tunable = |node: &&Node| !kernel::alternatives(node.operation().name()).is_empty();
        let mut nodes = graph.live_nodes().map(|(_, node)| node).filter(tunable).peekable();
        let Some(first) = nodes.peek().map(|node| node.name()) else { return };
        if nodes.all(|node| tuning.variant(&graph.problem(node)).is_none()) {
            let lines = tuning.iter().count();
            log::warn!(
                "the tuning is ignored: none of its {lines} lines is for a node of this graph, such as `{first}`"
            );
        }
    }

    /// The time of the graph's one node by the variant that this clone prefers; `None` where it does not apply, or the
    /// device cannot hold what it needs.
    async fn try_variant(
        &self,
        alone: &Graph,
        weights: &Weights,
        input: &Tensor,
        variant: &str,
        best: Option<Duration>,
    ) -> Result<Option<Duration>> {
        let mut session = match self.compile_async(alone, weights).await {
            Ok(session) => session,
            Err(error) if error.is_unsupported() || error.is_out_of_memory() => return Ok(None),
            Err(error) => return Err(error),
        };
        // Where a preferred variant does not apply, the library's choice is compiled instead.
        if session.plan().nodes().iter().all(|node| node.variant() != variant) {
            return Ok(None);
        }
        let mut fastest = Duration::MAX;
        for run in 0..=RUNS {
            let time = session.profile_async(input).await?.total();
            // The first run warms up.
            if run > 0 {
                fastest = fastest.min(time);
            } else if best.is_some_and(|best| time > HOPELESS * best) {
                return Ok(Some(time));
            }
        }
        Ok(Some(fastest))
    }
}

impl Graph {
    /// A graph of nothing but such a node, and an input for it.
    fn alone(&self, node: &Node) -> Result<(Self, Tensor)> {
        let mut g = Self::builder();
        let (input, output) = match (node.inputs().first(), node.outputs().first()) {
            (Some(&edge), Some(&output)) => (self.value_type(edge).tensor(), output.tensor()),
            _ => (None, None),
        };
        let (Some(input), Some(output)) = (input, output) else {
            return Err(Error::Graph(format!("node `{}` is no convolution", node.name())));
        };
        let x = g.input("input", input)?;
        let parameters = Parameters::weight("weight");
        let parameters = if node.parameters().len() > 1 { parameters.bias("bias") } else { parameters };
        let y = match node.operation() {
            Operation::Conv2d(op) => g.conv2d_with("output", x, *op, output.c, parameters)?,
            Operation::ConvTranspose2d(op) => g.conv_transpose2d_with("output", x, *op, output.c, parameters)?,
            _ => return Err(Error::Graph(format!("node `{}` is no convolution", node.name()))),
        };
        g.output(y)?;
        let values = Tensor::from_fn(input, |[_, c, i, j]| ((7 * c + 5 * i + 3 * j) % 17) as f32 / 8.0 - 1.0)?;
        Ok((g.build()?, values))
    }
}
