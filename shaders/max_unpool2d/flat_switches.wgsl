// Unpooling of two values side by side by where in their plane they go, a word each.

@group(0) @binding(2) var<storage, read> switches: array<Pair>;

fn unpool_pair(row: Row, pair: u32) {
    let upper_cells = row.cell + 4 * pair + vec4(0u, 1u, 2u, 3u);
    let lower_cells = upper_cells + 4 * params.row_pairs;
    let owners = pair_words(switches[row.first_switches * params.row_pairs + pair]).xxyy;
    var upper = select(vec4<u32>(), vec4(FIRST_OF_WORD), owners == upper_cells);
    var lower = select(vec4<u32>(), vec4(FIRST_OF_WORD), owners == lower_cells);
    if CHANNELS_A_WORD == 2 {
        let owners = pair_words(switches[row.second_switches * params.row_pairs + pair]).xxyy;
        upper |= select(vec4<u32>(), vec4(SECOND_OF_WORD), owners == upper_cells);
        lower |= select(vec4<u32>(), vec4(SECOND_OF_WORD), owners == lower_cells);
    }
    unpool_values(row, pair, upper, lower);
}
