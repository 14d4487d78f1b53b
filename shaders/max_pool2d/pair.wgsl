// Two 2x2 windows of step 2 side by side, whose four cells of either row are a vector of x, for kernels that go through all of
// them.

@group(0) @binding(1) var<storage, read> x: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Pair>;

fn vector_at(i: u32) -> Quad {
    return x[i];
}

// Stores the maxima of a pair of a row's windows.
fn pool_values(row: Row, pair: u32) -> Maxima {
    let best = maxima(quad_words(x[row.vector + pair]), quad_words(x[row.vector + params.row_pairs + pair]));
    y[row.pair + pair] = to_pair(best.words);
    return best;
}
