// The end of minimal filtering in tiles of 8x8 cells, whose output is 2, 4 or 6 cells a side, that stores the maxima of 2x2 windows of
// step 2: two columns are a column of windows.

// Stores the windows in columns j and j + 1 of the tile whose first cell is at y, x.
fn store_columns(plane: u32, y: u32, x: u32, left: array<f32, 7>, right: array<f32, 7>, j: u32, offset: f32) {
    store_block(plane, y, x + j, vec2(left[0], right[0]) + offset, vec2(left[1], right[1]) + offset);
    if MH > 2 { store_block(plane, y + 2, x + j, vec2(left[2], right[2]) + offset, vec2(left[3], right[3]) + offset); }
    if MH > 4 { store_block(plane, y + 4, x + j, vec2(left[4], right[4]) + offset, vec2(left[5], right[5]) + offset); }
}
