//! [`Variant::Interpolate`](super::Variant::Interpolate): one channel a group, each output cell between four input cells.

use super::{OP, Problem, interpolate_pairs};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Part, Step, fold_workgroups};
use crate::kernel::argmax_channels::BEST;
use crate::kernel::conv2d::{Form, not_in_half};
use crate::kernel::{ACTIVATION, INDEX, NARROW, RANK, loop_iterations, params, part, rounds_within};

static BLEND: Part = part!("conv_transpose2d/blend.wgsl");
static CORNER_F32: Part = part!("conv_transpose2d/corner_f32.wgsl");
static CORNER_HALF: Part = part!("conv_transpose2d/corner_half.wgsl");
static MAIN: Part = part!("conv_transpose2d/interpolate.wgsl");
static ARGMAX_MAIN: Part = part!("conv_transpose2d/interpolate_argmax.wgsl");

pub(super) static INTERPOLATE: Kernel = Kernel {
    name: "conv_transpose2d/interpolate",
    parts: &[&INDEX, &ACTIVATION, &BLEND, &CORNER_F32, &part!("conv_transpose2d/strip_f32.wgsl"), &MAIN],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// The same for maps in f16.
pub(super) static INTERPOLATE_HALF: Kernel = Kernel {
    name: "conv_transpose2d/interpolate_half",
    parts: &[&INDEX, &ACTIVATION, &NARROW, &BLEND, &CORNER_HALF, &part!("conv_transpose2d/strip_half.wgsl"), &MAIN],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

/// The same, of which only the class of each pixel is kept.
pub(super) static INTERPOLATE_ARGMAX: Kernel = Kernel {
    name: "conv_transpose2d/interpolate_argmax",
    parts: &[&INDEX, &ACTIVATION, &RANK, &BEST, &BLEND, &CORNER_F32, &ARGMAX_MAIN],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// The same of a map in f16.
pub(super) static INTERPOLATE_ARGMAX_HALF: Kernel = Kernel {
    name: "conv_transpose2d/interpolate_argmax_half",
    parts: &[&INDEX, &ACTIVATION, &RANK, &BEST, &BLEND, &CORNER_HALF, &ARGMAX_MAIN],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of these kernels; the shaders say what they mean.
    pub(super) struct Params {
        channels: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
        column_tiles: u32,
        strips: u32,
        tiles: u32,
    }
}

/// Whether each group has one channel on both sides, and at most two taps a side reach an output cell.
pub(super) fn applies(problem: &Problem<'_>) -> bool {
    let op = problem.op;
    let short = (0..2).all(|axis| op.kernel[axis] <= 2 * op.stride[axis]);
    problem.group_inputs() == 1 && problem.weight.c == 1 && op.dilation == [1, 1] && short
}

/// One dispatch; weights are in f32 in either form.
///
/// # Errors
/// [`Error::Unsupported`] for several channels a group, a longer kernel or a dilation, and from f16 into f32; [`Error::Limit`]
/// where a binding does not hold the weight.
pub(super) fn plan(problem: &Problem<'_>, form: Form, caps: &Caps) -> Result<KernelPlan> {
    let &Problem { op, weight, output, .. } = problem;
    if !applies(problem) {
        return Err(Error::Unsupported {
            what: format!("{OP} as interpolation"),
            why: format!(
                "that is for one channel a group, dilation 1 and kernels up to twice the stride, not for weight {weight}, \
                 stride {:?}, dilation {:?}, {} groups",
                op.stride, op.dilation, op.groups
            ),
            way_out: "use gather, or none, which chooses by shape".to_owned(),
        });
    }
    crate::kernel::check_binding(OP, "weight", weight, caps)?;
    if form != Form::HalvesToWords && interpolate_pairs::applies(problem, caps) {
        let (step, executed_macs) = interpolate_pairs::step(problem, form == Form::Halves, caps)?;
        return Ok(KernelPlan { executed_macs, run: vec![step], ..KernelPlan::default() });
    }
    let [sy, sx] = op.stride;
    // A CPU driver wants long-running invocations, a GPU many, whose neighbours write neighbouring cells.
    let (tile, columns) = match tile_columns(sx) {
        tile if caps.software => (tile, sx),
        4 => (1, 1),
        tile => (tile, sx),
    };
    let rows = if caps.software { sy } else { strip_rows(sy, 4 / tile) };
    rounds_within(OP, 0, loop_iterations(&[rows, columns]), caps)?;
    let (kernel, planes) = match form {
        Form::Words => (&INTERPOLATE, output.c),
        Form::Halves => (&INTERPOLATE_HALF, output.c.div_ceil(2)),
        Form::HalvesToWords => return Err(not_in_half(OP, "interpolation writes what it reads, f16")),
    };
    let strips = Strips { kernel, rows, columns, tile, planes: output.n * planes, result: Buffer::Output(0) };
    let (mut step, cells) = strips.step(problem, caps)?;
    step.constants.push(("COLUMNS", columns as f64));
    let taps = [0, 1].map(|axis| op.kernel[axis].div_ceil(op.stride[axis]));
    let channels = if form == Form::Halves { 2 } else { 1 };
    let executed_macs = channels * cells * (taps[0] * taps[1]) as u64;
    Ok(KernelPlan { executed_macs, run: vec![step], ..KernelPlan::default() })
}

/// One dispatch that leaves the class of each pixel in `classes`, a word each; and its multiply-adds.
///
/// # Errors
/// As [`plan`].
pub(super) fn classify(problem: &Problem<'_>, half: bool, classes: Buffer, caps: &Caps) -> Result<(Step, u64)> {
    let &Problem { op, output, .. } = problem;
    let planned = plan(problem, Form::Words, caps)?;
    let [sy, sx] = op.stride;
    let tile = tile_columns(sx);
    let rows = if caps.software { sy } else { strip_rows(sy, 16 / tile) };
    rounds_within(OP, 0, loop_iterations(&[rows, sx, output.c]), caps)?;
    let kernel = if half { &INTERPOLATE_ARGMAX_HALF } else { &INTERPOLATE_ARGMAX };
    let strips = Strips { kernel, rows, columns: sx, tile, planes: output.n, result: classes };
    Ok((strips.step(problem, caps)?.0, planned.executed_macs))
}

/// Columns of the four cells that are computed at once.
const fn tile_columns(stride: usize) -> usize {
    match stride {
        1 => 1,
        2 | 3 => 2,
        _ => 4,
    }
}

/// Rows of a strip where many invocations are wanted: as many as are computed at once, if they divide the stride.
const fn strip_rows(stride: usize, at_once: usize) -> usize {
    if stride.is_multiple_of(at_once) { at_once } else { stride }
}

/// How a dispatch divides its output: invocations do `rows` by `columns` cells, four at once in `tile` columns, `planes` times.
struct Strips {
    kernel: &'static Kernel,
    rows: usize,
    columns: usize,
    tile: usize,
    planes: usize,
    result: Buffer,
}

impl Strips {
    /// The dispatch, and how many cells it computes, those outside the output included.
    fn step(&self, problem: &Problem<'_>, caps: &Caps) -> Result<(Step, u64)> {
        let &Problem { op, input, output, .. } = problem;
        let &Self { kernel, rows, columns, tile, planes, result } = self;
        let [sy, sx] = op.stride;
        let lanes: u32 = match columns {
            _ if caps.software => 8,
            columns if columns < sx => 64,
            _ => 32,
        };
        // Rows and columns as counted with the border that is cut off.
        let strips = (output.h + op.pad.top).div_ceil(sy) * (sy / rows);
        let row_strips = (output.w + op.pad.left).div_ceil(sx) * (sx / columns);
        let column_tiles = row_strips.div_ceil(lanes as usize);
        let tiles = (planes * strips) as u64 * column_tiles as u64;
        let params = Params {
            channels: output.c as u32,
            in_h: input.h as u32,
            in_w: input.w as u32,
            out_h: output.h as u32,
            out_w: output.w as u32,
            pad_top: op.pad.top as u32,
            pad_left: op.pad.left as u32,
            column_tiles: column_tiles as u32,
            strips: strips as u32,
            tiles: tiles as u32,
        };
        let tiles_divide = sx.is_multiple_of(tile) && sy.is_multiple_of(4 / tile);
        let whole = op.kernel == [2 * sy, 2 * sx] && tiles_divide && rows.is_multiple_of(4 / tile);
        let constants = [
            ("KH", op.kernel[0] as f64),
            ("KW", op.kernel[1] as f64),
            ("SY", sy as f64),
            ("SX", sx as f64),
            ("BIAS", f64::from(problem.bias)),
            ("RELU", f64::from(op.relu)),
            ("ROWS", rows as f64),
            ("TILE_COLUMNS", tile as f64),
            ("WHOLE", f64::from(whole)),
            ("WORKGROUP", f64::from(lanes)),
        ];
        let mut operands = vec![Buffer::Input(0), Buffer::Input(1), problem.bias(), result];
        operands.extend((kernel.bindings.len() > 5).then_some(Buffer::Overflow));
        let step = Step {
            kernel,
            constants: constants.to_vec(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: operands.into_iter().map(Into::into).collect(),
            workgroups: fold_workgroups(tiles, caps)?,
        };
        Ok((step, tiles * u64::from(lanes) * (rows * columns) as u64))
    }
}
