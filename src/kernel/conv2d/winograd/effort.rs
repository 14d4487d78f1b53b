//! What minimal filtering takes, for the choice of a variant.

use super::super::choice::load;
use super::super::tiled::workgroup;
use super::grid::Grid;
use super::transform::Transform;
use super::{Groups, check, width};
use crate::gpu::Caps;
use crate::op::Conv2d;
use crate::shape::Shape;

/// What a product takes in tiles of two cells, against tiles of four (measured on a CPU driver): each weight serves half as many.
const NARROWER: f64 = 1.3;

/// What minimal filtering takes, in multiply-adds of a register tile, transforms included; comparable with
/// [`super::super::tiled::effort`]; and how many sums it makes at once. `None` where it does not apply.
pub(in crate::kernel::conv2d) fn effort(
    transform: &Transform,
    op: &Conv2d,
    input: Shape,
    output: Shape,
    caps: &Caps,
) -> Option<(f64, f64)> {
    check(op, transform).ok()?;
    let grid = Grid::new(transform, op, output);
    let Groups { channels, blocks, rows, .. } = Groups::new(op, input, output);
    let (positions, pieces) = (transform.positions() as f64, transform.pieces(op).into_iter().product::<u64>());
    if transform.in_pieces()
        && positions * (4 * pieces * channels * op.groups as u64 * blocks * rows) as f64 > MOST_WEIGHTS
    {
        return None;
    }
    let width = width(transform, grid.tiles, caps);
    let slower = if width == 2 { NARROWER } else { 1.0 };
    let padded = slower * grid.tiles.next_multiple_of(width * workgroup(caps)) as f64;
    let products = positions * padded * (channels * pieces * op.groups as u64 * blocks * (rows + 8)) as f64;
    let cells = transform.cells(op).into_iter().product::<usize>() as f64;
    let [d, m] = [channels, blocks * rows].map(|group| group * op.groups as u64);
    let strip = grid.strip(transform.positions(), d, m, caps).ok()?;
    let sources = grid.rows.div_ceil(strip) * grid.sources(0) + grid.sources(grid.rows) - grid.sources(0);
    let words = sources as f64 * 2.0 * positions * d as f64 + grid.tiles as f64 * (positions + cells) * m as f64;
    let under_way = 4 * strip * grid.width;
    Some((products + load(caps) * words, positions * grid.tiles.min(under_way) as f64 * output.c as f64))
}

/// Bytes of transformed weights beyond which a kernel in pieces is taken by name only: they take four times what those of 7x7 take
/// by themselves, which for FCN's fc6 is 1.6 GB.
const MOST_WEIGHTS: f64 = 512e6;
