// Products with one vector of cells. For kernels with common/tile and conv2d/rows_loaded or conv2d/rows_gathered.

// Adds four terms to the tile of the rows.
fn multiply_add_at(tile: ptr<function, Tile>, columns: mat4x4<f32>, rows: EightRows) {
    multiply_add(
        tile,
        columns,
        row_0(rows),
        row_1(rows),
        row_2(rows),
        row_3(rows),
        row_4(rows),
        row_5(rows),
        row_6(rows),
        row_7(rows),
    );
}
