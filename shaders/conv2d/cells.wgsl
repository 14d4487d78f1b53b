// The end of minimal filtering that stores the map itself, by blocks of two by two cells.

@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn store_cell(plane: u32, row: u32, column: u32, sum: f32) {
    if row < params.out_h && column < params.out_w {
        y[(plane * params.out_h + row) * params.out_w + column] = activate(sum);
    }
}

// Stores the cells of a block whose first is at row, column: as many as the map has.
fn store_block(plane: u32, row: u32, column: u32, upper: vec2<f32>, lower: vec2<f32>) {
    store_cell(plane, row, column, upper.x);
    store_cell(plane, row, column + 1, upper.y);
    store_cell(plane, row + 1, column, lower.x);
    store_cell(plane, row + 1, column + 1, lower.y);
}
