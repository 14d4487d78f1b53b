//! `Variant::Direct`: the definition, a few output channels of one cell an invocation, or, on GPUs, sixteen of two.

mod division;

use std::ops::Range;

use super::forms::{BINDINGS, BINDINGS_HALF, OPERANDS_F32, OPERANDS_HALF, RESULT_F32, RESULT_HALF};
use super::{Form, OP, Operands, Problem, Variant};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Operand, Part, Step, fold_workgroups};
use crate::kernel::axis::pairs_inside;
use crate::kernel::card::Card;
use crate::kernel::flat::window_constants;
use crate::kernel::shards::{Rows, Shard};
use crate::kernel::{ACTIVATION, INDEX, NARROW, TAPS, loop_iterations, params, part, rounds_within};
use division::Division;

/// The most output channels that an invocation of `conv2d/direct` computes: what registers hold without spilling.
const MOST_CHANNELS: u64 = 8;

/// Output channels of an invocation of `conv2d/direct_staged`.
const STAGED_CHANNELS: u64 = 16;

static OPERANDS: Part = part!("conv2d/direct_operands.wgsl");
static CELLS: Part = part!("conv2d/direct_cells.wgsl");
static CELLS_HALF: Part = part!("conv2d/direct_cells_half.wgsl");
static STORE: Part = part!("conv2d/direct_store.wgsl");
static STORE_HALF: Part = part!("conv2d/direct_store_half.wgsl");
static STAGED_MAIN: Part = part!("conv2d/direct_staged.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part], bindings: &'static [Access]) -> Kernel {
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

pub(super) static DIRECT: Kernel = kernel(
    "conv2d/direct",
    &[&INDEX, &ACTIVATION, &TAPS, &OPERANDS, &OPERANDS_F32, &RESULT_F32, &part!("conv2d/direct.wgsl")],
    BINDINGS,
);

/// The same with weights in workgroup memory, for GPUs.
pub(super) static DIRECT_STAGED: Kernel = kernel(
    "conv2d/direct_staged",
    &[&INDEX, &ACTIVATION, &TAPS, &OPERANDS, &OPERANDS_F32, &CELLS, &RESULT_F32, &STORE, &STAGED_MAIN],
    BINDINGS,
);

/// The same for maps in f16, weights in f32.
pub(super) static DIRECT_STAGED_HALF: Kernel = kernel(
    "conv2d/direct_staged_half",
    &[
        &INDEX,
        &ACTIVATION,
        &TAPS,
        &OPERANDS,
        &OPERANDS_HALF,
        &CELLS_HALF,
        &NARROW,
        &RESULT_HALF,
        &STORE_HALF,
        &STAGED_MAIN,
    ],
    BINDINGS_HALF,
);

/// The same for a result in f32.
pub(super) static DIRECT_STAGED_HALF_F32: Kernel = kernel(
    "conv2d/direct_staged_half_f32",
    &[&INDEX, &ACTIVATION, &TAPS, &OPERANDS, &OPERANDS_HALF, &CELLS_HALF, &RESULT_F32, &STORE, &STAGED_MAIN],
    BINDINGS,
);

params! {
    /// Uniforms of all of them; `conv2d/direct_operands.wgsl` says what they mean.
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

/// One dispatch a shard of the weight, or several that each sum over some of the input channels; in f16 one.
///
/// # Errors
/// [`Error::Limit`](crate::Error::Limit) where one output channel's weights exceed a binding;
/// [`Error::Unsupported`](crate::Error::Unsupported) for a map in f16 that staged weights are not for.
pub(super) fn plan(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<KernelPlan> {
    let division = Division::of(problem, operands.form, caps)?;
    Ok(KernelPlan {
        variant: Variant::Direct.name(),
        executed_macs: division.macs(problem),
        run: divided(&division, problem, operands, caps)?,
        ..KernelPlan::default()
    })
}

/// What it takes on a card for maps in such a form, in multiply-adds of a register tile. `None` where it does not apply.
pub(super) fn effort(problem: &Problem<'_>, form: Form, card: Card, caps: &Caps) -> Option<f64> {
    Some(Division::of(problem, form, caps).ok()?.effort(problem, card, caps))
}

/// The same by `conv2d/direct`, whatever the device.
pub(super) fn plain_effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> f64 {
    Division::plain(problem).effort(problem, card, caps)
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

/// The dispatches of `conv2d/direct`, whatever the device.
///
/// # Errors
/// As [`plan`].
pub(in crate::kernel) fn steps(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<Vec<Step>> {
    divided(&Division::plain(problem), problem, operands, caps)
}

/// The dispatches: one a shard of the weight, or several that add to each other's sums, each over some of the input
/// channels, where the driver bounds the iterations of a shader's loops.
fn divided(division: &Division, problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<Vec<Step>> {
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
    let cell_tiles = division.cell_tiles(problem);
    let step = |shard: &Shard, inputs: &Range<usize>| {
        let group_tiles = shard.group_rows.div_ceil(division.channels);
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
        let ending = [("BIAS", f64::from(bias != Buffer::Absent)), ("RELU", f64::from(op.relu && last))];
        let window = window_constants(op.kernel, op.stride, op.dilation);
        Ok(Step {
            kernel: division.kernel,
            constants: [window.as_slice(), &ending, &division.constants(problem, inputs.start > 0)].concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: bindings(&Operands { bias, ..operands }, shard),
            workgroups: fold_workgroups(tiles, caps)?,
        })
    };
    shards.iter().flat_map(|shard| runs.iter().map(move |inputs| (shard, inputs))).map(|(s, i)| step(s, i)).collect()
}

/// Bindings from 1 on.
fn bindings(operands: &Operands, shard: &Shard) -> Vec<Operand> {
    let overflow = (operands.form == Form::Halves).then_some(Buffer::Overflow.into());
    let Operands { input, weight, bias, output, .. } = *operands;
    [input.into(), shard.part_of(weight), bias.into(), output.into()].into_iter().chain(overflow).collect()
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

/// Multiply-adds of [`steps`].
pub(in crate::kernel) fn macs(problem: &Problem<'_>) -> u64 {
    Division::plain(problem).macs(problem)
}

/// Taps along an axis that are inside the input, over all windows.
fn taps_inside(&Problem { op, input, output, .. }: &Problem<'_>, axis: usize) -> u64 {
    let (kernel, stride, dilation) = (op.kernel[axis], op.stride[axis], op.dilation[axis]);
    pairs_inside(output.extent()[axis], stride, kernel, dilation, op.pad.before()[axis], input.extent()[axis])
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    [&DIRECT, &DIRECT_STAGED, &DIRECT_STAGED_HALF, &DIRECT_STAGED_HALF_F32]
        .map(|kernel| (kernel, Params::FIELDS))
        .into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::super::check_half_groups;
    use super::*;
    use crate::common::adapter;
    use crate::common::problem::{ConvOperands, conv2d_cases};
    use crate::gpu::{Storage, from_halves, to_halves};
    use crate::kernel::pairs::words_of;
    use crate::op::Conv2d;
    use crate::reference::{self, half_tensor};
    use crate::shape::{Padding, Shape};
    use crate::tensor::Tensor;

    fn direct(op: &Conv2d, input: [usize; 4], channels: usize) -> KernelPlan {
        let weight = op.weight_shape(input[1], channels).unwrap();
        super::super::plan(op, input.into(), weight, None, Some(Variant::Direct), &Caps::WEBGPU).unwrap()
    }

    #[test]
    fn blocks_are_those_of_the_shaders() {
        assert_eq!(crate::kernel::checks::constant(&DIRECT, "MOST_CHANNELS"), MOST_CHANNELS);
        assert_eq!(crate::kernel::checks::constant(&DIRECT_STAGED, "CHANNELS"), STAGED_CHANNELS);
    }

    /// Every named problem by staged weights, worth it or not, in f16: whole numbers, fractions over weights that are not rounded, and
    /// NaNs and infinities.
    #[test]
    fn named_problems_in_f16() {
        let Some(gpu) = adapter::gpu() else { return };
        for problem in conv2d_cases() {
            let output = problem.output_shape().unwrap();
            let [integers, fractions, specials] = [problem.integers(1), problem.reals(2), problem.specials(3)];
            let [input, weight] = [integers.x.shape(), integers.w.shape()];
            if check_half_groups(OP, problem.op.groups, weight.c, weight.n / problem.op.groups).is_err() {
                continue;
            }
            let (convolution, form) = (Problem { op: &problem.op, input, weight, output }, Form::Halves);
            let staged = Division::staged(&convolution, form, gpu.caps()).unwrap();
            let operands = Operands { form, ..Operands::with_bias(problem.bias) };
            let run = divided(&staged, &convolution, operands, gpu.caps()).unwrap();
            let plan = KernelPlan { run, ..KernelPlan::default() };
            for ConvOperands { x, w, bias } in [integers, fractions, specials] {
                let answer = reference::conv2d(&problem.op, &half_tensor(&x), &w, bias.as_ref()).unwrap();
                let mut words = vec![to_halves(x.data(), x.shape())];
                words.extend([Some(w), bias].iter().flatten().map(bits));
                let words: Vec<&[u32]> = words.iter().map(Vec::as_slice).collect();
                let found = words_of(&gpu, &plan, &words, &[Storage::Halves.words(output)]);
                let found = Tensor::new(output, from_halves(&found[0], output)).unwrap();
                let checked = answer.in_half().check(&found);
                checked.unwrap_or_else(|mismatch| panic!("{}: {mismatch}: {problem:?}", problem.because));
            }
        }
    }

    fn bits(tensor: &Tensor) -> Vec<u32> {
        tensor.data().iter().map(|value| value.to_bits()).collect()
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
