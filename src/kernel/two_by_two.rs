//! 2x2 windows of step 2 over planes whose rows are whole vectors, two windows side by side at a time: how pooling and
//! unpooling alike go through them.

use crate::error::Result;
use crate::gpu::{Buffer, Caps, Kernel, Part, Step, Storage, fold_workgroups};
use crate::kernel::flat::flat_step;
use crate::kernel::{loop_iterations, params, part, rounds_within};
use crate::op::MaxPool2d;
use crate::shape::Shape;

/// Uniforms, and where the rows are.
pub(super) static TWO_BY_TWO: Part = part!("two_by_two/row.wgsl");
/// Lines of memory in their order, for kernels that go by rows.
pub(super) static UPPER_ROW: Part = part!("two_by_two/upper_row.wgsl");

/// The kernels of an operator, each for maps in f32 and in f16.
pub(super) struct Kernels {
    /// One pair an invocation: neighbours read neighbouring vectors, as GPUs like it.
    pub(super) pairs: [&'static Kernel; 2],
    /// Rows of pairs a workgroup, for CPU drivers.
    pub(super) rows: [&'static Kernel; 2],
    /// The same with words read and written as integers of 64 bits.
    pub(super) rows_u64: [&'static Kernel; 2],
}

params! {
    /// Uniforms of all of them; `two_by_two/row.wgsl` says what they mean.
    pub(super) struct Params {
        all_rows: u32,
        rows: u32,
        row_pairs: u32,
        channels: u32,
        zero: u32,
    }
}

/// Invocations of a workgroup that takes whole rows: a CPU driver's lanes.
const LANES: usize = 8;

/// Vectors of a line of memory, a word of each of which such an invocation reads first.
const LINE_VECTORS: usize = 4;

/// Pairs that such a workgroup does at least, if there are as many: what a workgroup costs is little beside.
const ENOUGH_PAIRS: usize = 896;

/// Whether windows are 2x2 of step 2, without border, and tile planes whose rows are whole vectors of four.
pub(super) fn is_pairs(op: &MaxPool2d, extent: [usize; 2]) -> bool {
    Storage::holds_compactly(op) && extent[0].is_multiple_of(2) && extent[1].is_multiple_of(4)
}

/// The dispatch over a pooled map of this shape whose values, pooled and not, lie in such a form.
///
/// # Errors
/// [`crate::Error::Limit`] as [`fold_workgroups`].
pub(super) fn step(
    op: &'static str,
    kernels: &Kernels,
    constants: &[(&'static str, f64)],
    operands: &[Buffer],
    (pooled, maps): (Shape, Storage),
    caps: &Caps,
) -> Result<Step> {
    let form = usize::from(maps == Storage::Halves);
    let rows = if caps.loads_pairs() { kernels.rows_u64[form] } else { kernels.rows[form] };
    if let Some(step) = by_rows(op, rows, constants, operands, (pooled, maps), caps)? {
        return Ok(step);
    }
    let params = params(pooled, maps);
    let pairs = params.all_rows as usize * params.row_pairs as usize;
    flat_step(kernels.pairs[form], constants, &params, operands, pairs, caps)
}

/// The dispatch of a kernel that goes by rows; none on GPUs, and where the driver would cut its loops short.
///
/// # Errors
/// [`crate::Error::Limit`] as [`fold_workgroups`].
pub(super) fn by_rows(
    op: &'static str,
    kernel: &'static Kernel,
    constants: &[(&'static str, f64)],
    operands: &[Buffer],
    (pooled, maps): (Shape, Storage),
    caps: &Caps,
) -> Result<Option<Step>> {
    let params = params(pooled, maps);
    let row_pairs = params.row_pairs as usize;
    let rows = ENOUGH_PAIRS.div_ceil(row_pairs);
    // Of lines, of pairs, and of words of compact switches, in whichever loops.
    let lines = row_pairs.div_ceil(LINE_VECTORS * LANES);
    let rounds = loop_iterations(&[rows, lines + 2 * row_pairs.div_ceil(LANES)]);
    if !caps.software || rounds_within(op, 0, rounds, caps).is_err() {
        return Ok(None);
    }
    Ok(Some(Step {
        kernel,
        constants: [constants, &[("ROWS", rows as f64), ("WORKGROUP", LANES as f64)]].concat(),
        params: bytemuck::bytes_of(&params).to_vec(),
        operands: operands.iter().copied().map(Into::into).collect(),
        workgroups: fold_workgroups((params.all_rows as usize).div_ceil(rows) as u64, caps)?,
    }))
}

fn params(pooled: Shape, maps: Storage) -> Params {
    Params {
        all_rows: (maps.planes(pooled) * pooled.h) as u32,
        rows: pooled.h as u32,
        row_pairs: (pooled.w / 2) as u32,
        channels: pooled.c as u32,
        zero: 0,
    }
}

#[cfg(test)]
impl Kernels {
    /// All of them with their uniforms, for the checks.
    pub(super) fn exhibited(&self) -> impl Iterator<Item = super::checks::ParamsExhibit> {
        let all = [self.pairs, self.rows, self.rows_u64].concat();
        all.into_iter().map(|kernel| (kernel, Params::FIELDS))
    }
}
