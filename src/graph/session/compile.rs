//! Making a session: kernels, pipelines, weights, buffers and bindings.

use super::overflow::Overflow;
use super::pack::{PackedWeights, pack, unknown};
use super::{GpuWeights, Session};
use crate::error::Result;
use crate::gpu::{Buffer, BufferRange, Caps, Gpu, GpuBuffer, Operand};
use crate::graph::plan::Preferences;
use crate::graph::{Edge, Folded, Graph, Output, Plan, PlannedNode};
use crate::kernel::conv2d;
use crate::weights::Weights;

impl Gpu {
    /// Compiles a graph, [folded](Graph::fold), with [diagonal weights apart](Graph::with_diagonal_weights_apart) and with
    /// what one dispatch can do in one node, as [`Graph::plan`] says:
    /// chooses kernels, compiles pipelines, moves the weights to the device and packs them, allocates and binds everything
    /// that a run needs. Weights that the graph does not name are left alone. Sessions of one network, for several extents say,
    /// share what they have in common of its weights where [`Gpu::weights`] compiles them.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] for missing or misshapen weights; [`crate::Error::Node`] round what goes wrong at a node, such as
    /// [`crate::Error::Limit`] for a value that is too large for the device; the device's faults.
    pub async fn compile_async(&self, graph: &Graph, weights: &Weights) -> Result<Session> {
        self.weights(weights).compile_async(graph).await
    }

    /// The plan that [`Gpu::compile_async`] would follow: as [`Graph::plan_in`], and by the variants that this clone asks for or
    /// [was tuned to](crate::gpu::GpuBuilder::tuning). Diagonal weights count as apart only
    /// [where the graph has them so](Graph::with_diagonal_weights_apart), for it takes their numbers to see them.
    ///
    /// # Errors
    /// As [`Graph::plan_in`]; the device's faults.
    pub async fn plan_async(&self, graph: &Graph) -> Result<Plan> {
        graph.check_elements(self.elements())?;
        let folded = graph.fold();
        self.check_tuning(folded.graph());
        Ok(self.plan_folded(folded).await?.1)
    }

    /// Plans a graph, blocking; see [`Gpu::plan_async`].
    ///
    /// # Errors
    /// As [`Gpu::plan_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn plan(&self, graph: &Graph) -> Result<Plan> {
        pollster::block_on(self.plan_async(graph))
    }

    /// A folded graph with what one dispatch can do in one node, and its plan.
    async fn plan_folded(&self, folded: Folded) -> Result<(Folded, Plan)> {
        for op in ["conv2d", "conv_transpose2d"] {
            if self.preference(op) == Some(conv2d::Variant::Cooperative.name()) && self.caps().cooperative.is_some() {
                self.check_cooperative(op).await?;
            }
        }
        let caps = &self.caps_for_elements().await;
        let preferences = Preferences {
            asked: &|op: &str| self.preference(op),
            tuning: self.tuning(),
            elements: self.elements(),
            texels: self.texels(),
        };
        let folded = folded.map(|graph| graph.fused_for(caps, &preferences));
        let plan = folded.graph().plan_with(caps, &preferences)?;
        Ok((folded, plan))
    }

    /// What to plan for: with f16 the matrix units too, if they do what they should.
    async fn caps_for_elements(&self) -> Caps {
        let caps = *self.caps();
        if !self.elements().is_half() || caps.cooperative.is_none() || caps.software {
            return caps;
        }
        match self.check_cooperative("conv2d").await {
            Ok(()) => caps,
            Err(error) => {
                log::warn!("plain kernels are used instead: {error}");
                Caps { cooperative: None, ..caps }
            }
        }
    }

    /// Compiles a graph, blocking; see [`Gpu::compile_async`].
    ///
    /// # Errors
    /// As [`Gpu::compile_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn compile(&self, graph: &Graph, weights: &Weights) -> Result<Session> {
        pollster::block_on(self.compile_async(graph, weights))
    }
}

impl GpuWeights {
    /// Compiles a graph with these weights, as [`Gpu::compile_async`] does, and moves and packs only what is
    /// [not there already](GpuWeights#what-is-shared).
    ///
    /// # Errors
    /// As [`Gpu::compile_async`]. But for a lost device the weights can be compiled with again; of what was there already,
    /// what this graph would have read stays.
    pub async fn compile_async(&mut self, graph: &Graph) -> Result<Session> {
        let (gpu, weights) = (&self.gpu, &self.weights);
        graph.check_weights(weights)?;
        graph.check_elements(gpu.elements())?;
        let folded = graph.fold();
        gpu.check_tuning(folded.graph());
        let weights = &folded.weights(weights)?;
        let folded = folded.with_diagonal_weights_apart(weights)?;
        let (folded, plan) = gpu.plan_folded(folded).await?;
        let graph = folded.graph();
        #[cfg(not(target_arch = "wasm32"))]
        gpu.compile_ahead(plan.nodes().iter().flat_map(|node| node.kernel.prepare.iter().chain(&node.kernel.run)));
        let packed = pack(gpu, graph, &plan, weights, &mut self.kept).await?;
        let slot = |(slot, bytes): (usize, &u64)| gpu.allocate(&format!("slot {slot}"), bytes / 4);
        let slots = plan.slots().iter().enumerate().map(slot).collect::<Result<Vec<_>>>()?;
        let overflow = Overflow::of(gpu, &plan)?;
        let mut params = gpu.params_together(plan.nodes().iter().flat_map(|planned| &planned.kernel.run))?.into_iter();
        let bind = |(step, planned): (usize, &PlannedNode)| {
            let memory = Memory { graph, plan: &plan, slots: &slots, packed: &packed, overflow: &overflow, step };
            let bind =
                |(dispatch, params)| gpu.bind_step(planned.name(), dispatch, params, |operand| memory.find(operand));
            planned
                .kernel
                .run
                .iter()
                .zip(&mut params)
                .map(bind)
                .collect::<Result<Vec<_>>>()
                .map_err(|error| error.at_node(planned.name()))
        };
        let nodes = plan.nodes().iter().enumerate().map(bind).collect::<Result<Vec<_>>>()?;
        let input = |edge: Edge| {
            let (name, slot) = (graph.nodes()[edge.node()].name(), &slots[plan.slot(edge)]);
            Ok((edge, gpu.upload_through(name, slot, plan.words(graph, edge))?))
        };
        let inputs = graph.input_edges().map(input).collect::<Result<Vec<_>>>()?;
        let output = |output: &Output| {
            gpu.readback_alone(&output.name, &slots[plan.slot(output.edge)], plan.words(graph, output.edge))
        };
        let outputs = graph.results().iter().map(output).collect::<Result<Vec<_>>>()?;
        gpu.flush("compiling").await?;
        Ok(Session { gpu: gpu.clone(), folded, plan, slots, nodes, inputs, outputs, overflow, _weights: packed })
    }

    /// Compiles a graph, blocking; see [`GpuWeights::compile_async`].
    ///
    /// # Errors
    /// As [`GpuWeights::compile_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn compile(&mut self, graph: &Graph) -> Result<Session> {
        pollster::block_on(self.compile_async(graph))
    }
}

/// Where the operands of a planned node are.
struct Memory<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    slots: &'a [GpuBuffer],
    packed: &'a PackedWeights,
    overflow: &'a Overflow,
    step: usize,
}

impl<'a> Memory<'a> {
    /// The run of memory that an operand of a run's dispatch is.
    fn find(&self, operand: &Operand) -> Result<BufferRange<'a>> {
        let planned = &self.plan.nodes()[self.step];
        let node = &self.graph.nodes()[planned.node];
        if let Some(weight) = self.packed.find(node, self.step, operand) {
            return Ok(weight);
        }
        let found = match operand.buffer {
            Buffer::Input(position) => node.inputs().get(position).map(|&edge| self.value(edge)),
            Buffer::Output(port) => self.graph.edges_of(planned.node).nth(port).map(|(edge, _)| self.value(edge)),
            Buffer::Scratch(position) => planned.scratch.get(position).copied().flatten().map(|slot| {
                let words = planned.kernel.scratch[position].words;
                self.slots[slot].range(0..words)
            }),
            Buffer::Overflow => self.overflow.word(self.step),
            Buffer::Absent => None,
        };
        found.map(|memory| memory.narrow(operand.words.clone())).ok_or_else(|| unknown(operand))
    }

    fn value(&self, edge: Edge) -> BufferRange<'a> {
        self.slots[self.plan.slot(edge)].range(0..self.plan.words(self.graph, edge))
    }
}
