// The search of 2x2 windows, for kernels that bring ranks (common/rank.wgsl, common/rank_half.wgsl).

// The maxima of two windows side by side, and which of its window's cells each is, 0 to 3 in raster order.
struct Best {
    bits: vec2<u32>,
    cells: vec2<u32>,
}

// Best of two rows of four cells, the first two of each being the left window's. Two and two at a time: the first of equal
// values stays, and the last NaN, in whatever grouping cells are compared.
fn best_of(upper: vec4<u32>, lower: vec4<u32>) -> Best {
    // Upper cells of both windows, then lower ones.
    let left = vec4(upper.xz, lower.xz);
    let right = vec4(upper.yw, lower.yw);
    let left_ranks = rank4(left);
    let right_ranks = rank4(right);
    let to_right = right_ranks > min(left_ranks, vec4(RANK_OF_INFINITY));
    let bits = select(left, right, to_right);
    let ranks = select(left_ranks, right_ranks, to_right);
    let columns = select(vec4(0u, 0u, 2u, 2u), vec4(1u, 1u, 3u, 3u), to_right);
    let down = ranks.zw > min(ranks.xy, vec2(RANK_OF_INFINITY));
    return Best(select(bits.xy, bits.zw, down), select(columns.xy, columns.zw, down));
}
