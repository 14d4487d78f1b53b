//! Convolution on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan, Operand, Step, fold_workgroups};
use crate::kernel::flat::window_constants;
use crate::kernel::shards::shards;
use crate::kernel::{ACTIVATION, INDEX, TAPS, WORKGROUP, channel_block, check_binding, params, part, variants};
use crate::op::Conv2d;
use crate::shape::Shape;

const OP: &str = "conv2d";

variants! {
    "conv2d";
    /// Ways to compute a convolution.
    pub enum Variant {
        /// The definition: an invocation sums one cell of a few output channels, straight from memory.
        Direct = "direct",
    }
}

/// The most output channels that an invocation of `conv2d/direct` computes: what registers hold without spilling.
const MOST_CHANNELS: u64 = 8;

static DIRECT: Kernel = Kernel {
    name: "conv2d/direct",
    parts: &[&INDEX, &ACTIVATION, &TAPS, &part!("conv2d/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&DIRECT];

params! {
    /// Uniforms of `conv2d/direct`; the shader says what they mean.
    struct Params {
        in_channels: u32,
        in_h: u32,
        in_w: u32,
        out_channels: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
        group_inputs: u32,
        group_outputs: u32,
        first_group: u32,
        first_channel: u32,
        weight_offset: u32,
        cell_tiles: u32,
        group_tiles: u32,
        channel_tiles: u32,
        tiles: u32,
    }
}

/// Dispatches for these operands. Inputs: the map, the weight, and the bias if there is one.
///
/// A weight that one binding cannot hold is split over output channels, a dispatch each; the ranges of its words that
/// they bind never exceed [`Caps::max_binding_bytes`], so that it need not be one buffer either.
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
    let buffers = Operands {
        input: Buffer::Input(0),
        weight: Buffer::Input(1),
        bias: bias.map_or(Buffer::Absent, |_| Buffer::Input(2)),
        output: Buffer::Output(0),
    };
    match variant.unwrap_or(Variant::Direct) {
        Variant::Direct => Ok(KernelPlan {
            variant: Variant::Direct.name(),
            executed_macs: direct_macs(op, input, weight, output),
            run: direct(op, input, weight, output, buffers, caps)?,
            ..KernelPlan::default()
        }),
    }
}

impl Gpu {
    /// Convolution of `x` (`N x Cin x H x W`) with `weight` (`Cout x Cin/groups x kh x kw`), plus `bias`
    /// (`1 x Cout x 1 x 1`), as [`Conv2d`] defines it.
    ///
    /// # Errors
    /// As [`Conv2d::output_shape`]; [`crate::Error::Limit`] where the input, the output or one output channel's weights
    /// exceed a binding; the device's faults.
    pub fn conv2d(
        &self,
        op: &Conv2d,
        x: &GpuTensor,
        weight: &GpuTensor,
        bias: Option<&GpuTensor>,
    ) -> Result<GpuTensor> {
        let (input, kernel, offset) = (x.shape(), weight.shape(), bias.map(GpuTensor::shape));
        let plan = plan(op, input, kernel, offset, self.preferred(OP)?, self.caps())?;
        let operands: Vec<_> = [x, weight].into_iter().chain(bias).collect();
        self.compute(OP, &plan, &operands, op.output_shape(input, kernel, offset)?)
    }
}

/// Where a convolution's operands are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operands {
    pub(super) input: Buffer,
    pub(super) weight: Buffer,
    pub(super) bias: Buffer,
    pub(super) output: Buffer,
}

/// The dispatches of [`Variant::Direct`], one a shard of the weight.
pub(super) fn direct(
    op: &Conv2d,
    input: Shape,
    weight: Shape,
    output: Shape,
    operands: Operands,
    caps: &Caps,
) -> Result<Vec<Step>> {
    let groups = op.groups as u64;
    let shards = shards(OP, groups, weight.n as u64 / groups, (weight.elements() / weight.n) as u64, caps)?;
    let whole = shards.len() == 1;
    let channels = channel_block(weight.n as u64 / groups, MOST_CHANNELS);
    shards
        .into_iter()
        .map(|shard| {
            let cell_tiles = (output.plane() as u64).div_ceil(u64::from(WORKGROUP));
            let group_tiles = shard.group_channels.div_ceil(channels);
            let channel_tiles = shard.groups * group_tiles;
            let tiles = output.n as u64 * channel_tiles * cell_tiles;
            let params = Params {
                in_channels: input.c as u32,
                in_h: input.h as u32,
                in_w: input.w as u32,
                out_channels: output.c as u32,
                out_h: output.h as u32,
                out_w: output.w as u32,
                pad_top: op.pad.top as u32,
                pad_left: op.pad.left as u32,
                group_inputs: weight.c as u32,
                group_outputs: shard.group_channels as u32,
                first_group: shard.first_group as u32,
                first_channel: shard.first_channel as u32,
                weight_offset: shard.offset as u32,
                cell_tiles: cell_tiles as u32,
                group_tiles: group_tiles as u32,
                channel_tiles: channel_tiles as u32,
                tiles: tiles as u32,
            };
            Ok(Step {
                kernel: &DIRECT,
                constants: constants(op, operands.bias != Buffer::Absent, channels),
                params: bytemuck::bytes_of(&params).to_vec(),
                operands: vec![
                    operands.input.into(),
                    Operand { buffer: operands.weight, words: (!whole).then_some(shard.words) },
                    operands.bias.into(),
                    operands.output.into(),
                ],
                workgroups: fold_workgroups(tiles, caps)?,
            })
        })
        .collect()
}

fn constants(op: &Conv2d, bias: bool, channels: u64) -> Vec<(&'static str, f64)> {
    let more = [
        ("BIAS", f64::from(bias)),
        ("RELU", f64::from(op.relu)),
        ("CHANNELS", channels as f64),
        ("WORKGROUP", f64::from(WORKGROUP)),
    ];
    [window_constants(op.kernel, op.stride, op.dilation).as_slice(), &more].concat()
}

/// Multiply-adds of `conv2d/direct`: taps inside the input only, channels rounded up to tiles.
fn direct_macs(op: &Conv2d, input: Shape, weight: Shape, output: Shape) -> u64 {
    let taps = |axis: usize| -> u64 {
        let (before, cells) = (op.pad.before()[axis], input.extent()[axis]);
        let inside = |start: usize| {
            let tap = |tap: &usize| (before..before + cells).contains(&(start + tap * op.dilation[axis]));
            (0..op.kernel[axis]).filter(tap).count() as u64
        };
        (0..output.extent()[axis]).map(|i| inside(i * op.stride[axis])).sum()
    };
    let group_channels = (weight.n / op.groups) as u64;
    let channels = group_channels.next_multiple_of(channel_block(group_channels, MOST_CHANNELS)) * op.groups as u64;
    (output.n as u64 * channels * weight.c as u64).saturating_mul(taps(0).saturating_mul(taps(1)))
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plain = Conv2d::new([3, 3]).pad(1).relu();
    let odd = Conv2d::new([2, 5]).stride([3, 1]).dilation([1, 2]).groups(2);
    let bias = Some(Shape::vector(6));
    let plans = [
        plan(&plain, [2, 3, 9, 7].into(), [6, 3, 3, 3].into(), bias, Some(Variant::Direct), &Caps::WEBGPU),
        plan(&odd, [1, 4, 11, 13].into(), [6, 2, 2, 5].into(), None, None, &Caps::WEBGPU),
    ];
    crate::kernel::checks::Exhibit { params: vec![(&DIRECT, Params::FIELDS)], plans: plans.into() }
}
