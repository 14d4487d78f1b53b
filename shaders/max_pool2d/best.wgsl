// The search of 2x2 windows, for kernels that bring INFINITY, the bits of that number as the first of a word (max_pool2d/maxima_f32,
// max_pool2d/maxima_half).

// The maxima of two windows side by side, and which of its window's cells each is, 0 to 3 in raster order.
struct Best {
    bits: vec2<u32>,
    cells: vec2<u32>,
}

// Ranks of values among all, as signed integers: magnitudes grow with bits, so that b and 0x80000000 - b order numbers of either
// sign, both zeros alike. Moved down until -infinity has the least integer there is, NaNs of either sign come to lie above infinity:
// the positive ones are already, the negative ones wrap around.
fn ranks_of(bits: vec4<u32>) -> vec4<i32> {
    let negative = bitcast<vec4<i32>>(bits) < vec4(0);
    return bitcast<vec4<i32>>(select(bits - (0x80000000u - INFINITY), INFINITY - bits, negative));
}

const RANK_OF_INFINITY: i32 = i32(2 * INFINITY - 0x80000000u);

// Best of two rows of four cells, the first two of each being the left window's. Two and two at a time: the first of equal
// values stays, and the last NaN, in whatever grouping cells are compared.
fn best_of(upper: vec4<u32>, lower: vec4<u32>) -> Best {
    // Upper cells of both windows, then lower ones.
    let left = vec4(upper.xz, lower.xz);
    let right = vec4(upper.yw, lower.yw);
    let left_ranks = ranks_of(left);
    let right_ranks = ranks_of(right);
    let to_right = right_ranks > min(left_ranks, vec4(RANK_OF_INFINITY));
    let bits = select(left, right, to_right);
    let ranks = select(left_ranks, right_ranks, to_right);
    let columns = select(vec4(0u, 0u, 2u, 2u), vec4(1u, 1u, 3u, 3u), to_right);
    let down = ranks.zw > min(ranks.xy, vec2(RANK_OF_INFINITY));
    return Best(select(bits.xy, bits.zw, down), select(columns.xy, columns.zw, down));
}
