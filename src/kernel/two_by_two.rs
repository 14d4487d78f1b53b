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
    }
}

/// Invocations of a workgroup that takes whole rows: a CPU driver's lanes.
const LANES: usize = 8;

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
    let row_pairs = pooled.w / 2;
    let all_rows = maps.planes(pooled) * pooled.h;
    let params = Params {
        all_rows: all_rows as u32,
        rows: pooled.h as u32,
        row_pairs: row_pairs as u32,
        channels: pooled.c as u32,
    };
    let rows = ENOUGH_PAIRS.div_ceil(row_pairs);
    let rounds = loop_iterations(&[rows, row_pairs.div_ceil(2 * LANES)]);
    if !caps.software || rounds_within(op, 0, rounds, caps).is_err() {
        return flat_step(kernels.pairs[form], constants, &params, operands, all_rows * row_pairs, caps);
    }
    Ok(Step {
        kernel: if caps.loads_pairs() { kernels.rows_u64[form] } else { kernels.rows[form] },
        constants: [constants, &[("ROWS", rows as f64), ("WORKGROUP", LANES as f64)]].concat(),
        params: bytemuck::bytes_of(&params).to_vec(),
        operands: operands.iter().copied().map(Into::into).collect(),
        workgroups: fold_workgroups(all_rows.div_ceil(rows) as u64, caps)?,
    })
}

#[cfg(test)]
impl Kernels {
    /// All of them with their uniforms, for the checks.
    pub(super) fn exhibited(&self) -> impl Iterator<Item = super::checks::ParamsExhibit> {
        let all = [self.pairs, self.rows, self.rows_u64].concat();
        all.into_iter().map(|kernel| (kernel, Params::FIELDS))
    }
}
