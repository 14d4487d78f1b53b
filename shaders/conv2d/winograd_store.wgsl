// The end of a product of minimal filtering: vectors of four tiles, for kernels with common/tile that say ROWS.

@group(0) @binding(3) var<storage, read_write> m: array<vec4<f32>>;

// Stores eight rows from m[i] on, `step` vectors apart.
fn store_tile(i: u32, step: u32, tile: Tile) {
    m[i] = tile.r0;
    m[i + step] = tile.r1;
    m[i + 2 * step] = tile.r2;
    m[i + 3 * step] = tile.r3;
    m[i + 4 * step] = tile.r4;
    m[i + 5 * step] = tile.r5;
    m[i + 6 * step] = tile.r6;
    m[i + 7 * step] = tile.r7;
}

// Stores the rows of one vector of tiles.
fn store_rows(i: u32, step: u32, t0: Tile, t1: Tile, t2: Tile, t3: Tile) {
    store_tile(i, step, t0);
    if ROWS > 8 { store_tile(i + 8 * step, step, t1); }
    if ROWS > 16 { store_tile(i + 16 * step, step, t2); }
    if ROWS > 24 { store_tile(i + 24 * step, step, t3); }
}
