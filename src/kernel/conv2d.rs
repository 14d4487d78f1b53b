//! Convolution on the device.

mod blocks;
mod choice;
pub(super) mod cooperative;
mod depthwise;
pub(super) mod direct;
mod division;
mod dot_product;
pub(super) mod forms;
mod operands;
mod pack;
mod parts;
mod pooled;
mod product;
pub(super) mod sharing;
mod split_k;
mod stages;
pub(super) mod tiled;
mod winograd;
mod worth;

use crate::error::{Error, Result};
use crate::gpu::{Caps, Gpu, GpuTensor, Kernel, KernelPlan, Storage};
use crate::kernel::{check_binding, check_bytes, variants};
use crate::op::Conv2d;
use crate::shape::Shape;

pub(super) use choice::{effort, half_variant};
pub(crate) use operands::Form;
pub(super) use operands::{Interleave, Operands};
pub(crate) use pooled::{Pooling, plan_half_pooled, plan_pooled};
pub(super) use worth::check_worth;

const OP: &str = "conv2d";

variants! {
    "conv2d";
    /// Ways to compute a convolution.
    pub enum Variant {
        /// The definition: an invocation sums one cell of a few output channels, straight from memory; on GPUs two cells of
        /// sixteen, by weights in workgroup memory.
        Direct = "direct",
        /// Blocks of four by four cells: for one input channel a group, stride 1.
        Depthwise = "depthwise",
        /// Each result is one product of two rows of memory: for a kernel that covers its map, which gives one cell.
        DotProduct = "dot-product",
        /// An implicit matrix product: each invocation keeps a tile of up to 32 channels by four cells in registers.
        Tiled = "tiled",
        /// The same product with weights and cells staged in workgroup memory, from 32 channels by 32 cells a workgroup to 128 by
        /// 64: for GPUs.
        Staged = "staged",
        /// `Staged` with each sum in parts that are added in order: for GPUs that few outputs of long sums would leave idle.
        SplitK = "split-k",
        /// Minimal filtering F(2x2, 3x3): 2.25 times fewer products, for 3x3 kernels of stride 1, in any groups.
        WinogradF2 = "winograd-f2",
        /// Minimal filtering F(4x4, 3x3): 4 times fewer products, for 3x3 kernels of stride 1, in any groups. Its error bound
        /// is wider ([`crate::reference::conv2d_minimal_filtering`] derives it).
        WinogradF4 = "winograd-f4",
        /// Minimal filtering F(4x4, 4x4) of a kernel in pieces of 4x4 taps, which read the same transformed tiles: 4
        /// times fewer products for 7x7, 5.2 times for 8x8, for kernels of stride 1, in any groups. Its error bound is
        /// wider ([`crate::reference::conv2d_minimal_filtering`] derives it).
        WinogradPieces = "winograd-pieces",
        /// Minimal filtering in tiles of 8x8 cells: F(6x6, 3x3), F(4x4, 5x5), F(2x2, 7x7) and whatever else is F(m, r)
        /// with m + r = 9 along each axis, for kernels of 2x2 to 7x7 taps, their sides alike or not, of stride 1, in
        /// any groups: 5.1, 6.25 and 3.1 times fewer products. Its error bound is wider
        /// ([`crate::reference::conv2d_minimal_filtering`] derives it).
        WinogradEight = "winograd-eight",
        /// The implicit matrix product on matrix units, where the device has them: operands rounded to f16, products summed
        /// in f32, in tiles of 128 channels by 128 cells a workgroup. Never chosen where f32 operands are wanted; its error
        /// bound is that of the rounding ([`crate::reference::conv2d_half_operands`] derives it).
        Cooperative = "cooperative",
    }
}

pub(crate) static KERNELS: &[&Kernel] = &[
    &direct::DIRECT,
    &direct::DIRECT_STAGED,
    &direct::DIRECT_STAGED_HALF,
    &direct::DIRECT_STAGED_HALF_F32,
    &depthwise::DEPTHWISE,
    &dot_product::DOT_PRODUCT,
    &dot_product::DOT_PRODUCT_HALF,
    &forms::TILED,
    &forms::TILED_U64,
    &forms::TILED_SHARED,
    &forms::TILED_GATHERED,
    &forms::STAGED,
    &forms::TILED_HALF,
    &forms::TILED_HALF_F32,
    &forms::STAGED_HALF,
    &forms::STAGED_HALF_F32,
    &forms::TILED_INTERLEAVED,
    &forms::TILED_INTERLEAVED_F32,
    &forms::STAGED_PHASES,
    &forms::STAGED_INTERLEAVED,
    &forms::STAGED_INTERLEAVED_F32,
    &forms::TILED_HALF_POOLED,
    &forms::STAGED_HALF_POOLED,
    &pack::PACK,
    &pack::PACK_HALF,
    &parts::SUM_PARTS,
    &parts::SUM_PARTS_VECTORS,
    &parts::SUM_PARTS_HALF,
    &winograd::kernels::F2_INPUT,
    &winograd::kernels::F2_WEIGHT,
    &winograd::kernels::F2_OUTPUT,
    &winograd::kernels::F2_POOLED,
    &winograd::kernels::F4_INPUT,
    &winograd::kernels::F4_WEIGHT,
    &winograd::kernels::F4_OUTPUT,
    &winograd::kernels::F4_POOLED,
    &winograd::kernels::PIECES_INPUT,
    &winograd::kernels::PIECES_WEIGHT,
    &winograd::kernels::PIECES_OUTPUT,
    &winograd::kernels::PIECES_POOLED,
    &winograd::kernels::EIGHT_INPUT,
    &winograd::kernels::EIGHT_WEIGHT,
    &winograd::kernels::EIGHT_OUTPUT,
    &winograd::kernels::EIGHT_OUTPUT_STAGED,
    &winograd::kernels::EIGHT_POOLED,
    &winograd::kernels::PRODUCT,
    &winograd::kernels::PRODUCT_U64,
    &winograd::kernels::NARROW,
    &winograd::kernels::NARROW_U64,
    &winograd::kernels::NARROW_GATHERED,
    &winograd::kernels::GATHERED,
    &winograd::kernels::SHARED,
    &winograd::kernels::STAGED,
    &cooperative::kernels::EIGHT,
    &cooperative::kernels::EIGHT_HALF,
    &cooperative::kernels::EIGHT_HALF_F32,
    &cooperative::kernels::EIGHT_INTERLEAVED,
    &cooperative::kernels::EIGHT_HALF_INTERLEAVED,
    &cooperative::kernels::EIGHT_HALF_F32_INTERLEAVED,
    &cooperative::kernels::SIXTEEN,
    &cooperative::kernels::SIXTEEN_HALF,
    &cooperative::kernels::SIXTEEN_HALF_F32,
    &cooperative::kernels::SIXTEEN_INTERLEAVED,
    &cooperative::kernels::SIXTEEN_HALF_INTERLEAVED,
    &cooperative::kernels::SIXTEEN_HALF_F32_INTERLEAVED,
    &cooperative::kernels::EIGHT_HALF_POOLED,
    &cooperative::kernels::SIXTEEN_HALF_POOLED,
    &cooperative::pack::PACK,
];

/// A convolution at given shapes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem<'a> {
    pub(super) op: &'a Conv2d,
    pub(super) input: Shape,
    pub(super) weight: Shape,
    pub(super) output: Shape,
}

impl Problem<'_> {
    /// Output channels of a group.
    fn group_outputs(&self) -> u64 {
        (self.weight.n / self.op.groups) as u64
    }

    /// Taps of the kernel.
    fn taps(&self) -> u64 {
        self.weight.plane() as u64
    }
}

/// Dispatches for these operands. Inputs: the map, the weight, and the bias if there is one.
///
/// A weight that one binding cannot hold is split over output channels, a dispatch each; the ranges of its words that
/// they bind never exceed [`Caps::max_binding_bytes`], so that it need not be one buffer either. Without a variant it
/// is the one of least effort that the device's limits allow.
///
/// # Errors
/// As [`Conv2d::output_shape`]; [`Error::Limit`](crate::Error::Limit) where the input, the output or one output
/// channel's weights exceed a binding.
pub(crate) fn plan(
    op: &Conv2d,
    input: Shape,
    weight: Shape,
    bias: Option<Shape>,
    variant: Option<Variant>,
    caps: &Caps,
) -> Result<KernelPlan> {
    let output = op.output_shape(input, weight, bias)?;
    check_binding(OP, "input", input, caps)?;
    check_binding(OP, "output", output, caps)?;
    let buffers = Operands::with_bias(bias.is_some());
    let problem = &Problem { op, input, weight, output };
    let by = |variant| plan_by(variant, problem, buffers, caps);
    match variant {
        Some(variant) => by(variant),
        None => {
            let ranked = choice::ranked(problem, caps);
            ranked.into_iter().find_map(|variant| by(variant).ok()).map_or_else(|| by(Variant::Direct), Ok)
        }
    }
}

/// Dispatches by this variant.
///
/// # Errors
/// [`Error::Unsupported`] for operands that the variant is not for; as [`plan`].
fn plan_by(variant: Variant, problem: &Problem<'_>, buffers: Operands, caps: &Caps) -> Result<KernelPlan> {
    match variant {
        Variant::Direct => direct::plan(problem, buffers, caps),
        Variant::Depthwise => depthwise::plan(problem, buffers, caps),
        Variant::DotProduct => dot_product::plan(problem, buffers, caps),
        Variant::Tiled => tiled::plan(problem, buffers, caps),
        Variant::Staged => tiled::plan_staged(problem, buffers, caps),
        Variant::SplitK => split_k::plan(problem, buffers, caps),
        Variant::WinogradF2 => winograd::plan(&winograd::F2, problem, buffers, caps),
        Variant::WinogradF4 => winograd::plan(&winograd::F4, problem, buffers, caps),
        Variant::WinogradPieces => winograd::plan(&winograd::PIECES, problem, buffers, caps),
        Variant::WinogradEight => winograd::plan(&winograd::EIGHT, problem, buffers, caps),
        Variant::Cooperative => cooperative::plan(problem, buffers, caps),
    }
}

/// As [`plan`], for a map in f16: by kernels that read f16 maps and weights (`Direct` those in f32) and sum in f32: `DotProduct`
/// where the kernel covers the map, else `Direct` on GPUs where that takes less than the product, which is `Cooperative` where a GPU
/// has matrix units, else `Staged` on GPUs and `Tiled` elsewhere.
///
/// # Errors
/// As [`plan`]; [`Error::Unsupported`] for other variants, for `Direct` where its weights are not worth staging, for groups that do not
/// begin with a word of their own, and without a wish for what f32 takes less for.
pub(crate) fn plan_half(
    op: &Conv2d,
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
    check_half_groups(OP, op.groups, weight.c, weight.n / op.groups)?;
    let buffers = Operands { form, ..Operands::with_bias(bias.is_some()) };
    let problem = &Problem { op, input, weight, output };
    let variant = match variant {
        Some(variant) => variant,
        None if dot_product::applies_in_half(problem, caps) => Variant::DotProduct,
        None => worth::checked(problem, caps)?,
    };
    match variant {
        Variant::Direct => direct::plan(problem, buffers, caps),
        Variant::DotProduct => dot_product::plan_half(problem, buffers, caps),
        variant => plan_product(problem, buffers, variant, caps),
    }
}

/// Refuses groups of channels in f16 that do not begin with a word of their own.
///
/// # Errors
/// [`Error::Unsupported`].
pub(super) fn check_half_groups(op: &'static str, groups: usize, inputs: usize, outputs: usize) -> Result<()> {
    if groups > 1 && !(inputs.is_multiple_of(2) && outputs.is_multiple_of(2)) {
        return Err(not_in_half(op, "groups of an odd number of channels share words"));
    }
    Ok(())
}

pub(super) fn not_in_half(op: &'static str, why: &str) -> Error {
    let (what, way_out) = (format!("{op} in f16"), "convert to f32 before it".to_owned());
    Error::Unsupported { what, why: why.to_owned(), way_out }
}

/// Dispatches by an implicit matrix product, for maps in any form.
///
/// # Errors
/// [`Error::Unsupported`] for other variants; as [`plan`].
pub(super) fn plan_product(
    problem: &Problem<'_>,
    operands: Operands,
    variant: Variant,
    caps: &Caps,
) -> Result<KernelPlan> {
    let plan = match variant {
        Variant::Tiled => tiled::plan(problem, operands, caps),
        Variant::Staged => tiled::plan_staged(problem, operands, caps),
        Variant::Cooperative => cooperative::plan(problem, operands, caps),
        other => Err(not_in_half(OP, &format!("variant {} has no kernels for it", other.name()))),
    };
    let half_weight = operands.form != Form::Words || variant == Variant::Cooperative;
    plan.map(|plan| KernelPlan { half_weight, ..plan })
}

/// Refuses a device that lacks what a variant asked for by name needs, whatever the shapes.
///
/// # Errors
/// [`Error::Unsupported`](crate::Error::Unsupported) that says what is lacking and what would be taken instead.
pub(crate) fn check_device(variant: &str, caps: &Caps) -> Result<()> {
    if variant == Variant::Cooperative.name() { cooperative::check_device(OP, caps) } else { Ok(()) }
}

impl Gpu {
    /// Convolution of `x` (`N x Cin x H x W`) with `weight` (`Cout x Cin/groups x kh x kw`), plus `bias`
    /// (`1 x Cout x 1 x 1`), as [`Conv2d`] defines it.
    ///
    /// # Errors
    /// As [`Conv2d::output_shape`]; [`crate::Error::Limit`] where the input, the output or one output channel's weights
    /// exceed a binding; [`crate::Error::Unsupported`] for a preferred variant that is not for these operands or this
    /// device, [`crate::Error::Overflow`] for operands that it would round to infinity; the device's faults.
    pub fn conv2d(
        &self,
        op: &Conv2d,
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
        let plan = cooperative::with_weight_checked(plan, kernel, self.caps())?;
        let operands: Vec<_> = [x, weight].into_iter().chain(bias).collect();
        self.compute(OP, &plan, &operands, op.output_shape(input, kernel, offset)?)
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::exhibit;
