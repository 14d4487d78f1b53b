//! Running a graph on the GPU: everything is compiled, packed, allocated and bound once; a run only fills the inputs,
//! submits one command buffer and reads the outputs.

mod compile;
mod kept;
mod overflow;
mod pack;
mod profile;
mod recipe;
mod resident;
mod results;
mod source;
mod tune;
mod weights;

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
pub use weights::GpuWeights;

/// A graph compiled for one device, with its weights on it. [`GpuWeights`] is for several of one network.
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
///
/// An application that renders has [`Session::record`] put runs into its own encoders, between passes or copies that write
/// [`Session::input_binding`] and read [`Session::output_binding`]; `examples/frames.rs` does so, from texture to
/// texture.
///
/// # Layout
///
/// Both give the first bytes of a buffer that may be longer: as many words as the value takes, so that a shader's
/// `arrayLength` is right. [`Graph::inputs`] and [`Graph::outputs`] tell the type of each value. Rows follow each other
/// without gaps.
///
/// | type | WGSL | in the buffer |
/// |---|---|---|
/// | [`Tensor`](super::ValueType::Tensor) | `array<f32>` | NCHW: element `((n * C + c) * H + y) * W + x` |
/// | [`Switches`](super::ValueType::Switches) | `array<u32>` | in that order, flat indices into the planes that were pooled |
/// | [`Labels`](super::ValueType::Labels) | `array<u32>` | byte `(n * H + y) * W + x` |
/// | [`Image`](super::ValueType::Image) | `array<u32>` | red, green and blue from byte `3 * (y * W + x)` on |
///
/// Images may have four bytes a pixel instead, with gaps between rows, so that textures are copied there and from there
/// ([`Gpu::with_texels`](crate::Gpu::with_texels)).
///
/// Byte `p` is `extractBits(words[p / 4], 8 * (p % 4), 8)`; those past the end in a last word are not looked at in
/// inputs and 0 in outputs. An image's bytes are those of a file, sRGB, which a texture of format `rgba8unorm` has as
/// fractions of 255; means and order of channels are the graph's own matter ([`Normalize`](crate::Normalize)).
///
/// Where [`Gpu::with_elements`] asked for f16, a tensor that is an output and that another node computes with is
/// [`Storage::Halves`], and so are inputs [with ports](crate::gpu::Elements::with_ports); [`PlannedNode::storages`]
/// tells, and `keep_f32` of its name keeps it in f32. Bytes stay bytes.
///
/// Usages are `STORAGE`, `COPY_SRC` and `COPY_DST`, on the devices of CPU drivers with `MAPPABLE_PRIMARY_BUFFERS` also
/// `MAP_READ` and `MAP_WRITE`. There the session itself maps the buffers during [`Session::run`], so that no commands
/// that use them may be submitted meanwhile. An application does not map them.
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
    /// The weights that the dispatches read, perhaps with those of other sessions: there until the last of them ends.
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
    /// holds, and their memory where it suffices, but for those that are converted on their way, from f16 or texels. New
    /// memory for results of megabytes may cost milliseconds.
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

    /// Records a run into an application's own encoder of the same device: one compute pass from the input buffers to
    /// the output buffers. The inputs are those that [`Session::write`], or the application itself, puts into
    /// [`Session::input_binding`] before the encoder's commands are submitted; a run leaves them as they are.
    ///
    /// The session has one set of buffers, and what goes to one queue happens in the order of submission and recording.
    /// So many runs may be recorded, and submitted, without waiting between them: each reads what was put into the
    /// inputs last, and its outputs last until the next. The session must outlive the submissions.
    ///
    /// Numbers beyond f16's range, where values are in f16, are an infinity in the outputs; [`Session::check_overflow`]
    /// reports those of the last run, and a lost device, on which recorded runs do nothing.
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

    /// The bytes of an input on the device, to be bound or copied to: see [layout](Session#layout).
    ///
    /// # Errors
    /// [`Error::Graph`] if there is no such input, or no output depends on it.
    pub fn input_binding(&self, name: &str) -> Result<wgpu::BufferBinding<'_>> {
        let found = self.graph().input_edges().find(|edge| self.graph().nodes()[edge.node()].name() == name);
        found.map(|edge| self.binding(edge)).ok_or_else(|| Error::Graph(format!("there is no input `{name}`")))
    }

    /// The bytes of an output on the device, to be bound or copied from: see [layout](Session#layout).
    ///
    /// # Errors
    /// [`Error::Graph`] if there is no such output.
    pub fn output_binding(&self, name: &str) -> Result<wgpu::BufferBinding<'_>> {
        let found = self.graph().results().iter().find(|output| output.name == name);
        found
            .map(|output| self.binding(output.edge))
            .ok_or_else(|| Error::Graph(format!("there is no output `{name}`")))
    }

    fn binding(&self, edge: Edge) -> wgpu::BufferBinding<'_> {
        let size = wgpu::BufferSize::new(4 * self.plan.words(self.graph(), edge));
        wgpu::BufferBinding { buffer: self.slots[self.plan.slot(edge)].raw(), offset: 0, size }
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
    match (value, storage) {
        (ValueRef::Tensor(tensor), Storage::Halves) => {
            let words = to_halves(tensor.data(), tensor.shape());
            Cow::Owned(bytemuck::cast_slice(&words).to_vec())
        }
        (ValueRef::Image(image), Storage::Texels(texels)) => Cow::Owned(texels.of_rgb(image.data(), image.extent()[1])),
        (value, _) => Cow::Borrowed(bytes(value)),
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
