//! Which kernel multiplies transformed tiles and weights, and how it divides them among workgroups.

use super::super::sharing::{self, Sharing};
use super::super::stages::Stages;
use super::super::tiled::workgroup;
use super::kernels::{GATHERED, NARROW, NARROW_GATHERED, NARROW_U64, PRODUCT, PRODUCT_U64, SHARED, STAGED};
use super::transform::Transform;
use crate::gpu::{Caps, Kernel};
use crate::kernel::card::Card;
use crate::op::Conv2d;

/// What a product takes in tiles of two cells, against tiles of four (measured on a CPU driver): each weight serves
/// half as many.
const NARROWER: f64 = 1.3;

/// What it takes in tiles of eight and of two cells where weights and cells are gathered, against tiles of four where they are loaded
/// (measured on an Emerald Rapids: 512->512 @28, fc6 and 64->64 @112 took 0.68 to 0.75; the last in tiles of two 0.88).
const GATHERED_EIGHT: f64 = 0.72;
const GATHERED_TWO: f64 = 0.88;

/// The least that sharing takes where a weight serves one workgroup alone: it comes from memory for 64 tiles (measured
/// on a CPU driver: 512->512 @14 by F(2x2, 3x3), 49 tiles, 17 ms beside 17.9).
const SERVING_ONE: f64 = 0.95;

/// What a multiply-add takes on a GPU where operands come from memory, against staged ones (measured on an H100: 20 beside 40
/// TFLOP/s).
const UNSTAGED: f64 = 2.0;

/// Rows that the loads of a block's terms count for where invocations load them themselves.
const LOADS: u64 = 8;

/// Most rows of a block that a GPU's invocations compute from memory: staged ones would be filled up to twice as many.
const FEW_ROWS: u64 = 16;

/// A product of a position and group.
#[derive(Clone, Copy)]
pub(super) struct Product {
    /// Rows of a block, and channels, in whole fours.
    pub(super) rows: u64,
    pub(super) channels: u64,
    /// Whether its operands are staged.
    pub(super) staged: bool,
}

/// Whether the products of groups of so many output channels have their operands staged, and their weights four rows a vector.
pub(super) fn is_staged(outputs: u64, caps: &Caps) -> bool {
    !caps.software && outputs > FEW_ROWS
}

/// How a product is divided.
pub(super) struct Division {
    pub(super) kernel: &'static Kernel,
    /// Tiles and blocks of output channels of a workgroup.
    pub(super) tiles: u64,
    pub(super) blocks: u64,
    /// Overrides that say how large a workgroup is.
    pub(super) constants: Vec<(&'static str, f64)>,
    /// Rows that the loads of a block's terms count for, in its effort.
    pub(super) loads: u64,
    /// What a tile takes, against one of four an invocation, where nothing is idle; where operands are staged their workgroups say it.
    rate: f64,
    /// Those, and the products of a dispatch, of all positions and blocks.
    staged: Option<(Stages, u64)>,
}

impl Division {
    /// The one of least effort for so many tiles of a strip and blocks of a dispatch.
    pub(super) fn new(
        transform: &Transform,
        op: &Conv2d,
        tiles: u64,
        product: Product,
        blocks: u64,
        caps: &Caps,
    ) -> Self {
        let Product { rows, channels, staged } = product;
        if staged {
            let (positions, all_rows) = (transform.positions(), blocks * rows);
            let stages = Stages::with_rows(positions, rows, all_rows, tiles);
            return Self {
                kernel: &STAGED,
                tiles: stages.cells,
                blocks: 1,
                constants: stages.constants(channels),
                loads: 0,
                rate: 1.0,
                staged: Some((stages, positions * blocks)),
            };
        }
        let lanes = workgroup(caps);
        let constants = |invocations: u64| vec![("ROWS", rows as f64), ("WORKGROUP", invocations as f64)];
        let own = |kernel, width: u64, rate| {
            let (tiles, constants) = (width * lanes, constants(lanes));
            Self { kernel, tiles, blocks: 1, constants, loads: LOADS, rate, staged: None }
        };
        let loaded = |[words, pairs]: [&'static Kernel; 2]| if caps.loads_pairs() { pairs } else { words };
        let four = own(loaded([&PRODUCT, &PRODUCT_U64]), 4, if caps.software { 1.0 } else { UNSTAGED });
        if !caps.software || transform.in_pieces() {
            return four;
        }
        let easier = |one: Self, other: Self| {
            if one.effort(tiles, Card::LARGE) < other.effort(tiles, Card::LARGE) { one } else { other }
        };
        if caps.gathers_rows() {
            return easier(own(&NARROW_GATHERED, 2, GATHERED_TWO), own(&GATHERED, 8, GATHERED_EIGHT));
        }
        // Two tiles an invocation where four would leave half of the lanes idle.
        let two = own(loaded([&NARROW, &NARROW_U64]), 2, NARROWER);
        let own = if 2 * two.padded(tiles) <= four.padded(tiles) { two } else { four };
        let Some(sharing) =
            Sharing::of(blocks, 1, caps).filter(|sharing| op.groups == 1 && sharing.product_ends(1, channels, caps))
        else {
            return own;
        };
        let shared = Self {
            kernel: &SHARED,
            tiles: sharing::CELLS,
            blocks: sharing.subgroups,
            constants: [constants(sharing.workgroup()), vec![Sharing::constant(caps)]].concat(),
            loads: LOADS,
            rate: sharing.rate(),
            staged: None,
        };
        easier(shared, own)
    }

    /// So many tiles, filled up to whole workgroups.
    pub(super) fn padded(&self, tiles: u64) -> u64 {
        tiles.next_multiple_of(self.tiles)
    }

    /// Vectors of four tiles that a strip should be a multiple of: a workgroup's, and no fewer than there are lanes.
    pub(super) fn vectors(&self, caps: &Caps) -> u64 {
        (self.tiles / 4).max(workgroup(caps))
    }

    /// What so many tiles take on a card, in tiles of a product of four an invocation; where operands are staged, with what is idle.
    pub(super) fn effort(&self, tiles: u64, card: Card) -> f64 {
        let alone = self.blocks > 1 && tiles <= self.tiles;
        let rate = if alone { self.rate.max(SERVING_ONE) } else { self.rate };
        let padded = self.padded(tiles);
        let rate = self.staged.map_or(rate, |(stages, products)| stages.rate(products * padded / self.tiles, card));
        rate * padded as f64
    }

    /// Workgroups along the tiles, and for a position.
    pub(super) fn workgroups(&self, tiles: u64, blocks: u64) -> [u64; 2] {
        let tile_groups = tiles.div_ceil(self.tiles);
        [tile_groups, tile_groups * blocks.div_ceil(self.blocks)]
    }
}
