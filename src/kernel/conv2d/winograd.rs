//! `Variant::WinogradF2`, `WinogradF4`, `WinogradPieces` and `WinogradEight`: kernels of stride 1 by minimal filtering.
//!
//! F(m x m, r x r) makes m x m output cells from (m+r-1) x (m+r-1) input cells with (m+r-1)^2 products instead of r^2 m^2: the
//! input tile and the kernel are transformed, multiplied position by position (for all channels that is one matrix product
//! a position), and the products transformed back (Lavin and Gray, 2015). The transformed maps are larger than the maps
//! themselves, so tiles are worked off in strips that share their scratch.
//!
//! More taps a side take ever larger factors in the transforms and round ever more coarsely. So a larger kernel is cut
//! into pieces of 4x4 taps, the last ones filled up with zeros, each multiplied by F(4x4, 4x4). Pieces are as far apart
//! as tiles, so that the cells under another piece are the cells under the first, some tiles further on: a cell is
//! transformed once for all pieces, their products are added up where those of channels are, and the sum is transformed
//! back once. For 7x7 that is 4 x 49 products for 16 cells instead of 49 x 16.
//!
//! The input's transform depends on the points at which tile and kernel, as polynomials, are evaluated, and not on the
//! kernel's size; so one transform of tiles of 8x8 cells serves every F(m, r) with m + r = 9, for each axis by itself:
//! F(6x6, 3x3), F(4x4, 5x5) or F(2x2, 7x7) with 64 products a tile, F(6x4, 3x5) too.

mod dispatches;
mod effort;
mod grid;
pub(super) mod kernels;
mod product;
mod transform;

use super::stages::Stages;
use super::tiled::rows;
use super::{OP, Operands, Pooling, Problem};
use crate::error::{Error, Result};
use crate::gpu::{Caps, KernelPlan};
use crate::op::Conv2d;
use dispatches::Filtering;
use transform::Transform;

pub(super) use effort::effort;
pub(super) use transform::{EIGHT, F2, F4, PIECES};

/// What a group of a convolution has.
struct Groups {
    /// Input channels, and as many in whole fours.
    inputs: u64,
    channels: u64,
    /// Blocks of output channels, and the rows of one.
    blocks: u64,
    rows: u64,
    /// Whether their products are staged.
    staged: bool,
}

impl Groups {
    /// Those of a convolution whose products, one a position and group, have so many tiles.
    fn new(transform: &Transform, problem: &Problem<'_>, tiles: u64, caps: &Caps) -> Self {
        let (inputs, outputs) = (problem.weight.c as u64, problem.group_outputs());
        let staged = product::is_staged(outputs, caps);
        let rows = if staged {
            Stages::of(transform.positions() * problem.op.groups as u64, outputs, tiles).rows
        } else {
            rows(outputs)
        };
        Self { inputs, channels: inputs.next_multiple_of(4), blocks: outputs.div_ceil(rows), rows, staged }
    }
}

/// Whether minimal filtering is defined here for this convolution.
///
/// # Errors
/// [`Error::Unsupported`] that says what it is not.
fn check(op: &Conv2d, transform: &Transform) -> Result<()> {
    if transform.serves(op) && op.stride == [1, 1] && op.dilation == [1, 1] {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: format!("{OP} variant {}", transform.variant.name()),
        why: format!(
            "it is for {} of stride 1 and dilation 1, not for {:?}, stride {:?}, dilation {:?}",
            transform.kernels(),
            op.kernel,
            op.stride,
            op.dilation
        ),
        way_out: "use the tiled variant, or none, which chooses by shape".to_owned(),
    })
}

/// Transforms the weight into persistent scratch, then for each strip of tiles: input, products, output; with a pooling the
/// output's maxima in place of the output.
///
/// # Errors
/// [`Error::Unsupported`] for a convolution that the transform is not for, and for a pooling whose windows reach from one tile into
/// the next; [`Error::Limit`] where not even four tiles or one block of weights fit a binding.
pub(super) fn plan(
    transform: &Transform,
    problem: &Problem<'_>,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    let &Problem { op, output, .. } = problem;
    check(op, transform)?;
    let [mh, mw] = transform.cells(op);
    if operands.pooling.is_some() && (mh % 2, mw % 2) != (0, 0) {
        return Err(Pooling::refused(format!("tiles of {mh}x{mw} cells are no whole windows")));
    }
    let filtering = Filtering::new(transform, problem, operands, caps);
    filtering.check_loops()?;
    let strip_rows = filtering.strip_rows()?;
    let mut plan = KernelPlan {
        variant: transform.variant.name(),
        filtering: Some(transform.sizes(op)),
        scratch: filtering.strip_scratch(strip_rows).into(),
        ..KernelPlan::default()
    };
    let mut weights = Vec::new();
    for run in filtering.blocks.runs(caps)? {
        let transformed = plan.persistent(run.blocks * filtering.blocks.block_words);
        plan.prepare.push(filtering.weight_step(&run, transformed)?);
        weights.push((run, transformed));
    }
    let end = operands.pooling.map(|pooling| pooling.end(&mut plan, output, caps)).transpose()?;
    for strip in filtering.grid.strips(strip_rows) {
        plan.run.push(filtering.input_step(&strip)?);
        for (run, transformed) in &weights {
            let (step, executed_macs) = filtering.product_step(&strip, run, *transformed)?;
            plan.run.push(step);
            plan.executed_macs += executed_macs;
        }
        plan.run.push(filtering.output_step(&strip, end.as_ref())?);
    }
    Ok(plan)
}
