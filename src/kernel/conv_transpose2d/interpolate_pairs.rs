//! Interpolation by a kernel of twice the stride on a CPU driver: two cells of a row and four rows of cells at a time.

use super::{OP, Problem};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, Part, Step, fold_workgroups};
use crate::kernel::{
    ACTIVATION, INDEX, NARROW, NARROW_TWO, VECTORS, VECTORS_U64, loop_iterations, params, part, rounds_within,
};

static PAIR_F32: Part = part!("conv_transpose2d/pair_f32.wgsl");
static PAIR_HALF: Part = part!("conv_transpose2d/pair_half.wgsl");
static MAIN: Part = part!("conv_transpose2d/interpolate_pairs.wgsl");

const F32: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write];
const HALF: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write, Access::Write];

const fn kernel(name: &'static str, parts: &'static [&'static Part], bindings: &'static [Access]) -> Kernel {
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

static PAIRS: Kernel =
    kernel("conv_transpose2d/interpolate_pairs", &[&INDEX, &ACTIVATION, &VECTORS, &PAIR_F32, &MAIN], F32);
static PAIRS_U64: Kernel =
    kernel("conv_transpose2d/interpolate_pairs_u64", &[&INDEX, &ACTIVATION, &VECTORS_U64, &PAIR_F32, &MAIN], F32);
static PAIRS_HALF: Kernel = kernel(
    "conv_transpose2d/interpolate_pairs_half",
    &[&INDEX, &ACTIVATION, &NARROW, &NARROW_TWO, &VECTORS, &PAIR_HALF, &MAIN],
    HALF,
);
static PAIRS_HALF_U64: Kernel = kernel(
    "conv_transpose2d/interpolate_pairs_half_u64",
    &[&INDEX, &ACTIVATION, &NARROW, &NARROW_TWO, &VECTORS_U64, &PAIR_HALF, &MAIN],
    HALF,
);

pub(crate) static KERNELS: &[&Kernel] = &[&PAIRS, &PAIRS_U64, &PAIRS_HALF, &PAIRS_HALF_U64];

params! {
    /// Uniforms of these kernels; the shader says what they mean.
    pub(super) struct Params {
        channels: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
        columns: u32,
        plane_tiles: u32,
        tiles: u32,
    }
}

/// Invocations of a workgroup: a CPU driver's lanes.
const LANES: usize = 8;

/// Rows of cells of the input that an invocation goes through.
const ROWS: usize = 4;

/// Whether the device is a CPU driver, every output cell has four taps, and pairs of cells begin at even columns.
pub(super) fn applies(problem: &Problem<'_>, caps: &Caps) -> bool {
    let &Problem { op, output, .. } = problem;
    let [sy, sx] = op.stride;
    let even = [sx, output.w, op.pad.left].iter().all(|columns| columns.is_multiple_of(2));
    caps.software && op.kernel == [2 * sy, 2 * sx] && even
}

/// The dispatch over maps in f16 or in f32, and its multiply-adds.
///
/// # Errors
/// [`crate::Error::Limit`] where it takes too many workgroups; [`crate::Error::Unsupported`] where the driver ends its loops.
pub(super) fn step(problem: &Problem<'_>, half: bool, caps: &Caps) -> Result<(Step, u64)> {
    let &Problem { op, input, output, .. } = problem;
    let [sy, sx] = op.stride;
    rounds_within(OP, 0, loop_iterations(&[sy, sx / 2]), caps)?;
    let planes = output.n * if half { output.c.div_ceil(2) } else { output.c };
    // Rows and columns as counted with the border that is cut off.
    let strips = (output.h + op.pad.top).div_ceil(sy).div_ceil(ROWS);
    let columns = (output.w + op.pad.left).div_ceil(sx);
    let plane_tiles = (strips * columns).div_ceil(LANES);
    let tiles = (planes * plane_tiles) as u64;
    let params = Params {
        channels: output.c as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        pad_top: op.pad.top as u32,
        pad_left: op.pad.left as u32,
        columns: columns as u32,
        plane_tiles: plane_tiles as u32,
        tiles: tiles as u32,
    };
    let constants = vec![
        ("SY", sy as f64),
        ("SX", sx as f64),
        ("BIAS", f64::from(problem.bias)),
        ("RELU", f64::from(op.relu)),
        ("WORKGROUP", LANES as f64),
    ];
    let kernel = match (half, caps.loads_pairs()) {
        (false, false) => &PAIRS,
        (false, true) => &PAIRS_U64,
        (true, false) => &PAIRS_HALF,
        (true, true) => &PAIRS_HALF_U64,
    };
    let mut operands = vec![Buffer::Input(0), Buffer::Input(1), problem.bias(), Buffer::Output(0)];
    operands.extend(half.then_some(Buffer::Overflow));
    let step = Step {
        kernel,
        constants,
        params: bytemuck::bytes_of(&params).to_vec(),
        operands: operands.into_iter().map(Into::into).collect(),
        workgroups: fold_workgroups(tiles, caps)?,
    };
    let channels = if half { 2 } else { 1 };
    Ok((step, tiles * (channels * LANES * ROWS * sy * sx * 4) as u64))
}
