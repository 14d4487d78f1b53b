// The end of a register tile in f16 whose four cells are a 2x2 window.

// Stores the maxima of eight channels from `channel` on, an even one, as many as the group has left. `plane` is that of the
// image's first channel.
fn store_tile(cells: Cells, plane: u32, channel: u32, left: u32, tile: Tile) {
    if left > 0 { store_maxima(cells.at.x, plane, channel, left, tile.r0, tile.r1, tile.r2, tile.r3); }
    if left > 4 { store_maxima(cells.at.x, plane, channel + 4, left - 4, tile.r4, tile.r5, tile.r6, tile.r7); }
}
