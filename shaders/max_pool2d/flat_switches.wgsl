// Pooling of two windows side by side, and where in their plane their maxima are, a word each, if SWITCHES.

override SWITCHES: bool;

@group(0) @binding(3) var<storage, read_write> switches: array<Pair>;

fn pool_pair(row: Row, pair: u32) {
    let best = pool_values(row, pair);
    if SWITCHES {
        let cell = row.cell + 4 * pair;
        switches[row.first_switches * params.row_pairs + pair] = to_pair(flat_cells(cell, best.cells));
        // Beside a last odd channel there is no second one.
        if CHANNELS_A_WORD == 2 && row.second_switches != row.first_switches {
            switches[row.second_switches * params.row_pairs + pair] = to_pair(flat_cells(cell, best.second_cells));
        }
    }
}

// Where in their plane of x the cells of two windows are, the first of which begins at `cell`.
fn flat_cells(cell: u32, cells: vec2<u32>) -> vec2<u32> {
    let below = select(vec2<u32>(), vec2(4 * params.row_pairs), cells >= vec2(2u));
    return vec2(cell, cell + 2) + below + (cells & vec2(1u));
}
