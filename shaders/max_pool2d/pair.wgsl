// Two 2x2 windows of step 2 side by side, whose four cells of either row are a vector of x, for kernels that go through all of
// them.

override SWITCHES: bool;

@group(0) @binding(1) var<storage, read> x: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Pair>;
@group(0) @binding(3) var<storage, read_write> switches: array<Pair>;

fn pool_pair(row: Row, pair: u32) {
    // A row of y has as many pairs as each of its two rows of x has vectors.
    let upper = quad_words(x[2 * row.pair + pair]);
    let lower = quad_words(x[2 * row.pair + params.row_pairs + pair]);
    let best = maxima(upper, lower);
    y[row.pair + pair] = to_pair(best.words);
    if SWITCHES {
        let cell = row.cell + 4 * pair;
        switches[row.first_switches + pair] = to_pair(flat_cells(cell, best.cells));
        // Beside a last odd channel there is no second one.
        if CHANNELS_A_WORD == 2 && row.second_switches != row.first_switches {
            switches[row.second_switches + pair] = to_pair(flat_cells(cell, best.second_cells));
        }
    }
}

// Where in their plane of x the cells of two windows are, the first of which begins at `cell`.
fn flat_cells(cell: u32, cells: vec2<u32>) -> vec2<u32> {
    let below = select(vec2<u32>(), vec2(4 * params.row_pairs), cells >= vec2(2u));
    return vec2(cell, cell + 2) + below + (cells & vec2(1u));
}
