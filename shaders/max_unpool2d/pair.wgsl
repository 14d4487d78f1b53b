// Two values side by side, whose 2x2 windows of step 2 are a vector of either row of y, for kernels that go through all of them.

@group(0) @binding(1) var<storage, read> x: array<Pair>;
@group(0) @binding(2) var<storage, read> switches: array<Pair>;
@group(0) @binding(3) var<storage, read_write> y: array<Quad>;

fn unpool_pair(row: Row, pair: u32) {
    let values = pair_words(x[row.pair + pair]).xxyy;
    let upper_cells = row.cell + 4 * pair + vec4(0u, 1u, 2u, 3u);
    let lower_cells = upper_cells + 4 * params.row_pairs;
    let owners = pair_words(switches[row.first_switches + pair]).xxyy;
    var upper = select(vec4<u32>(), vec4(FIRST_OF_WORD), owners == upper_cells);
    var lower = select(vec4<u32>(), vec4(FIRST_OF_WORD), owners == lower_cells);
    if CHANNELS_A_WORD == 2 {
        let owners = pair_words(switches[row.second_switches + pair]).xxyy;
        upper |= select(vec4<u32>(), vec4(SECOND_OF_WORD), owners == upper_cells);
        lower |= select(vec4<u32>(), vec4(SECOND_OF_WORD), owners == lower_cells);
    }
    // A row of x has as many pairs as each of its two rows of y has vectors.
    y[2 * row.pair + pair] = to_quad(values & upper);
    y[2 * row.pair + params.row_pairs + pair] = to_quad(values & lower);
}
