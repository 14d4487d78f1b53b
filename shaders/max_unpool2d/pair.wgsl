// Two values side by side, whose 2x2 windows of step 2 are a vector of either row of y, for kernels that go through all of them.

struct Params {
    // Rows of x over all planes, and of one; pairs of values in a row.
    all_rows: u32,
    rows: u32,
    row_pairs: u32,
    // Channels of an image.
    channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Pair>;
@group(0) @binding(2) var<storage, read> switches: array<Pair>;
@group(0) @binding(3) var<storage, read_write> y: array<Quad>;

// A row of x: its first pair, the first pair of switches of each of its channels, and the position in their planes of y of the
// first cell.
struct Row {
    pair: u32,
    first_switches: u32,
    second_switches: u32,
    cell: u32,
}

fn row_at(row: u32) -> Row {
    let plane = row / params.rows;
    let row_of_plane = row % params.rows;
    return Row(
        row * params.row_pairs,
        (first_channel(plane, params.channels) * params.rows + row_of_plane) * params.row_pairs,
        (second_channel(plane, params.channels) * params.rows + row_of_plane) * params.row_pairs,
        8 * row_of_plane * params.row_pairs,
    );
}

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
