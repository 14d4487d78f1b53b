//! Pooling by 2x2 windows of step 2, two windows at a time: vectors in, vectors out.

use super::{BEST, MAXIMA_F32, MAXIMA_HALF, OP, Variant};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Part, Scratch, Storage};
use crate::kernel::two_by_two::{self, Kernels, TWO_BY_TWO, UPPER_ROW};
use crate::kernel::{INDEX, PLANES_F32, PLANES_HALF, VECTORS, VECTORS_U64, part};
use crate::shape::Shape;

pub(super) static PAIR: Part = part!("max_pool2d/pair.wgsl");
static FLAT: Part = part!("max_pool2d/flat_switches.wgsl");
static BY_PAIRS: Part = part!("max_pool2d/pairs.wgsl");
static BY_ROWS: Part = part!("max_pool2d/rows.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part]) -> Kernel {
    let bindings = &[Access::Uniform, Access::Read, Access::Write, Access::Write];
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

pub(super) static PAIRS: Kernel = kernel(
    "max_pool2d/pairs",
    &[&INDEX, &PLANES_F32, &VECTORS, &BEST, &MAXIMA_F32, &TWO_BY_TWO, &PAIR, &FLAT, &BY_PAIRS],
);
pub(super) static PAIRS_HALF: Kernel = kernel(
    "max_pool2d/pairs_half",
    &[&INDEX, &PLANES_HALF, &VECTORS, &BEST, &MAXIMA_HALF, &TWO_BY_TWO, &PAIR, &FLAT, &BY_PAIRS],
);
pub(super) static ROWS: Kernel = kernel(
    "max_pool2d/rows",
    &[&INDEX, &PLANES_F32, &VECTORS, &BEST, &MAXIMA_F32, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &FLAT, &BY_ROWS],
);
pub(super) static ROWS_HALF: Kernel = kernel(
    "max_pool2d/rows_half",
    &[&INDEX, &PLANES_HALF, &VECTORS, &BEST, &MAXIMA_HALF, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &FLAT, &BY_ROWS],
);
pub(super) static ROWS_U64: Kernel = kernel(
    "max_pool2d/rows_u64",
    &[&INDEX, &PLANES_F32, &VECTORS_U64, &BEST, &MAXIMA_F32, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &FLAT, &BY_ROWS],
);
pub(super) static ROWS_HALF_U64: Kernel = kernel(
    "max_pool2d/rows_half_u64",
    &[&INDEX, &PLANES_HALF, &VECTORS_U64, &BEST, &MAXIMA_HALF, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &FLAT, &BY_ROWS],
);

pub(super) static POOL: Kernels =
    Kernels { pairs: [&PAIRS, &PAIRS_HALF], rows: [&ROWS, &ROWS_HALF], rows_u64: [&ROWS_U64, &ROWS_HALF_U64] };

/// The dispatch for maps in such a form, `values` or with `switches` a word each.
///
/// # Errors
/// [`crate::Error::Limit`] as [`two_by_two::step`].
pub(super) fn plan(output: Shape, maps: Storage, variant: Variant, caps: &Caps) -> Result<KernelPlan> {
    let switches = variant == Variant::Switches;
    // A write needs a buffer of its own, so that what is not written gets a vector of scratch.
    let (third, scratch) = match switches {
        true => (Buffer::Output(1), Vec::new()),
        false => (Buffer::Scratch(0), vec![Scratch { words: 2, persistent: false }]),
    };
    let operands = [Buffer::Input(0), Buffer::Output(0), third];
    let run = vec![two_by_two::step(OP, &POOL, &[("SWITCHES", f64::from(switches))], &operands, (output, maps), caps)?];
    Ok(KernelPlan { variant: variant.name(), scratch, run, ..KernelPlan::default() })
}
