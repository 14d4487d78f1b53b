//! How tiles lie in memory, and the strips in which they are worked off.

use super::super::OP;
use super::transform::Transform;
use crate::error::{Error, Result};
use crate::gpu::Caps;
use crate::op::Conv2d;
use crate::shape::Shape;

/// Tiles lie in vectors of four, and vectors in rows.
///
/// For a kernel of one piece a row is one vector, and tiles come one after the other, over the whole batch. A kernel of
/// several pieces reads transformed tiles of other rows and columns too: there a row of vectors is a row of tiles, in
/// which the elements of a vector are a quarter of the row apart, so that the tile of the next column is the same
/// element of the next vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Grid {
    /// Vectors along a row of products.
    pub(super) width: u64,
    /// Vectors along a row of transformed tiles: as many more as there are pieces beside the first.
    pub(super) source_width: u64,
    /// Rows of transformed tiles that a strip reads beyond its own: as many as there are pieces below the first.
    pub(super) halo: u64,
    /// Rows of all products, between images those that reach from one into the next included: they are made and never read.
    pub(super) rows: u64,
    /// Rows of transformed tiles of an image, where rows are rows of tiles.
    pub(super) image_rows: u64,
    /// Tiles along a row, and of an image, as the products lie.
    pub(super) tile_columns: u64,
    pub(super) image_tiles: u64,
    /// Tiles of the batch, as the products lie.
    pub(super) tiles: u64,
}

impl Grid {
    pub(super) fn new(transform: &Transform, op: &Conv2d, output: Shape) -> Self {
        let images = output.n as u64;
        let (extent, cells) = (output.extent(), transform.cells(op));
        let [tile_rows, tile_columns] = [0, 1].map(|axis| extent[axis].div_ceil(cells[axis]) as u64);
        let [piece_rows, piece_columns] = transform.pieces(op);
        if !transform.in_pieces() {
            let image_tiles = tile_rows * tile_columns;
            let tiles = images * image_tiles;
            let rows = tiles.div_ceil(4);
            return Self { width: 1, source_width: 1, halo: 0, rows, image_rows: 0, tile_columns, image_tiles, tiles };
        }
        let (width, halo) = (tile_columns.div_ceil(4), piece_rows - 1);
        let image_rows = tile_rows + halo;
        let rows = images * image_rows - halo;
        Self {
            width,
            source_width: width + piece_columns - 1,
            halo,
            rows,
            image_rows,
            tile_columns: 4 * width,
            image_tiles: 4 * width * image_rows,
            tiles: 4 * width * rows,
        }
    }

    /// Transformed tiles that so many rows of products read.
    pub(super) fn sources(&self, rows: u64) -> u64 {
        4 * (rows + self.halo) * self.source_width
    }

    /// Tiles, as products lie, of so many rows.
    pub(super) fn tiles_of(&self, rows: u64) -> u64 {
        4 * rows * self.width
    }

    /// The strips of so many rows, of which the last may have fewer.
    pub(super) fn strips(&self, strip_rows: u64) -> impl Iterator<Item = Strip> {
        (0..self.rows).step_by(strip_rows as usize).map(move |first_row| {
            let rows = strip_rows.min(self.rows - first_row);
            let (first_tile, tiles) = (self.tiles_of(first_row), self.tiles_of(rows));
            let count = tiles.min(self.tiles - first_tile);
            Strip { first_row, sources: self.sources(rows), first_tile, tiles, count }
        })
    }

    /// Rows of a strip: what [`strip_bytes`] and a binding hold of tiles of so many channels and products of so many
    /// rows, in whole workgroups of so many `vectors`.
    ///
    /// # Errors
    /// [`Error::Limit`] where a binding does not hold one row.
    pub(super) fn strip_rows(
        &self,
        positions: u64,
        [channels, out_rows]: [u64; 2],
        vectors: u64,
        caps: &Caps,
    ) -> Result<u64> {
        let (source, product) = (16 * positions * channels * self.source_width, 16 * positions * out_rows * self.width);
        let held = |bytes: u64| (bytes / source).saturating_sub(self.halo).min(bytes / product);
        let binding = caps.max_binding_bytes.min(caps.max_buffer_bytes);
        let most = held(binding);
        if most == 0 {
            return Err(Error::Limit {
                what: format!("{OP}: {} transformed tiles of {} channels", self.sources(1), channels.max(out_rows)),
                needed: product.max(source * (1 + self.halo)),
                available: binding,
                unit: "bytes a binding",
                way_out: "use the tiled variant, or none, which chooses by shape".to_owned(),
            });
        }
        // Never so few that the lanes of a workgroup are idle, nor, where a row is one vector, a last workgroup's.
        let whole = if self.width == 1 { vectors } else { 1 };
        let wanted = held(strip_bytes(self.halo, caps)).next_multiple_of(whole).max(vectors.div_ceil(self.width));
        let most = if most > whole { most / whole * whole } else { most };
        Ok(wanted.min(most).min(self.rows))
    }
}

/// Rows that are worked off one after the other, so that they can share their scratch.
pub(super) struct Strip {
    pub(super) first_row: u64,
    /// Transformed tiles that its products read.
    pub(super) sources: u64,
    pub(super) first_tile: u64,
    /// Tiles as they lie, and those of them that are tiles of the batch.
    pub(super) tiles: u64,
    pub(super) count: u64,
}

/// Bytes that the transformed input of a strip may take, and its products: what a CPU's caches keep; on a GPU what keeps all of it
/// busy (H200: 64->64 @698 takes 827, 628, 554 and 525 us by 8, 16, 32 and 64 MiB, 256->256 @175 433, 344, 330 and 322; 64 MiB are
/// a sixth more of FCN-8s' memory). One bound for both, so that layers of different widths can share the two buffers.
fn strip_bytes(halo: u64, caps: &Caps) -> u64 {
    match caps.software {
        // More rows, for the rows beyond a strip are transformed once more by the next.
        true if halo > 0 => 8 << 20,
        true => 2 << 20,
        false => 32 << 20,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::super::transform::{EIGHT, F4, PIECES};
    use super::*;

    fn grid(transform: &Transform, kernel: [usize; 2], output: [usize; 4]) -> Grid {
        Grid::new(transform, &Conv2d::new(kernel), output.into())
    }

    #[test]
    fn a_kernel_of_one_piece_has_tiles_in_a_row() {
        let found = grid(&F4, [3, 3], [2, 8, 9, 17]);
        assert_eq!((found.tiles, found.rows, found.width, found.sources(2)), (30, 8, 1, 8));
        // Tiles of six rows by three columns.
        let found = grid(&EIGHT, [3, 6], [2, 8, 9, 17]);
        assert_eq!((found.tile_columns, found.image_tiles, found.tiles, found.rows), (6, 12, 24, 6));
    }

    /// Three rows of five tiles, in vectors of which two make a row; transformed tiles have a row and a column more.
    #[test]
    fn a_kernel_of_several_pieces_reads_rows_and_columns_beyond() {
        let found = grid(&PIECES, [7, 5], [2, 8, 9, 17]);
        assert_eq!((found.width, found.source_width, found.halo), (2, 3, 1));
        // One row of products between the two images, none after the second.
        assert_eq!((found.image_rows, found.rows, found.tiles), (4, 7, 56));
        assert_eq!(found.sources(found.rows), 8 * 3 * 4);
        let found = grid(&PIECES, [4, 9], [1, 8, 9, 17]);
        assert_eq!((found.width, found.source_width, found.halo, found.rows), (2, 4, 0, 3));
    }

    /// Vectors of four tiles, of which a workgroup takes eight: 28 would fit 2 MiB.
    #[test]
    fn strips_of_single_vectors_fill_workgroups() {
        let grid = grid(&F4, [3, 3], [1, 128, 349, 349]);
        let caps = Caps { software: true, ..Caps::WEBGPU };
        assert_eq!(grid.strip_rows(36, [128, 128], 8, &caps).unwrap(), 32);
        let vector = 16 * 36 * 128;
        for (vectors, rows) in [(31, 24), (8, 8), (7, 7)] {
            let caps = Caps { max_binding_bytes: vectors * vector, ..caps };
            assert_eq!(grid.strip_rows(36, [128, 128], 8, &caps).unwrap(), rows, "{vectors} vectors");
        }
    }

    #[test]
    fn strips_keep_to_a_binding() {
        let grid = grid(&PIECES, [7, 7], [1, 8, 90, 120]);
        let (positions, channels, out_rows) = (49, 12, 8);
        let row = 16 * positions * channels * grid.source_width;
        for (bytes, rows) in [(2 * row, 1), (4 * row - 1, 2), (4 * row, 3), (1 << 40, 23)] {
            let caps = Caps { max_binding_bytes: bytes, max_buffer_bytes: bytes, ..Caps::WEBGPU };
            assert_eq!(grid.strip_rows(positions, [channels, out_rows], 8, &caps).unwrap(), rows, "{bytes} bytes");
        }
        let caps = Caps { max_binding_bytes: 2 * row - 1, ..Caps::WEBGPU };
        let Err(Error::Limit { needed, available, .. }) = grid.strip_rows(positions, [channels, out_rows], 8, &caps)
        else {
            panic!("one row and the one beyond it do not fit");
        };
        assert_eq!((needed, available), (2 * row, 2 * row - 1));
    }
}
