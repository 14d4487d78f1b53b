//! [`Variant::Gather`](super::Variant::Gather): each output cell asks for the taps that reach it.

use super::{OP, Problem};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Step, fold_workgroups};
use crate::kernel::axis::{greatest_common_divisor, inverse_modulo, pairs_inside};
use crate::kernel::card::Card;
use crate::kernel::flat::window_constants;
use crate::kernel::{ACTIVATION, INDEX, TAPS, WORKGROUP, channel_block, loop_iterations, params, part, rounds_within};
use crate::op::ConvTranspose2d;

pub(super) static GATHER: Kernel = Kernel {
    name: "conv_transpose2d/gather",
    parts: &[&INDEX, &ACTIVATION, &TAPS, &part!("conv_transpose2d/phase.wgsl"), &part!("conv_transpose2d/gather.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// The most output channels that an invocation computes: what registers hold without spilling.
pub(super) const MOST_CHANNELS: u64 = 8;

params! {
    /// Uniforms of `conv_transpose2d/gather`; the shader says what they mean.
    pub(super) struct Params {
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
        first_input: u32,
        weight_offset: u32,
        phases_h: u32,
        phases_w: u32,
        cell_tiles: u32,
        group_tiles: u32,
        channel_tiles: u32,
        tiles: u32,
    }
}

pub(super) fn plan(problem: &Problem<'_>, caps: &Caps) -> Result<KernelPlan> {
    let &Problem { op, input, weight, output, .. } = problem;
    let [sy, sx] = op.stride;
    let channels = channel_block(weight.c as u64, MOST_CHANNELS);
    let group_tiles = (weight.c as u64).div_ceil(channels);
    let [phases_h, phases_w] = [sy.min(output.h), sx.min(output.w)];
    // Phases differ by at most a row and a column; the first is the largest.
    let phase_cells = (output.h.div_ceil(sy) * output.w.div_ceil(sx)) as u64;
    let cell_tiles = phase_cells.div_ceil(u64::from(WORKGROUP));
    let inputs = rounds_within(OP, 0, 1 + loop_iterations(&most_taps(op)), caps)?;
    let run = problem.split(inputs, caps, |shard, weights, place| {
        let channel_tiles = shard.groups * group_tiles;
        let tiles = output.n as u64 * channel_tiles * (phases_h * phases_w) as u64 * cell_tiles;
        let params = Params {
            in_channels: input.c as u32,
            in_h: input.h as u32,
            in_w: input.w as u32,
            out_channels: output.c as u32,
            out_h: output.h as u32,
            out_w: output.w as u32,
            pad_top: op.pad.top as u32,
            pad_left: op.pad.left as u32,
            group_inputs: shard.group_rows as u32,
            group_outputs: weight.c as u32,
            first_group: shard.first_group as u32,
            first_input: shard.first_row as u32,
            weight_offset: shard.offset as u32,
            phases_h: phases_h as u32,
            phases_w: phases_w as u32,
            cell_tiles: cell_tiles as u32,
            group_tiles: group_tiles as u32,
            channel_tiles: channel_tiles as u32,
            tiles: tiles as u32,
        };
        let window = window_constants(op.kernel, op.stride, op.dilation);
        let bias = if place.last { problem.bias() } else { Buffer::Absent };
        let own = [
            ("ACCUMULATE", f64::from(!place.first)),
            ("BIAS", f64::from(bias != Buffer::Absent)),
            ("RELU", f64::from(op.relu && place.last)),
            ("CHANNELS", channels as f64),
            ("WORKGROUP", f64::from(WORKGROUP)),
        ];
        Ok(Step {
            kernel: &GATHER,
            constants: [window.as_slice(), &phase_constants(op), &own].concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: vec![Buffer::Input(0).into(), weights, bias.into(), Buffer::Output(0).into()],
            workgroups: fold_workgroups(tiles, caps)?,
        })
    })?;
    let executed_macs = contributions(problem).saturating_mul(group_tiles * channels);
    Ok(KernelPlan { executed_macs, run, ..KernelPlan::default() })
}

/// Pairs of an input element and a tap that lands inside the output, each of which contributes to every output channel
/// of its group.
pub(super) fn contributions(Problem { op, input, output, .. }: &Problem<'_>) -> u64 {
    let pairs = |axis: usize| {
        let (kernel, stride, dilation) = (op.kernel[axis], op.stride[axis], op.dilation[axis]);
        pairs_inside(input.extent()[axis], stride, kernel, dilation, op.pad.before()[axis], output.extent()[axis])
    };
    ((input.n * input.c) as u64).saturating_mul(pairs(0).saturating_mul(pairs(1)))
}

/// The overrides of `phase.wgsl`: along each axis the greatest common divisor `g` of stride and dilation, and the inverse
/// of `dilation / g` modulo `stride / g`.
pub(super) fn phase_constants(op: &ConvTranspose2d) -> [(&'static str, f64); 4] {
    let [(gy, iy), (gx, ix)] = [0, 1].map(|axis| {
        let (stride, dilation) = (op.stride[axis], op.dilation[axis]);
        let g = greatest_common_divisor(stride, dilation);
        (g, inverse_modulo(dilation / g, stride / g))
    });
    [("GY", gy), ("GX", gx), ("IY", iy), ("IX", ix)].map(|(name, value)| (name, value as f64))
}

/// The most taps of a phase, along each axis.
pub(super) fn most_taps(op: &ConvTranspose2d) -> [usize; 2] {
    [0, 1].map(|axis| {
        let (stride, dilation) = (op.stride[axis], op.dilation[axis]);
        op.kernel[axis].div_ceil(stride / greatest_common_divisor(stride, dilation))
    })
}

/// What it takes on a card, in multiply-adds of a register tile: each tap loads a cell, and a weight for each of a few channels, as
/// costly as eight each (invocations skip taps on their own, so that a compiler does not see them share the weights).
pub(super) fn effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> f64 {
    let channels = channel_block(problem.weight.c as u64, MOST_CHANNELS);
    let group_tiles = (problem.weight.c as u64).div_ceil(channels);
    let cells = (problem.output.n * problem.op.groups * problem.output.plane()) as u64;
    let work = contributions(problem) as f64 * (9 * channels + 8) as f64 / cells as f64;
    card.dispatched((cells * group_tiles) as f64, channels, work, caps)
}
