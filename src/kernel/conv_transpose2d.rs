//! Transposed convolution on the device.

mod classes;
mod flipped;
mod gather;
mod interleaved;
mod interpolate;
mod interpolate_pairs;
mod packed;
mod phased;
mod product;
mod scatter;
mod shared_phases;
mod zero_insert;

use crate::error::Result;
use crate::gpu::{Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan, Operand, Part, Scratch, Step, Storage};
use crate::kernel::card::{Card, least_first};
use crate::kernel::conv2d::Form;
use crate::kernel::shards::{Rows, Shard};
use crate::kernel::{check_binding, check_bytes, conv2d, part, variants};
use crate::op::ConvTranspose2d;
use crate::shape::Shape;

pub(crate) use classes::plan_classes;

const OP: &str = "conv_transpose2d";

/// The best channel of four cells in a register tile.
static BEST_OF_TILE: Part = part!("conv_transpose2d/best_of_tile.wgsl");
/// Rows that are phases of output channels.
static ROW: Part = part!("conv_transpose2d/row.wgsl");

variants! {
    "conv_transpose2d";
    /// Ways to compute a transposed convolution.
    pub enum Variant {
        /// An invocation sums one output cell of a few channels over just the taps that contribute to it.
        Gather = "gather",
        /// The definition: input cells add their products to the output atomically, by the device's addition of f32 where it
        /// has one. Additions come in any order, so that two runs may differ in rounding.
        Scatter = "scatter",
        /// The same by compare and exchange in a loop, which every device can do.
        ScatterExchange = "scatter-exchange",
        /// The textbook's emulation: zeros between and around the input's cells, then an ordinary convolution with the
        /// flipped kernel, most of whose products are with those zeros.
        ZeroInsert = "zero-insert",
        /// Each output phase (row modulo stride, column modulo stride) as a dense convolution with its own taps, in the
        /// register tiles of [`conv2d`'s](crate::kernel::conv2d::Variant::Tiled), all phases in one dispatch; on GPUs phases of as
        /// many taps each by one product of [`Staged`](crate::kernel::conv2d::Variant::Staged).
        Phased = "phased",
        /// A kernel of twice the stride: all phases lie between the same cells of the map, so that an invocation loads these
        /// once for the register tiles of several phases.
        SharedPhases = "shared-phases",
        /// Stride 1 is a convolution with the flipped kernel: that one, in register tiles.
        Flipped = "flipped",
        /// The same with each sum in parts that are added in order: for GPUs that few outputs of long sums would leave idle.
        FlippedSplitK = "flipped-split-k",
        /// The same by minimal filtering F(2x2, 3x3).
        FlippedF2 = "flipped-winograd-f2",
        /// The same by minimal filtering F(4x4, 3x3), with its wider error bound
        /// ([`crate::reference::conv_transpose2d_minimal_filtering`] derives it).
        FlippedF4 = "flipped-winograd-f4",
        /// The same by minimal filtering F(4x4, 4x4) of a kernel in pieces of 4x4 taps.
        FlippedPieces = "flipped-winograd-pieces",
        /// The same by minimal filtering in tiles of 8x8 cells, for kernels of 2x2 to 7x7 taps.
        FlippedEight = "flipped-winograd-eight",
        /// A map of one cell: a product of its channels with the weight as a matrix.
        Product = "product",
        /// One channel a group and a kernel of at most two strides a side, as in bilinear upsampling: each output cell is
        /// weighed between four input cells, which many output cells share.
        Interpolate = "interpolate",
        /// A convolution of stride 1 on matrix units, where the device has them, whose output channels are the phases of the
        /// result; operands rounded to f16, products summed in f32. Never chosen where f32 operands are wanted; its error
        /// bound is that of the rounding ([`crate::reference::conv_transpose2d_half_operands`] derives it).
        Cooperative = "cooperative",
    }
}

pub(crate) static KERNELS: &[&Kernel] = &[
    &gather::GATHER,
    &scatter::SCATTER,
    &scatter::SCATTER_EXCHANGE,
    &scatter::FINISH,
    &zero_insert::STRETCH,
    &zero_insert::FLIP,
    &phased::PHASED,
    &phased::PHASED_U64,
    &phased::PHASED_GATHERED,
    &packed::PACK,
    &packed::PACK_HALF,
    &shared_phases::SHARED_PHASES,
    &shared_phases::SHARED_PHASES_U64,
    &shared_phases::SHARED_PHASES_GATHERED,
    &shared_phases::STAGED,
    &shared_phases::ROWS,
    &packed::PACK_SHARED_PHASES,
    &interleaved::PHASE_WEIGHT,
    &interpolate::INTERPOLATE,
    &interpolate::INTERPOLATE_HALF,
    &interpolate::INTERPOLATE_ARGMAX,
    &interpolate::INTERPOLATE_ARGMAX_HALF,
];

pub(crate) use interpolate_pairs::KERNELS as PAIR_KERNELS;
pub(crate) use product::KERNELS as PRODUCT_KERNELS;

/// A transposed convolution at given shapes.
#[derive(Clone, Copy, Debug)]
struct Problem<'a> {
    op: &'a ConvTranspose2d,
    input: Shape,
    weight: Shape,
    output: Shape,
    bias: bool,
}

/// Dispatches for these operands. Inputs: the map, the weight, and the bias if there is one.
///
/// A weight that one binding cannot hold is split by all but [`Variant::ZeroInsert`]. Its rows are input
/// channels, so that a run of output channels would not be contiguous: each dispatch adds the products of some input
/// channels (or computes some groups) instead; [`Variant::Phased`], [`Variant::SharedPhases`] and
/// [`Variant::Product`] split what they pack once more, by output channels.
///
/// # Errors
/// As [`ConvTranspose2d::output_shape`]; [`Error::Limit`](crate::Error::Limit) where the input, the output or one input
/// channel's weights exceed a binding, and for [`Variant::ZeroInsert`] the weight or the stretched map.
pub(crate) fn plan(
    op: &ConvTranspose2d,
    input: Shape,
    weight: Shape,
    bias: Option<Shape>,
    variant: Option<Variant>,
    caps: &Caps,
) -> Result<KernelPlan> {
    let output = op.output_shape(input, weight, bias)?;
    check_binding(OP, "input", input, caps)?;
    check_binding(OP, "output", output, caps)?;
    let problem = Problem { op, input, weight, output, bias: bias.is_some() };
    match variant {
        Some(variant) => problem.plan(variant, caps),
        None => select(&problem, caps),
    }
}

/// The same for a map in f16, by kernels that read f16 maps and sum in f32: interpolation and the product of one cell,
/// and for all else those of the convolution that [`interleaved`] makes of it.
///
/// # Errors
/// As [`plan`]; [`Error::Unsupported`] for other variants, for groups that do not begin with a word of their own, and without a wish for
/// what f32 takes less for.
pub(crate) fn plan_half(
    op: &ConvTranspose2d,
    shapes: (Shape, Shape, Option<Shape>),
    form: Form,
    variant: Option<Variant>,
    caps: &Caps,
) -> Result<KernelPlan> {
    let (input, weight, bias) = shapes;
    let output = op.output_shape(input, weight, bias)?;
    check_bytes(OP, "input", 4 * Storage::Halves.words(input), caps)?;
    match form {
        Form::Halves => check_bytes(OP, "output", 4 * Storage::Halves.words(output), caps)?,
        _ => check_binding(OP, "output", output, caps)?,
    }
    let problem = Problem { op, input, weight, output, bias: bias.is_some() };
    if interpolate::applies(&problem) && matches!(variant, None | Some(Variant::Interpolate)) {
        let plan = interpolate::plan(&problem, form, caps)?;
        return Ok(KernelPlan { variant: Variant::Interpolate.name(), ..plan });
    }
    conv2d::check_half_groups(OP, op.groups, problem.group_inputs(), weight.c)?;
    if input.extent() == [1, 1] && matches!(variant, None | Some(Variant::Product)) {
        let plan = product::plan(&problem, form, caps)?;
        return Ok(KernelPlan { variant: Variant::Product.name(), ..plan });
    }
    let by = conv2d::half_variant(caps);
    let tiles = if caps.software { conv2d::Variant::Tiled } else { conv2d::Variant::Staged };
    let one_phase = op.stride == [1, 1];
    if variant.is_none() {
        interleaved::check_worth(&problem, by, caps)?;
    }
    let (variant, by) = match variant {
        None if by == conv2d::Variant::Cooperative => (Variant::Cooperative, by),
        None if one_phase => (Variant::Flipped, by),
        None | Some(Variant::Phased) => (Variant::Phased, tiles),
        Some(Variant::Flipped) if one_phase => (Variant::Flipped, tiles),
        Some(Variant::Cooperative) => (Variant::Cooperative, conv2d::Variant::Cooperative),
        Some(other) => {
            return Err(conv2d::not_in_half(
                OP,
                &format!("variant {} has no kernels for these operands", other.name()),
            ));
        }
    };
    let plan = interleaved::plan(&problem, form, by, caps)?;
    Ok(KernelPlan { variant: variant.name(), ..plan })
}

/// Refuses a device that lacks what a variant asked for by name needs, whatever the shapes.
///
/// # Errors
/// [`Error::Unsupported`] that says what is lacking and what would be taken instead.
pub(crate) fn check_device(variant: &str, caps: &Caps) -> Result<()> {
    if variant == Variant::Cooperative.name() { conv2d::cooperative::check_device(OP, caps) } else { Ok(()) }
}

/// The plan of least effort, by a model of what loads and multiply-adds cost, of those that keep to the device's limits.
fn select(problem: &Problem<'_>, caps: &Caps) -> Result<KernelPlan> {
    // Where these apply, nothing is close.
    for special in [Variant::Interpolate, Variant::Product] {
        if let Ok(plan) = problem.plan(special, caps) {
            return Ok(plan);
        }
    }
    let effort = |&variant: &Variant, card| problem.effort(variant, card, caps);
    let planned = least_first(Variant::ALL, effort).into_iter().find_map(|&variant| problem.plan(variant, caps).ok());
    planned.map_or_else(|| problem.plan(Variant::Gather, caps), Ok)
}

impl Variant {
    /// Whether two runs give the same result, bit for bit.
    #[must_use]
    pub const fn repeats(self) -> bool {
        !matches!(self, Self::Scatter | Self::ScatterExchange)
    }
}

impl Problem<'_> {
    /// What a variant takes on a card, in multiply-adds of a register tile; `None` for those that do not apply or are not chosen by
    /// effort.
    fn effort(&self, variant: Variant, card: Card, caps: &Caps) -> Option<f64> {
        let flipped = |variant| flipped::effort(self, variant, card, caps);
        match variant {
            Variant::Gather => Some(gather::effort(self, card, caps)),
            Variant::Phased => self.effort_in_phases(self.phases_together(caps), card, caps),
            Variant::SharedPhases => shared_phases::effort(self, card, caps),
            Variant::Flipped => flipped(flipped::tiles(self, caps)),
            Variant::FlippedSplitK => flipped(conv2d::Variant::SplitK),
            Variant::FlippedF2 => flipped(conv2d::Variant::WinogradF2),
            Variant::FlippedF4 => flipped(conv2d::Variant::WinogradF4),
            Variant::FlippedPieces => flipped(conv2d::Variant::WinogradPieces),
            Variant::FlippedEight => flipped(conv2d::Variant::WinogradEight),
            Variant::Scatter | Variant::ScatterExchange | Variant::ZeroInsert => None,
            Variant::Product | Variant::Interpolate | Variant::Cooperative => None,
        }
    }

    /// What phases take, all together by one convolution whose operands are staged, or each by itself.
    fn effort_in_phases(&self, together: bool, card: Card, caps: &Caps) -> Option<f64> {
        if together {
            interleaved::effort(self, conv2d::Variant::Staged, card, caps)
        } else {
            Some(phased::effort(self, card, caps))
        }
    }

    /// Whether phases are computed together.
    fn phases_together(&self, caps: &Caps) -> bool {
        let effort = |together, card| self.effort_in_phases(together, card, caps);
        least_first([false, true], effort).first() == Some(&true)
    }

    fn plan_phased(&self, caps: &Caps) -> Result<KernelPlan> {
        let together = self.phases_together(caps);
        let together = together.then(|| interleaved::plan(self, Form::Words, conv2d::Variant::Staged, caps).ok());
        together.flatten().map_or_else(|| phased::plan(self, caps), Ok)
    }

    /// The plan of one variant.
    fn plan(&self, variant: Variant, caps: &Caps) -> Result<KernelPlan> {
        let plan = match variant {
            Variant::Gather => gather::plan(self, caps)?,
            Variant::Scatter => scatter::plan(self, caps)?,
            Variant::ScatterExchange => scatter::plan(self, &Caps { float_atomics: false, ..*caps })?,
            Variant::ZeroInsert => zero_insert::plan(self, caps)?,
            Variant::Phased => self.plan_phased(caps)?,
            Variant::SharedPhases => shared_phases::plan(self, caps)?,
            Variant::Flipped => flipped::plan(self, flipped::tiles(self, caps), caps)?,
            Variant::FlippedSplitK => flipped::plan(self, conv2d::Variant::SplitK, caps)?,
            Variant::FlippedF2 => flipped::plan(self, conv2d::Variant::WinogradF2, caps)?,
            Variant::FlippedF4 => flipped::plan(self, conv2d::Variant::WinogradF4, caps)?,
            Variant::FlippedPieces => flipped::plan(self, conv2d::Variant::WinogradPieces, caps)?,
            Variant::FlippedEight => flipped::plan(self, conv2d::Variant::WinogradEight, caps)?,
            Variant::Product => product::plan(self, Form::Words, caps)?,
            Variant::Interpolate => interpolate::plan(self, Form::Words, caps)?,
            Variant::Cooperative => {
                conv2d::cooperative::check_device(OP, caps)?;
                interleaved::plan(self, Form::Words, conv2d::Variant::Cooperative, caps)?
            }
        };
        Ok(KernelPlan { variant: variant.name(), ..plan })
    }

    /// The shape of the weight as an ordinary convolution's.
    fn flipped(&self) -> Shape {
        Shape { n: self.output.c, c: self.group_inputs(), ..self.weight }
    }

    fn group_inputs(&self) -> usize {
        self.input.c / self.op.groups
    }

    fn bias(&self) -> Buffer {
        if self.bias { Buffer::Input(2) } else { Buffer::Absent }
    }

    /// The weight's rows, of which a dispatch takes at most so many of a group.
    fn rows(&self, most: u64) -> Rows {
        Rows {
            what: "conv_transpose2d: the weight of one input channel",
            groups: self.op.groups as u64,
            group_rows: self.group_inputs() as u64,
            words: (self.weight.elements() / self.weight.n) as u64,
            most_group_rows: most,
        }
    }

    /// One dispatch for each run of input channels, at most `most` of a group, whose weights a binding holds; `step` gets
    /// the run, its part of the weight, and its place within its group's input channels.
    fn split(
        &self,
        most: u64,
        caps: &Caps,
        step: impl Fn(&Shard, Operand, Place) -> Result<Step>,
    ) -> Result<Vec<Step>> {
        let group_inputs = self.group_inputs() as u64;
        let step = |shard: &Shard| {
            let start = shard.first_row % group_inputs;
            let place = Place { first: start == 0, last: start + shard.group_rows == group_inputs };
            step(shard, shard.part_of(Buffer::Input(1)), place)
        };
        self.rows(most).shards(caps)?.iter().map(step).collect()
    }
}

/// A convolution's plan over a weight that `make` writes into the first temporary, instead of the operator's own.
fn with_own_weight(inner: KernelPlan, weight: Shape, make: Step) -> KernelPlan {
    const OWN: Buffer = Buffer::Scratch(0);
    let moved = |step: Step| {
        let mut step = step;
        for operand in &mut step.operands {
            operand.buffer = match operand.buffer {
                Buffer::Input(1) => OWN,
                Buffer::Scratch(position) => Buffer::Scratch(position + 1),
                other => other,
            };
        }
        step
    };
    let run: Vec<Step> = inner.run.into_iter().map(moved).collect();
    // Where the convolution packs its weight, only packing reads this one.
    let persistent = run.iter().flat_map(|step| &step.operands).any(|operand| operand.buffer == OWN);
    let own = Scratch { words: weight.elements() as u64, persistent };
    KernelPlan {
        executed_macs: inner.executed_macs,
        filtering: inner.filtering,
        half_weight: inner.half_weight,
        scratch: std::iter::once(own).chain(inner.scratch).collect(),
        prepare: std::iter::once(make).chain(inner.prepare.into_iter().map(moved)).collect(),
        run,
        ..KernelPlan::default()
    }
}

/// Where a run of input channels lies in its group, or a run of whole groups in themselves.
#[derive(Clone, Copy, Debug)]
struct Place {
    first: bool,
    last: bool,
}

impl Gpu {
    /// Transposed convolution of `x` (`N x Cin x H x W`) with `weight` (`Cin x Cout/groups x kh x kw`), plus `bias`
    /// (`1 x Cout x 1 x 1`), as [`ConvTranspose2d`] defines it.
    ///
    /// # Errors
    /// As [`ConvTranspose2d::output_shape`]; [`crate::Error::Limit`] where the input, the output or one input channel's
    /// weights exceed a binding; [`crate::Error::Unsupported`] for a preferred variant that is not for these operands or this
    /// device, [`crate::Error::Overflow`] for operands that it would round to infinity; the device's faults.
    pub fn conv_transpose2d(
        &self,
        op: &ConvTranspose2d,
        x: &GpuTensor,
        weight: &GpuTensor,
        bias: Option<&GpuTensor>,
    ) -> Result<GpuTensor> {
        let (input, kernel, offset) = (x.shape(), weight.shape(), bias.map(GpuTensor::shape));
        let plan = plan(op, input, kernel, offset, self.preferred(OP)?, self.caps())?;
        #[cfg(not(target_arch = "wasm32"))]
        if plan.variant == Variant::Cooperative.name() {
            pollster::block_on(self.check_cooperative(OP))?;
        }
        #[cfg(not(target_arch = "wasm32"))]
        let plan = conv2d::cooperative::with_weight_checked(plan, kernel, self.caps())?;
        let operands: Vec<_> = [x, weight].into_iter().chain(bias).collect();
        self.compute(OP, &plan, &operands, op.output_shape(input, kernel, offset)?)
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::exhibit;
