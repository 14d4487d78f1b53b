//! What minimal filtering takes, for the choice of a variant.

use super::super::Problem;
use super::super::choice::word;
use super::super::tiled::CELLS;
use super::grid::Grid;
use super::product::{Division, Product};
use super::transform::Transform;
use super::{Groups, check};
use crate::gpu::Caps;
use crate::kernel::card::Card;

/// What it costs to have a transformed weight come from memory, once a strip, against a word by itself (an estimate,
/// from the rates of a copy and of products).
const STREAMED: f64 = 0.2;

/// Bytes of transformed weights, and times those of the plain ones, beyond both of which minimal filtering is taken by
/// name only. FCN's fc6 takes 411 MB as it is, 1.64 GB in pieces of 4x4 taps, 537 MB in tiles of 8x8 cells.
const MOST_WEIGHTS: u64 = 512_000_000;
const MOST_GROWTH: f64 = 1.5;

/// Times the plain weights that transformed ones may take without having to be worth it (F(4x4, 3x3)'s), and by how
/// much faster the others have to be: F(6x6, 3x3), whose weights take 7.1 times, is no choice for a gain of a few per
/// cent.
const PLAIN_GROWTH: f64 = 4.0;
const WORTH: f64 = 1.09;

/// What minimal filtering takes on a card, in multiply-adds of a register tile, transforms included; comparable with the other
/// variants' efforts. `None` where it does not apply.
pub(in crate::kernel::conv2d) fn effort(
    transform: &Transform,
    problem: &Problem<'_>,
    card: Card,
    caps: &Caps,
) -> Option<f64> {
    let &Problem { op, output, .. } = problem;
    check(op, transform).ok()?;
    let grid = Grid::new(transform, op, output);
    let Groups { channels, blocks, rows, staged, .. } = Groups::new(transform, problem, grid.tiles, caps);
    let groups = op.groups as u64;
    let (positions, pieces) = (transform.positions(), transform.pieces(op).into_iter().product::<u64>());
    let growth = (positions * pieces) as f64 / (op.kernel[0] * op.kernel[1]) as f64;
    let weights = positions * pieces * channels * groups * blocks * rows;
    if 4 * weights > MOST_WEIGHTS && growth > MOST_GROWTH {
        return None;
    }
    let [d, m] = [channels, blocks * rows].map(|group| group * groups);
    let block = Product { rows, channels, staged };
    let division = |tiles| Division::new(transform, op, tiles, block, groups * blocks, caps);
    let whole = division(grid.tiles);
    let vectors = whole.vectors(caps);
    let strip = grid.strip_rows(positions, [d, m], vectors, caps).ok()?;
    let last = grid.rows % strip;
    let tiles = |rows: u64| {
        let tiles = grid.tiles_of(rows);
        division(tiles).effort(tiles, card)
    };
    let padded = (grid.rows / strip) as f64 * tiles(strip) + tiles(last);
    // Staged products count themselves what is idle.
    let strip_tiles = whole.padded(grid.tiles.min(grid.tiles_of(strip)));
    let invocations = (positions * groups * blocks * strip_tiles / CELLS) as f64;
    let idle = if staged { 1.0 } else { card.idle(invocations, CELLS * rows, caps) };
    let products = idle * padded * (positions * channels * pieces * groups * blocks * (rows + whole.loads)) as f64;
    let cells = transform.cells(op).into_iter().product::<usize>() as u64;
    let sources = grid.rows.div_ceil(strip) * grid.sources(0) + grid.sources(grid.rows) - grid.sources(0);
    // On a CPU driver the products' stores are part of their rate.
    let stored = if caps.software { positions } else { 2 * positions };
    let words = (sources * 2 * positions * d + grid.tiles * (stored + cells) * m) as f64;
    let strips = grid.rows.div_ceil(strip);
    let streamed = STREAMED * (strips * weights) as f64;
    let worth = if growth > PLAIN_GROWTH { WORTH } else { 1.0 };
    let dispatches = 3.0 * strips as f64 * card.dispatch(caps);
    Some(worth * (products + word(caps) * (words + streamed) + dispatches))
}
