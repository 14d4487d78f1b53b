//! Pooling by 2x2 windows of step 2, two windows at a time: vectors in, vectors out.

use super::{BEST, MAXIMA_F32, MAXIMA_HALF, Variant};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Scratch, Storage};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, PLANES_F32, PLANES_HALF, RANK, RANK_HALF, params, part};
use crate::op::MaxPool2d;
use crate::shape::Shape;

pub(super) static PAIRS: Kernel = Kernel {
    name: "max_pool2d/pairs",
    parts: &[&INDEX, &RANK, &PLANES_F32, &BEST, &MAXIMA_F32, &part!("max_pool2d/pairs.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

pub(super) static PAIRS_HALF: Kernel = Kernel {
    name: "max_pool2d/pairs_half",
    parts: &[&INDEX, &RANK_HALF, &PLANES_HALF, &BEST, &MAXIMA_HALF, &part!("max_pool2d/pairs.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of both; `max_pool2d/pairs.wgsl` says what they mean.
    pub(super) struct Params {
        runs: u32,
        row_runs: u32,
        rows: u32,
        row_pairs: u32,
        channels: u32,
    }
}

/// Pairs of windows that an invocation does, by pooling and unpooling alike: of a CPU driver's lanes, which each take vectors one
/// after another, eight; on a GPU neighbouring invocations read neighbouring vectors.
pub(in crate::kernel) fn run_of_pairs(caps: &Caps) -> usize {
    if caps.software { 8 } else { 1 }
}

/// Whether windows are 2x2 of step 2, without border, and tile planes whose rows are whole vectors of four.
pub(in crate::kernel) fn is_pairs(op: &MaxPool2d, extent: [usize; 2]) -> bool {
    Storage::holds_compactly(op) && extent[0].is_multiple_of(2) && extent[1].is_multiple_of(4)
}

/// The dispatch for maps in such a form, `values` or with `switches` a word each.
///
/// # Errors
/// [`crate::Error::Limit`] as [`flat_step`].
pub(super) fn plan(output: Shape, maps: Storage, variant: Variant, caps: &Caps) -> Result<KernelPlan> {
    let row_pairs = output.w / 2;
    let row_runs = row_pairs.div_ceil(run_of_pairs(caps));
    let runs = maps.planes(output) * output.h * row_runs;
    let params = Params {
        runs: runs as u32,
        row_runs: row_runs as u32,
        rows: output.h as u32,
        row_pairs: row_pairs as u32,
        channels: output.c as u32,
    };
    let switches = variant == Variant::Switches;
    // A write needs a buffer of its own, so that what is not written gets a vector of scratch.
    let (third, scratch) = match switches {
        true => (Buffer::Output(1), Vec::new()),
        false => (Buffer::Scratch(0), vec![Scratch { words: 2, persistent: false }]),
    };
    let kernel = if maps == Storage::Halves { &PAIRS_HALF } else { &PAIRS };
    let operands = [Buffer::Input(0), Buffer::Output(0), third];
    let constants = [("SWITCHES", f64::from(switches)), ("RUN", run_of_pairs(caps) as f64)];
    let run = vec![flat_step(kernel, &constants, &params, &operands, runs, caps)?];
    Ok(KernelPlan { variant: variant.name(), scratch, run, ..KernelPlan::default() })
}
