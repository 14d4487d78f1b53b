// Products with one vector of cells. For kernels with common/tile whose weights come by `weights_at`.

// Adds four terms to the tile whose weights start at the i-th vector.
fn multiply_add_at(tile: ptr<function, Tile>, columns: mat4x4<f32>, i: u32) {
    multiply_add(
        tile,
        columns,
        weights_at(i),
        weights_at(i + 1),
        weights_at(i + 2),
        weights_at(i + 3),
        weights_at(i + 4),
        weights_at(i + 5),
        weights_at(i + 6),
        weights_at(i + 7),
    );
}
