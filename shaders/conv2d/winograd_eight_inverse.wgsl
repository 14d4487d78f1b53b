// The transform of products back to cells, in tiles of 8x8 cells. For kernels with conv2d/inverse that bring `store_columns`.
//
// A^T is that of Cook and Toom for the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity
// (reference/minimal_filtering/matrices.rs): row i has the points' i-th powers, so that sizes differ only in how many rows
// there are and in which of them, the last, infinity stands.

// Output cells of a tile along each axis (2 to 7).
override MH: u32;
override MW: u32;

// The first `cells` of A^T m for one row or column m, and numbers without meaning.
fn transform(m: array<f32, 8>, cells: u32) -> array<f32, 7> {
    let even_1 = m[1] + m[2];
    let odd_1 = m[1] - m[2];
    let even_2 = m[3] + m[4];
    let odd_2 = m[3] - m[4];
    let even_half = m[5] + m[6];
    let odd_half = m[5] - m[6];
    return array(
        (m[0] + even_1) + (even_2 + even_half),
        fma(2.0, odd_2, odd_1) + fma(0.5, odd_half, select(0.0, m[7], cells == 2)),
        fma(4.0, even_2, even_1) + fma(0.25, even_half, select(0.0, m[7], cells == 3)),
        fma(8.0, odd_2, odd_1) + fma(0.125, odd_half, select(0.0, m[7], cells == 4)),
        fma(16.0, even_2, even_1) + fma(0.0625, even_half, select(0.0, m[7], cells == 5)),
        fma(32.0, odd_2, odd_1) + fma(0.03125, odd_half, select(0.0, m[7], cells == 6)),
        fma(64.0, even_2, even_1) + fma(0.015625, even_half, select(0.0, m[7], cells == 7)),
    );
}

// A tile of a channel, the i-th of a dispatch: where its products are, m[0, o, t], where its cells lie, and what is added to
// them.
struct OutputTile {
    i: u32,
    at: u32,
    plane: u32,
    y: u32,
    x: u32,
    offset: f32,
}

// Tiles vary fastest, then channels.
fn tile_at(i: u32) -> OutputTile {
    let o = i / params.count;
    let row_of_m = o / params.group_outputs * params.group_rows + o % params.group_outputs;
    let tile = params.first_tile + i % params.count;
    let within = tile % params.image_tiles;
    return OutputTile(
        i,
        row_of_m * params.tiles + i % params.count,
        tile / params.image_tiles * params.out_channels + o,
        within / params.tile_columns * MH,
        within % params.tile_columns * MW,
        bias(o),
    );
}

// The transform of row i of m.
fn row(at: u32, i: u32) -> array<f32, 7> {
    let step = params.channels * params.tiles;
    let first = at + 8 * i * step;
    return transform(
        array(
            m[first], m[first + step], m[first + 2 * step], m[first + 3 * step],
            m[first + 4 * step], m[first + 5 * step], m[first + 6 * step], m[first + 7 * step],
        ),
        MW,
    );
}

// Makes a tile, and stores its columns in twos; beside a last odd one stands itself.
fn make(tile: OutputTile) {
    let r0 = row(tile.at, 0);
    let r1 = row(tile.at, 1);
    let r2 = row(tile.at, 2);
    let r3 = row(tile.at, 3);
    let r4 = row(tile.at, 4);
    let r5 = row(tile.at, 5);
    let r6 = row(tile.at, 6);
    let r7 = row(tile.at, 7);
    let c0 = transform(array(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0], r6[0], r7[0]), MH);
    let c1 = transform(array(r0[1], r1[1], r2[1], r3[1], r4[1], r5[1], r6[1], r7[1]), MH);
    store_columns(tile, 0, c0, c1);
    if MW > 2 {
        let c2 = transform(array(r0[2], r1[2], r2[2], r3[2], r4[2], r5[2], r6[2], r7[2]), MH);
        let c3 = transform(array(r0[3], r1[3], r2[3], r3[3], r4[3], r5[3], r6[3], r7[3]), MH);
        store_columns(tile, 2, c2, c3);
    }
    if MW > 4 {
        let c4 = transform(array(r0[4], r1[4], r2[4], r3[4], r4[4], r5[4], r6[4], r7[4]), MH);
        let c5 = transform(array(r0[5], r1[5], r2[5], r3[5], r4[5], r5[5], r6[5], r7[5]), MH);
        store_columns(tile, 4, c4, c5);
    }
    if MW > 6 {
        let c6 = transform(array(r0[6], r1[6], r2[6], r3[6], r4[6], r5[6], r6[6], r7[6]), MH);
        store_columns(tile, 6, c6, c6);
    }
}
