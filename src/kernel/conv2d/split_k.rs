//! `Variant::SplitK`: the product of `Staged` with each sum in parts, so that few outputs of long sums keep a GPU busy.
//!
//! Each part is written by workgroups of its own, one whole result a part; then the parts are added in order. Nothing is
//! atomic, so that every run gives the same.

use super::choice::word;
use super::division::{Division, staged_effort};
use super::stages::STAGE_QUADS;
use super::tiled::divided;
use super::{OP, Operands, Problem, Variant, parts};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Caps, KernelPlan, Scratch};
use crate::kernel::card::Card;
use crate::kernel::rounds_within;
use crate::op::Conv2d;
use crate::shape::Shape;

/// Most parts: each is added up by one invocation, one after the other (H100: 256 parts of 5,376 sums 21 us, 512 36).
const MOST_PARTS: u64 = 64;

/// Sums that keep a GPU busy: of 128 workgroups of 128 channels by 128 cells.
const SUMS_UNDER_WAY: f64 = 2_097_152.0;

/// Parts in which sums over so many input channels are taken: as many as keep a GPU busy, but at least two, of whole stages
/// each, and such that they fit a binding.
///
/// # Errors
/// [`Error::Unsupported`] for sums of one stage; [`Error::Limit`] where not even two parts fit a binding.
fn count(groups: usize, weight: Shape, output: Shape, caps: &Caps) -> Result<u64> {
    let refused = format!("{} variant {}", OP, Variant::SplitK.name());
    let stages = (weight.c as u64).div_ceil(4 * STAGE_QUADS);
    if stages < 2 {
        return Err(Error::Unsupported {
            what: refused,
            why: format!(
                "a part sums over {} input channels of a group, of which there are {}",
                4 * STAGE_QUADS,
                weight.c
            ),
            way_out: "use the staged variant, or none, which chooses by shape".to_owned(),
        });
    }
    let bytes = 4 * output.elements() as u64;
    let available = caps.max_binding_bytes.min(caps.max_buffer_bytes);
    if 2 * bytes > available {
        let way_out = "use the staged variant, or none, which chooses by shape".to_owned();
        return Err(Error::Limit { what: refused, needed: 2 * bytes, available, unit: "bytes a binding", way_out });
    }
    // In whole workgroups, of which two a multiprocessor hide each other's waits.
    let rows = (groups * (weight.n / groups).next_multiple_of(64)) as u64;
    let sums = output.n as u64 * rows * (output.plane() as u64).next_multiple_of(128);
    let wanted = (2.0 * SUMS_UNDER_WAY / sums as f64).ceil() as u64;
    let parts = wanted.clamp(2, stages.min(available / bytes).clamp(2, MOST_PARTS));
    // Parts are of whole stages, the last maybe shorter: none is empty.
    Ok(stages.div_ceil(stages.div_ceil(parts)))
}

/// What it takes on a card; `None` where it does not apply.
pub(super) fn effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> Option<f64> {
    let &Problem { op, weight, output, .. } = problem;
    let parts = count(op.groups, weight, output, caps).ok()?;
    let staged = staged_effort(problem, parts, card, caps)?;
    let words = (2 * parts + 1) as f64 * output.elements() as f64;
    Some(staged + word(caps) * words + card.dispatch(caps))
}

/// The parts, then their sum.
///
/// # Errors
/// As [`count`], and as the plan of `Staged`.
pub(super) fn plan(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<KernelPlan> {
    let &Problem { op, weight, output, .. } = problem;
    let parts = count(op.groups, weight, output, caps)?;
    rounds_within(OP, 0, parts, caps)?;
    let temporary = Scratch { words: parts * output.elements() as u64, persistent: false };
    let division = Division::staged(problem, parts).in_parts(Variant::SplitK, parts, temporary);
    // Bias and ReLU are for the whole sums.
    let plain = Conv2d { relu: false, ..*op };
    let partial = Operands { bias: Buffer::Absent, output: Buffer::Scratch(0), ..operands };
    let mut plan = divided(&division, &Problem { op: &plain, ..*problem }, partial, caps)?;
    plan.run.push(parts::sum(parts, Buffer::Scratch(0), &operands, op.relu, output, caps)?);
    Ok(plan)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn sums_are_cut_where_a_gpu_would_idle() {
        let gpu = Caps { software: false, ..Caps::WEBGPU };
        // FCN's fc6, a 3x3 over a 14x14 map, one cell, and few channels.
        let rows = [
            ([4096, 512, 7, 7], [1, 4096, 16, 16], Some(4)),
            ([512, 512, 3, 3], [1, 512, 14, 14], Some(32)),
            ([8, 2048, 1, 1], [1, 8, 1, 1], Some(64)),
            ([8, 17, 1, 1], [1, 8, 1, 1], Some(2)),
            ([8, 16, 1, 1], [1, 8, 1, 1], None),
        ];
        for (weight, output, expected) in rows {
            assert_eq!(count(1, weight.into(), output.into(), &gpu).ok(), expected, "{weight:?}");
        }
    }

    #[test]
    fn every_part_has_channels_and_all_have_one_part() {
        for channels in 17..700 {
            for elements in [1, 1000, 20_000, 100_000, 1_000_000] {
                let (weight, output) = ([8, channels, 3, 3].into(), [1, 1, 1, elements].into());
                let parts = count(1, weight, output, &Caps::WEBGPU).unwrap();
                let quads = channels.div_ceil(4) as u64;
                let part = quads.div_ceil(parts).next_multiple_of(STAGE_QUADS);
                assert!((parts - 1) * part < quads && parts * part >= quads, "{channels} channels in {parts} parts");
            }
        }
    }
}
