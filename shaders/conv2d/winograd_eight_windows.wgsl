// The end of minimal filtering in tiles of 8x8 cells, whose output is 2, 4 or 6 cells a side, that stores the maxima of 2x2
// windows of step 2: two columns are a column of windows.

fn store_windows(tile: OutputTile, i: u32, j: u32, upper: vec2<f32>, lower: vec2<f32>) {
    store_block(tile.plane, tile.y + i, tile.x + j, upper + tile.offset, lower + tile.offset);
}

// Stores the windows in columns j and j + 1 of the tile.
fn store_columns(tile: OutputTile, j: u32, left: array<f32, 7>, right: array<f32, 7>) {
    store_windows(tile, 0, j, vec2(left[0], right[0]), vec2(left[1], right[1]));
    if MH > 2 { store_windows(tile, 2, j, vec2(left[2], right[2]), vec2(left[3], right[3])); }
    if MH > 4 { store_windows(tile, 4, j, vec2(left[4], right[4]), vec2(left[5], right[5])); }
}
