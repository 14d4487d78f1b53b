// Two values side by side, whose 2x2 windows of step 2 are a vector of either row of y, for kernels that go through all of them.

@group(0) @binding(1) var<storage, read> x: array<Pair>;
@group(0) @binding(3) var<storage, read_write> y: array<Quad>;

fn vector_at(i: u32) -> Quad {
    return y[i];
}

// Stores the cells of both windows: of their values the bits that belong there.
fn unpool_values(row: Row, pair: u32, upper: vec4<u32>, lower: vec4<u32>) {
    let values = pair_words(x[row.pair + pair]).xxyy;
    y[row.vector + pair] = to_quad(values & upper);
    y[row.vector + params.row_pairs + pair] = to_quad(values & lower);
}
