// Four neighbouring cells weighed: the transposed convolution of one channel by a kernel of at most two strides a side. For
// kernels that bind w: array<f32>, one filter for each of params.channels, and whose params say out_h, out_w, pad_top, pad_left.

override KH: u32;
override KW: u32;
override SY: u32;
override SX: u32;
override TILE_COLUMNS: u32;
override WHOLE: bool;

// Cells (i, j), (i, j-1), (i-1, j), (i-1, j-1) of a plane of x, zero where they are outside, and which are inside.
struct Corner {
    cells: vec4<f32>,
    inside: vec4<bool>,
}

// Where they are in x, the first cell of the plane for those outside.
struct CornerPlace {
    at: vec4<u32>,
    inside: vec4<bool>,
}

fn corner_place(plane: u32, i: u32, j: u32, rows: u32, columns: u32) -> CornerPlace {
    // Row or column -1 wraps around to a number beyond the last.
    let row = i - vec4(0u, 0u, 1u, 1u);
    let column = j - vec4(0u, 1u, 0u, 1u);
    let inside = (row < vec4(rows)) & (column < vec4(columns));
    return CornerPlace(plane + select(vec4<u32>(), row * columns + column, inside), inside);
}

// The first four output cells of the tile that begins at a tap (u, v): TILE_COLUMNS of them side by side, the others in the rows
// below.
struct Taps {
    u: vec4<u32>,
    v: vec4<u32>,
}

fn taps_from(u: u32, v: u32) -> Taps {
    let t = vec4(0u, 1u, 2u, 3u);
    return Taps(u + t / TILE_COLUMNS, v + t % TILE_COLUMNS);
}

// Where four output cells lie in y, and whether they are to be stored.
struct Kept {
    at: vec4<u32>,
    stored: vec4<bool>,
}

// For the cells between the same four cells of x, the last of which is (i, j): those inside the output, of rows of taps before `end`.
fn kept_cells(plane: u32, i: u32, j: u32, end: u32, taps: Taps) -> Kept {
    // A row or column before the first wraps around to a number beyond the last.
    let p = i * SY + taps.u - params.pad_top;
    let q = j * SX + taps.v - params.pad_left;
    let own = (taps.u < vec4(end)) & (taps.v < vec4(SX));
    let at = (plane * params.out_h + p) * params.out_w + q;
    return Kept(at, own & (p < vec4(params.out_h)) & (q < vec4(params.out_w)));
}

// For each of four output cells, the sum of the taps (u, v), (u, v+SX), (u+SY, v), (u+SY, v+SX) of a channel's filter times the
// corner's cells, in this order; cells outside are left out, for an infinite weight times zero is not zero.
fn blend(corner: Corner, channel: u32, taps: Taps) -> vec4<f32> {
    let first = (channel * KH + taps.u) * KW + taps.v;
    // In a WHOLE kernel every output cell has all four taps.
    let upper = vec4(WHOLE) | (taps.u < vec4(KH));
    let lower = vec4(WHOLE) | (taps.u + SY < vec4(KH));
    let left = vec4(WHOLE) | (taps.v < vec4(KW));
    let right = vec4(WHOLE) | (taps.v + SX < vec4(KW));
    var sum = vec4<f32>();
    sum = term(sum, corner.cells.x, first, upper & left & vec4(corner.inside.x));
    sum = term(sum, corner.cells.y, first + SX, upper & right & vec4(corner.inside.y));
    sum = term(sum, corner.cells.z, first + SY * KW, lower & left & vec4(corner.inside.z));
    return term(sum, corner.cells.w, first + SY * KW + SX, lower & right & vec4(corner.inside.w));
}

fn term(sum: vec4<f32>, cell: f32, weights: vec4<u32>, applies: vec4<bool>) -> vec4<f32> {
    let at = select(min(weights, vec4(params.channels * KH * KW - 1)), weights, vec4(WHOLE));
    return select(sum, fma(vec4(cell), vec4(w[at.x], w[at.y], w[at.z], w[at.w]), sum), applies);
}
