// The end of minimal filtering in tiles of 8x8 cells that stores the map itself: two columns at a time, as many cells as a tile
// gives.

fn store_column(tile: OutputTile, j: u32, z: array<f32, 7>) {
    let column = tile.x + j;
    store_cell(tile.plane, tile.y, column, z[0] + tile.offset);
    store_cell(tile.plane, tile.y + 1, column, z[1] + tile.offset);
    if MH > 2 { store_cell(tile.plane, tile.y + 2, column, z[2] + tile.offset); }
    if MH > 3 { store_cell(tile.plane, tile.y + 3, column, z[3] + tile.offset); }
    if MH > 4 { store_cell(tile.plane, tile.y + 4, column, z[4] + tile.offset); }
    if MH > 5 { store_cell(tile.plane, tile.y + 5, column, z[5] + tile.offset); }
    if MH > 6 { store_cell(tile.plane, tile.y + 6, column, z[6] + tile.offset); }
}

// Stores columns j and j + 1 of the tile.
fn store_columns(tile: OutputTile, j: u32, left: array<f32, 7>, right: array<f32, 7>) {
    store_column(tile, j, left);
    if j + 1 < MW { store_column(tile, j + 1, right); }
}
