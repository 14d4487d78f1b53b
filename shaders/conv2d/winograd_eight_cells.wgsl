// The end of minimal filtering in tiles of 8x8 cells that stores the map itself: two columns at a time, as many cells as a tile gives.

fn store_column(plane: u32, y: u32, x: u32, z: array<f32, 7>, offset: f32) {
    store_cell(plane, y, x, z[0] + offset);
    store_cell(plane, y + 1, x, z[1] + offset);
    if MH > 2 { store_cell(plane, y + 2, x, z[2] + offset); }
    if MH > 3 { store_cell(plane, y + 3, x, z[3] + offset); }
    if MH > 4 { store_cell(plane, y + 4, x, z[4] + offset); }
    if MH > 5 { store_cell(plane, y + 5, x, z[5] + offset); }
    if MH > 6 { store_cell(plane, y + 6, x, z[6] + offset); }
}

// Stores columns j and j + 1 of the tile whose first cell is at y, x.
fn store_columns(plane: u32, y: u32, x: u32, left: array<f32, 7>, right: array<f32, 7>, j: u32, offset: f32) {
    store_column(plane, y, x + j, left, offset);
    if j + 1 < MW { store_column(plane, y, x + j + 1, right, offset); }
}
