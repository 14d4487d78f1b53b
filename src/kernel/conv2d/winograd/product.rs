//! Which kernel multiplies transformed tiles and weights, and how it divides them among workgroups.

use super::super::sharing::{self, Sharing};
use super::super::tiled::workgroup;
use super::kernels::{NARROW, NARROW_U64, PRODUCT, PRODUCT_U64, SHARED};
use super::transform::Transform;
use crate::gpu::{Caps, Kernel};
use crate::op::Conv2d;

/// What a product takes in tiles of two cells, against tiles of four (measured on a CPU driver): each weight serves
/// half as many.
const NARROWER: f64 = 1.3;

/// The least that sharing takes where a weight serves one workgroup alone: it comes from memory for 64 tiles (measured
/// on a CPU driver: 512->512 @14 by F(2x2, 3x3), 49 tiles, 17 ms beside 17.9).
const SERVING_ONE: f64 = 0.95;

/// How a product is divided.
pub(super) struct Division {
    pub(super) kernel: &'static Kernel,
    /// Tiles and blocks of output channels of a workgroup.
    pub(super) tiles: u64,
    pub(super) blocks: u64,
    /// Its invocations.
    pub(super) workgroup: u64,
    /// What a tile takes, against one of four an invocation.
    rate: f64,
}

impl Division {
    /// The one of least effort for so many tiles of a strip, blocks of a dispatch, and channels of a group.
    pub(super) fn new(
        transform: &Transform,
        op: &Conv2d,
        tiles: u64,
        [blocks, channels]: [u64; 2],
        caps: &Caps,
    ) -> Self {
        let lanes = workgroup(caps);
        let own = |[words, pairs]: [&'static Kernel; 2], width: u64, rate| {
            let kernel = if caps.loads_pairs() { pairs } else { words };
            Self { kernel, tiles: width * lanes, blocks: 1, workgroup: lanes, rate }
        };
        let four = own([&PRODUCT, &PRODUCT_U64], 4, 1.0);
        if !caps.software || transform.in_pieces() {
            return four;
        }
        // Two tiles an invocation where four would leave half of the lanes idle.
        let two = own([&NARROW, &NARROW_U64], 2, NARROWER);
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
            workgroup: sharing.workgroup(),
            rate: sharing.rate(),
        };
        if shared.effort(tiles) < own.effort(tiles) { shared } else { own }
    }

    /// So many tiles, filled up to whole workgroups.
    pub(super) fn padded(&self, tiles: u64) -> u64 {
        tiles.next_multiple_of(self.tiles)
    }

    /// Vectors of four tiles that a strip should be a multiple of: a workgroup's, and no fewer than there are lanes.
    pub(super) fn vectors(&self, caps: &Caps) -> u64 {
        (self.tiles / 4).max(workgroup(caps))
    }

    /// What so many tiles take, in tiles of a product of four an invocation.
    pub(super) fn effort(&self, tiles: u64) -> f64 {
        let alone = self.blocks > 1 && tiles <= self.tiles;
        let rate = if alone { self.rate.max(SERVING_ONE) } else { self.rate };
        rate * self.padded(tiles) as f64
    }

    /// Workgroups along the tiles, and for a position.
    pub(super) fn workgroups(&self, tiles: u64, blocks: u64) -> [u64; 2] {
        let tile_groups = tiles.div_ceil(self.tiles);
        [tile_groups, tile_groups * blocks.div_ceil(self.blocks)]
    }
}
