// The transform of products back to cells, in tiles of 8x8 cells.
//
// A^T is that of Cook and Toom for the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity (reference/minimal_filtering/matrices.rs): row i
// has the points' i-th powers, so that sizes differ only in how many rows there are and in which of them, the last, infinity stands.

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

// The transform of row i; `at` is m[0, o, t].
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
