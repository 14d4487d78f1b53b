// Pairs of 2x2 windows of step 2, side by side, in the rows of a map and of the pooled map that has a value for each window:
// what pooling and unpooling share.

struct Params {
    // Rows of the pooled map over all planes, and of one; pairs of its values in a row.
    all_rows: u32,
    rows: u32,
    row_pairs: u32,
    // Channels of an image.
    channels: u32,
    // 0, which no compiler knows.
    zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// A row of the pooled map: its first pair, the first vector of the upper one of its two rows of the other map, which have as many
// vectors each as it has pairs, the row of switches of each of its channels, and the position in their planes of the other map of
// the first cell.
struct Row {
    pair: u32,
    vector: u32,
    first_switches: u32,
    second_switches: u32,
    cell: u32,
}

fn row_at(row: u32) -> Row {
    let plane = row / params.rows;
    let row_of_plane = row % params.rows;
    return Row(
        row * params.row_pairs,
        2 * row * params.row_pairs,
        first_channel(plane, params.channels) * params.rows + row_of_plane,
        second_channel(plane, params.channels) * params.rows + row_of_plane,
        8 * row_of_plane * params.row_pairs,
    );
}
