//! Running a graph on the GPU: everything is compiled, packed, allocated and bound once; a run only fills the inputs,
//! submits one command buffer and reads the outputs.

mod compile;
mod overflow;
mod pack;
mod profile;
mod resident;
mod results;
mod tune;

use std::borrow::Cow;

use self::overflow::Overflow;
use self::pack::PackedWeights;
use super::{
    Arithmetic, Edge, Folded, Graph, Inputs, Node, NodeCheck, Outputs, Plan, PlannedNode, ValueRef, interpret,
};
use crate::error::{Error, Result};
use crate::gpu::{BoundStep, Gpu, GpuBuffer, Readback, Storage, Upload, to_halves, wgpu};
use crate::weights::Weights;

pub use profile::{NodeTime, Profile};
pub use tune::Trial;

/// A graph compiled for one device, with its weights on it.
///
/// ```no_run
/// use switchback::{Conv2d, Gpu, Graph, Tensor, weights::Weights};
/// let mut g = Graph::builder();
/// let x = g.input("x", [1, 3, 96, 64])?;
/// let y = g.conv2d("conv1", x, Conv2d::new([3, 3]).pad(1).relu(), 32)?;
/// g.output(y)?;
/// let graph = g.build()?;
/// let weights = Weights::random(graph.weights_required(), 1)?;
/// let mut session = Gpu::new()?.compile(&graph, &weights)?;
/// let outputs = session.run(&Tensor::zeros([1, 3, 96, 64])?)?;
/// assert_eq!(outputs.tensor("conv1")?.shape(), [1, 32, 96, 64].into());
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Debug)]
pub struct Session {
    gpu: Gpu,
    /// What runs, and how its weights come from those of the graph that was compiled.
    folded: Folded,
    plan: Plan,
    /// The buffers that values share.
    slots: Vec<GpuBuffer>,
    /// The dispatches of each node, in the plan's order.
    nodes: Vec<Vec<BoundStep>>,
    /// Where the host puts the inputs, in the graph's order.
    inputs: Vec<(Edge, Upload)>,
    /// Where the host finds the outputs, in the graph's order.
    outputs: Vec<Readback>,
    /// Where kernels say that a number was too large for f16.
    overflow: Overflow,
    /// The weights that the dispatches read: theirs until the session ends.
    _weights: PackedWeights,
}

impl Session {
    /// Runs the graph once: one submission, no compilation, no allocation on the device. In browsers, where nothing may
    /// block, this is the only form.
    ///
    /// # Errors
    /// [`Error::Graph`] or [`Error::Node`] for inputs that are missing or do not fit; the device's faults, after which
    /// (but for a lost device) the session can run again.
    pub async fn run_async<'a>(&mut self, inputs: impl Into<Inputs<'a>>) -> Result<Outputs> {
        let mut outputs = Outputs::default();
        self.run_into_async(inputs, &mut outputs).await?;
        Ok(outputs)
    }

    /// Runs the graph once, its results in the memory of those that `outputs` holds: see `Session::run_into`, which
    /// browsers do not have.
    ///
    /// # Errors
    /// As [`Session::run_async`]; then `outputs` holds nothing.
    pub async fn run_into_async<'a>(&mut self, inputs: impl Into<Inputs<'a>>, outputs: &mut Outputs) -> Result<()> {
        let mut old = std::mem::take(outputs);
        let given = inputs.into().bind(self.graph())?;
        self.poison()?;
        for ((edge, upload), (_, value)) in self.inputs.iter().zip(given) {
            let (name, slot) = (self.graph().nodes()[edge.node()].name(), &self.slots[self.plan.slot(*edge)]);
            upload.fill(&self.gpu, name, slot, &stored(value, self.plan.storage(*edge))).await?;
        }
        let slots = |edge: Edge| &self.slots[self.plan.slot(edge)];
        self.gpu.submit("a run", |encoder| {
            self.inputs.iter().for_each(|(edge, upload)| upload.record(encoder, slots(*edge)));
            self.record(encoder);
            let outputs = self.graph().results().iter().zip(&self.outputs);
            outputs.for_each(|(output, readback)| readback.record(encoder, slots(output.edge)));
            self.overflow.record_readback(encoder);
        })?;
        self.overflow.check(&self.gpu, &self.plan).await?;
        let mut values = Vec::with_capacity(self.outputs.len());
        for (output, readback) in self.graph().results().iter().zip(&self.outputs) {
            let (value_type, storage) = (self.graph().value_type(output.edge), self.plan.storage(output.edge));
            let old = old.take(&output.name);
            let value = results::read(&self.gpu, readback, &output.name, (value_type, storage), old).await?;
            values.push((output.name.clone(), value));
        }
        self.check_guards()?;
        *outputs = values.into_iter().collect();
        Ok(())
    }

    /// Runs the graph once, blocking; see [`Session::run_async`].
    ///
    /// # Errors
    /// As [`Session::run_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn run<'a>(&mut self, inputs: impl Into<Inputs<'a>>) -> Result<Outputs> {
        pollster::block_on(self.run_async(inputs))
    }

    /// The same for runs in a loop, as over the frames of a video: results take the place of those that `outputs`
    /// holds, and their memory where it suffices. New memory for results of megabytes may cost milliseconds.
    ///
    /// ```no_run
    /// # use switchback::{Tensor, graph::{Outputs, Session}};
    /// # fn watch(mut session: Session, frames: Vec<Tensor>) -> Result<(), switchback::Error> {
    /// let mut outputs = Outputs::default();
    /// for frame in &frames {
    ///     session.run_into(frame, &mut outputs)?;
    ///     println!("{:?}", outputs.labels("labels")?.data().iter().max());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::run_async`]; then `outputs` holds nothing.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn run_into<'a>(&mut self, inputs: impl Into<Inputs<'a>>, outputs: &mut Outputs) -> Result<()> {
        pollster::block_on(self.run_into_async(inputs, outputs))
    }

    /// Records a run into an application's own encoder of the same device: one compute pass from the input buffers to the
    /// output buffers. The inputs are those that [`Session::write`], or the application itself, puts into
    /// [`Session::input_buffer`] before the encoder's commands are submitted; a run leaves them as they are.
    ///
    /// The session must outlive the submission. It has one set of buffers, so a run's outputs last until the next run. Numbers
    /// beyond f16's range, where values are in f16, are an infinity in the outputs; [`Session::check_overflow`] reports them.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder) {
        self.overflow.record_reset(encoder);
        let mut pass = encoder
            .begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("switchback"), timestamp_writes: None });
        self.nodes.iter().flatten().for_each(|step| step.record(&mut pass));
    }

    /// Refuses what the last run left if a number in it was beyond f16's range, as [`Session::run`] does by itself: to be called
    /// after the submission of what [`Session::record`] recorded, for which it waits. Nothing to do where everything is in f32.
    ///
    /// # Errors
    /// [`Error::Overflow`] in an [`Error::Node`] that names the first such node; the device's faults.
    pub async fn check_overflow_async(&self) -> Result<()> {
        self.gpu.submit("overflow", |encoder| self.overflow.record_readback(encoder))?;
        self.overflow.check(&self.gpu, &self.plan).await
    }

    /// The same, blocking; see [`Session::check_overflow_async`].
    ///
    /// # Errors
    /// As [`Session::check_overflow_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn check_overflow(&self) -> Result<()> {
        pollster::block_on(self.check_overflow_async())
    }

    /// Puts values into the input buffers, before the next submission: for [`Session::record`].
    ///
    /// # Errors
    /// As [`Session::run_async`], but that nothing is computed yet.
    pub fn write<'a>(&self, inputs: impl Into<Inputs<'a>>) -> Result<()> {
        for (edge, value) in inputs.into().bind(self.graph())? {
            let slot = &self.slots[self.plan.slot(edge)];
            self.gpu.write(self.graph().nodes()[edge.node()].name(), slot, &stored(value, self.plan.storage(edge)))?;
        }
        Ok(())
    }

    /// The buffer of an input, which holds it from its first byte on and may be longer: f32 NCHW, or the bytes of an
    /// image, four to a word, the lowest first. Not to be submitted while the session runs: the host may have it mapped then.
    ///
    /// # Errors
    /// [`Error::Graph`] if there is no such input, or no output depends on it.
    pub fn input_buffer(&self, name: &str) -> Result<&wgpu::Buffer> {
        let found = self.graph().input_edges().find(|edge| self.graph().nodes()[edge.node()].name() == name);
        let edge = found.ok_or_else(|| Error::Graph(format!("there is no input `{name}`")))?;
        Ok(self.slots[self.plan.slot(edge)].raw())
    }

    /// The buffer of an output, which holds it from its first byte on and may be longer: f32 NCHW, switches as u32, or
    /// the bytes of labels or an image, four to a word, the lowest first; in f16 ([`Storage::Halves`]) where other nodes read
    /// it too and [`Gpu::with_elements`] asked for that. Not to be submitted while the session runs: the host may have it mapped then.
    ///
    /// # Errors
    /// [`Error::Graph`] if there is no such output.
    pub fn output_buffer(&self, name: &str) -> Result<&wgpu::Buffer> {
        let found = self.graph().results().iter().find(|output| output.name == name);
        let output = found.ok_or_else(|| Error::Graph(format!("there is no output `{name}`")))?;
        Ok(self.slots[self.plan.slot(output.edge)].raw())
    }

    /// Holds the outputs of a run to the reference, node by node, as [`check_nodes`](super::check_nodes) does, each node
    /// by the bound of the variant that computed it. `weights` are those that the session was compiled with, `outputs` its
    /// own.
    ///
    /// # Errors
    /// As [`interpret`](super::interpret).
    pub fn check_nodes<'a>(
        &self,
        weights: &Weights,
        inputs: impl Into<Inputs<'a>>,
        outputs: &Outputs,
    ) -> Result<Vec<NodeCheck>> {
        let arithmetic =
            |node: &Node| self.plan.node(node.name()).map_or_else(Arithmetic::default, PlannedNode::arithmetic);
        let weights = self.folded.weights(weights)?;
        interpret::check(self.graph(), &weights, inputs.into(), outputs, |_| true, arithmetic)
    }

    /// The plan that it follows.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The graph that it runs: the one compiled, [folded](Graph::fold).
    #[must_use]
    pub fn graph(&self) -> &Graph {
        self.folded.graph()
    }

    /// With rails: poisons every slot, so that a run that reads what it did not write shows.
    fn poison(&self) -> Result<()> {
        if self.gpu.has_rails() {
            self.slots.iter().try_for_each(|slot| self.gpu.poison(slot))?;
        }
        Ok(())
    }

    /// With rails: refuses writes past a slot's end.
    fn check_guards(&self) -> Result<()> {
        #[cfg(not(target_arch = "wasm32"))]
        if self.gpu.has_rails() {
            self.gpu.check_guards("a run", &self.slots.iter().collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

/// A value's bytes in such a form.
fn stored(value: ValueRef<'_>, storage: Storage) -> Cow<'_, [u8]> {
    match value {
        ValueRef::Tensor(tensor) if storage == Storage::Halves => {
            let words = to_halves(tensor.data(), tensor.shape());
            Cow::Owned(bytemuck::cast_slice(&words).to_vec())
        }
        value => Cow::Borrowed(bytes(value)),
    }
}

/// A value's bytes as the device has them, but for the end of the last word.
fn bytes(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Tensor(tensor) => bytemuck::cast_slice(tensor.data()),
        ValueRef::Switches(switches) => bytemuck::cast_slice(switches.indices()),
        ValueRef::Labels(labels) => labels.data(),
        ValueRef::Image(image) => image.data(),
    }
}
