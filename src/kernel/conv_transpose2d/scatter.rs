//! [`Variant::Scatter`](super::Variant::Scatter): each input cell adds to the output cells that it reaches.

use super::gather::contributions;
use super::{OP, Problem};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Step, fold_workgroups};
use crate::kernel::flat::{flat_step, window_constants};
use crate::kernel::{
    ACTIVATION, INDEX, TAPS, WORKGROUP, channel_block, loop_iterations, params, part, rounds_within, zero,
};

/// Adds by the device's own atomic addition of f32.
pub(super) static SCATTER: Kernel = Kernel {
    name: "conv_transpose2d/scatter",
    parts: &[&INDEX, &TAPS, &part!("conv_transpose2d/add_float.wgsl"), &part!("conv_transpose2d/scatter.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: true,
};

/// Adds by compare and exchange, for devices without it.
pub(super) static SCATTER_EXCHANGE: Kernel = Kernel {
    name: "conv_transpose2d/scatter_exchange",
    parts: &[&INDEX, &TAPS, &part!("conv_transpose2d/add_exchange.wgsl"), &part!("conv_transpose2d/scatter.wgsl")],
    needs_float_atomics: false,
    ..SCATTER
};

pub(super) static FINISH: Kernel = Kernel {
    name: "conv_transpose2d/finish",
    parts: &[&INDEX, &ACTIVATION, &part!("conv_transpose2d/finish.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// The most output channels that an invocation scatters to: what registers hold without spilling.
pub(super) const MOST_CHANNELS: u64 = 8;

params! {
    /// Uniforms of `conv_transpose2d/scatter`; the shader says what they mean.
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
        cell_tiles: u32,
        group_tiles: u32,
        channel_tiles: u32,
        tiles: u32,
    }
}

params! {
    /// Uniforms of `conv_transpose2d/finish`; the shader says what they mean.
    pub(super) struct FinishParams {
        channels: u32,
        cells: u32,
        elements: u32,
    }
}

pub(super) fn plan(problem: &Problem<'_>, caps: &Caps) -> Result<KernelPlan> {
    let &Problem { op, input, weight, output, .. } = problem;
    let channels = channel_block(weight.c as u64, MOST_CHANNELS);
    let group_tiles = (weight.c as u64).div_ceil(channels);
    let cell_tiles = (input.plane() as u64).div_ceil(u64::from(WORKGROUP));
    let mut run = vec![zero::step(Buffer::Output(0), output.elements(), caps)?];
    let taps = (op.kernel[0] * op.kernel[1]) as u64;
    // A compare and exchange is a loop itself.
    let exchanges = if caps.float_atomics { 0 } else { channels };
    let besides = loop_iterations(&op.kernel) + taps * (1 + exchanges);
    let inputs = rounds_within(OP, besides, taps, caps)?;
    run.extend(problem.split(inputs, caps, |shard, weights, _| {
        let channel_tiles = shard.groups * group_tiles;
        let tiles = input.n as u64 * channel_tiles * cell_tiles;
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
            cell_tiles: cell_tiles as u32,
            group_tiles: group_tiles as u32,
            channel_tiles: channel_tiles as u32,
            tiles: tiles as u32,
        };
        let own = [("CHANNELS", channels as f64), ("WORKGROUP", f64::from(WORKGROUP))];
        Ok(Step {
            kernel: if caps.float_atomics { &SCATTER } else { &SCATTER_EXCHANGE },
            constants: [window_constants(op.kernel, op.stride, op.dilation).as_slice(), &own].concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: vec![Buffer::Input(0).into(), weights, Buffer::Output(0).into()],
            workgroups: fold_workgroups(tiles, caps)?,
        })
    })?);
    if problem.bias || op.relu {
        let constants = [("BIAS", f64::from(problem.bias)), ("RELU", f64::from(op.relu))];
        let params = FinishParams {
            channels: output.c as u32,
            cells: output.plane() as u32,
            elements: output.elements() as u32,
        };
        let operands = [problem.bias(), Buffer::Output(0)];
        run.push(flat_step(&FINISH, &constants, &params, &operands, output.elements(), caps)?);
    }
    let executed_macs = contributions(problem).saturating_mul(group_tiles * channels);
    Ok(KernelPlan { executed_macs, run, ..KernelPlan::default() })
}
