// Pooling of the 16 windows of one word of compact switches, for kernels that bring `four_cells` and `store_pair`.

struct Params {
    // Words of switches, and words in one of their rows.
    words: u32,
    row_words: u32,
    // Rows and columns of a plane of x, and of y.
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Stores the maxima of a word's windows; gives their switches.
fn pool_word(index: u32) -> u32 {
    let row = index / params.row_words;
    let first = index % params.row_words * 16;
    let in_row = 2 * (row % params.out_h);
    let upper_row = (row / params.out_h * params.in_h + in_row) * params.in_w;
    // A window that reaches below the plane has no lower cells; the row above is read in their place.
    let has_lower = in_row + 1 < params.in_h;
    let lower_row = upper_row + select(0, params.in_w, has_lower);

    var switches = 0u;
    for (var k = 0u; k < 16; k += 2) {
        let window = first + k;
        if window >= params.out_w {
            break;
        }
        let columns = 2 * window + vec4(0u, 1u, 2u, 3u);
        let inside = columns < vec4(params.in_w);
        let upper = four_cells(upper_row, columns);
        let lower = four_cells(lower_row, columns);
        let upper_ranks = select(vec4(RANK_BELOW_ALL), rank4(upper), inside);
        let lower_ranks = select(vec4(RANK_BELOW_ALL), rank4(lower), inside & vec4(has_lower));

        var best = Best(upper.xz, upper_ranks.xz, vec2(0u));
        best = better(best, upper.yw, upper_ranks.yw, 1);
        best = better(best, lower.xz, lower_ranks.xz, 2);
        best = better(best, lower.yw, lower_ranks.yw, 3);
        store_pair(row * params.out_w + window, best.bits, window + 1 < params.out_w);
        let second = select(0, best.cell.y, window + 1 < params.out_w);
        switches |= (best.cell.x | (second << 2)) << (2 * k);
    }
    return switches;
}

// The best cells of two windows so far.
struct Best {
    bits: vec2<u32>,
    ranks: vec2<i32>,
    cell: vec2<u32>,
}

// After one more cell of each window: among equal values the first stays, a NaN always wins.
fn better(best: Best, bits: vec2<u32>, ranks: vec2<i32>, cell: u32) -> Best {
    let wins = (ranks > best.ranks) | (ranks == vec2(RANK_OF_NAN));
    return Best(select(best.bits, bits, wins), select(best.ranks, ranks, wins), select(best.cell, vec2(cell), wins));
}
