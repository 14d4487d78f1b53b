//! `Variant::Direct`: the definition, a few output channels of one cell an invocation.

use std::ops::Range;

use super::choice::load;
use super::tiled::workgroup;
use super::{OP, Operands, Problem, Variant};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Step, fold_workgroups};
use crate::kernel::axis::pairs_inside;
use crate::kernel::card::Card;
use crate::kernel::flat::window_constants;
use crate::kernel::shards::{Rows, Shard};
use crate::kernel::{ACTIVATION, INDEX, TAPS, WORKGROUP, channel_block, loop_iterations, params, part, rounds_within};

/// The most output channels that an invocation of `conv2d/direct` computes: what registers hold without spilling.
const MOST_CHANNELS: u64 = 8;

pub(super) static DIRECT: Kernel = Kernel {
    name: "conv2d/direct",
    parts: &[&INDEX, &ACTIVATION, &TAPS, &part!("conv2d/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

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
        first_input: u32,
        end_input: u32,
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

/// One dispatch a shard of the weight, as [`steps`] makes them.
///
/// # Errors
/// [`Error::Limit`](crate::Error::Limit) where one output channel's weights exceed a binding.
pub(super) fn plan(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<KernelPlan> {
    Ok(KernelPlan {
        variant: Variant::Direct.name(),
        executed_macs: macs(problem),
        run: steps(problem, operands, caps)?,
        ..KernelPlan::default()
    })
}

/// What it takes on a card, in multiply-adds of a register tile: each tap loads a cell for a few channels, in whole vectors of
/// lanes; taps at which no window is inside the map are not visited.
pub(super) fn effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> f64 {
    let &Problem { op, weight, output, .. } = problem;
    let group_channels = problem.group_outputs();
    let channels = channel_block(group_channels, MOST_CHANNELS);
    let tiles = op.groups as u64 * group_channels.div_ceil(channels);
    let cells = (output.plane() as u64).next_multiple_of(workgroup(caps));
    let invocations = output.n as f64 * cells as f64 * tiles as f64;
    let taps = [0, 1].map(|axis| taps_reached(problem, axis));
    let terms = (weight.c * taps[0] * taps[1]) as f64;
    card.dispatched(invocations, channels, terms * (channels as f64 + load(caps)), caps)
}

/// Taps along an axis at which some window is inside the map.
fn taps_reached(&Problem { op, input, output, .. }: &Problem<'_>, axis: usize) -> usize {
    let (stride, before) = (op.stride[axis], op.pad.before()[axis]);
    let last_start = (output.extent()[axis] - 1) * stride;
    let inside = |tap: &usize| {
        let offset = tap * op.dilation[axis];
        let first_start = before.saturating_sub(offset).next_multiple_of(stride);
        first_start <= last_start && first_start + offset < before + input.extent()[axis]
    };
    (0..op.kernel[axis]).filter(inside).count()
}

/// The dispatches: one a shard of the weight, or several that add to each other's sums, each over some of the input
/// channels, where the driver bounds the iterations of a shader's loops.
pub(in crate::kernel) fn steps(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<Vec<Step>> {
    let &Problem { op, input, weight, output } = problem;
    let groups = op.groups as u64;
    let group_outputs = problem.group_outputs();
    let rows = Rows {
        what: "conv2d: the weight of one output channel",
        groups,
        group_rows: group_outputs,
        words: (weight.elements() / weight.n) as u64,
        most_group_rows: group_outputs,
    };
    let shards = rows.shards(caps)?;
    let runs = runs_of_inputs(weight.c, op.kernel, caps)?;
    let channels = channel_block(group_outputs, MOST_CHANNELS);
    let step = |shard: &Shard, inputs: &Range<usize>| {
        let cell_tiles = (output.plane() as u64).div_ceil(u64::from(WORKGROUP));
        let group_tiles = shard.group_rows.div_ceil(channels);
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
            first_input: inputs.start as u32,
            end_input: inputs.end as u32,
            group_outputs: shard.group_rows as u32,
            first_group: shard.first_group as u32,
            first_channel: shard.first_row as u32,
            weight_offset: shard.offset as u32,
            cell_tiles: cell_tiles as u32,
            group_tiles: group_tiles as u32,
            channel_tiles: channel_tiles as u32,
            tiles: tiles as u32,
        };
        let last = inputs.end == weight.c;
        let bias = if last { operands.bias } else { Buffer::Absent };
        let own = [
            ("ACCUMULATE", f64::from(inputs.start > 0)),
            ("BIAS", f64::from(bias != Buffer::Absent)),
            ("RELU", f64::from(op.relu && last)),
            ("CHANNELS", channels as f64),
            ("WORKGROUP", f64::from(WORKGROUP)),
        ];
        Ok(Step {
            kernel: &DIRECT,
            constants: [window_constants(op.kernel, op.stride, op.dilation).as_slice(), &own].concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: vec![operands.input.into(), shard.part_of(operands.weight), bias.into(), operands.output.into()],
            workgroups: fold_workgroups(tiles, caps)?,
        })
    };
    shards.iter().flat_map(|shard| runs.iter().map(move |inputs| (shard, inputs))).map(|(s, i)| step(s, i)).collect()
}

/// Runs of a group's input channels whose loops over channels, kernel rows and columns a driver lets end.
///
/// # Errors
/// [`crate::Error::Unsupported`] where it cuts even one channel's loops short.
fn runs_of_inputs(inputs: usize, kernel: [usize; 2], caps: &Caps) -> Result<Vec<Range<usize>>> {
    let most = rounds_within(OP, 0, 1 + loop_iterations(&kernel), caps)?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    Ok((0..inputs).step_by(most).map(|start| start..inputs.min(start.saturating_add(most))).collect())
}

/// Multiply-adds of `conv2d/direct`: taps inside the input only, channels rounded up to tiles.
pub(in crate::kernel) fn macs(problem: &Problem<'_>) -> u64 {
    let &Problem { op, input, weight, output } = problem;
    let taps = |axis: usize| {
        let (kernel, stride, dilation) = (op.kernel[axis], op.stride[axis], op.dilation[axis]);
        pairs_inside(output.extent()[axis], stride, kernel, dilation, op.pad.before()[axis], input.extent()[axis])
    };
    let group_channels = problem.group_outputs();
    let channels = group_channels.next_multiple_of(channel_block(group_channels, MOST_CHANNELS)) * op.groups as u64;
    (output.n as u64 * channels * weight.c as u64).saturating_mul(taps(0).saturating_mul(taps(1)))
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    vec![(&DIRECT, Params::FIELDS)]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::op::Conv2d;
    use crate::shape::{Padding, Shape};

    fn direct(op: &Conv2d, input: [usize; 4], channels: usize) -> KernelPlan {
        let weight = op.weight_shape(input[1], channels).unwrap();
        super::super::plan(op, input.into(), weight, None, Some(Variant::Direct), &Caps::WEBGPU).unwrap()
    }

    #[test]
    fn a_block_fits_the_shaders_arrays() {
        assert_eq!(crate::kernel::checks::constant(&DIRECT, "MOST_CHANNELS"), MOST_CHANNELS);
    }

    #[test]
    fn fc6_is_split_under_webgpu_limits() {
        // 392 MiB, more than a buffer; 98 KiB an output channel, so that 1337 of them fit a binding.
        let plan = direct(&Conv2d::new([7, 7]), [1, 512, 22, 22], 4096);
        let runs: Vec<_> = plan.run.iter().map(|step| step.operands[1].words.clone().unwrap()).collect();
        let row = 512 * 49;
        assert_eq!(runs, [0..1337 * row, 1337 * row..2674 * row, 2674 * row..4011 * row, 4011 * row..4096 * row]);
    }

    #[test]
    fn taps_that_no_window_has_inside_cost_nothing() {
        for (kernel, stride, dilation, pad, cells) in
            [(7, 1, 1, 3, 1), (7, 1, 1, 3, 3), (7, 2, 1, 3, 3), (3, 4, 3, 3, 2), (5, 3, 2, 4, 7), (1, 2, 1, 0, 9)]
        {
            let op = Conv2d::new([1, kernel]).stride([1, stride]).dilation([1, dilation]);
            let op = op.pad(Padding { left: pad, right: pad, ..Padding::default() });
            let input: Shape = [1, 1, 1, cells].into();
            let weight = [1, 1, 1, kernel].into();
            let output = op.output_shape(input, weight, None).unwrap();
            let problem = Problem { op: &op, input, weight, output };
            let inside = |start: usize, tap: usize| (pad..pad + cells).contains(&(start + tap * dilation));
            let reached = |tap: &usize| (0..output.w).any(|cell| inside(cell * stride, *tap));
            assert_eq!(taps_reached(&problem, 1), (0..kernel).filter(reached).count(), "{op:?}");
        }
    }

    #[test]
    fn taps_outside_the_input_are_not_computed() {
        // A 3x3 window over a padded 3x3 map has 3 rows inside in the middle, 2 at both edges: 7 of 9, along both axes.
        let plan = direct(&Conv2d::new([3, 3]).pad(1), [1, 5, 3, 3], 8);
        assert_eq!(plan.executed_macs, 7 * 7 * 5 * 8);
        // One pixel in a border of 100, as in FCN: 3x3 of the outputs see it.
        let plan = direct(&Conv2d::new([3, 3]).pad(100), [1, 1, 1, 1], 1);
        assert_eq!(plan.executed_macs, 9);
    }
}
