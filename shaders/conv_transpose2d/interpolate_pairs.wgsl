// Computes  As conv_transpose2d/interpolate, where every output cell has four taps, two cells of a row at a time.
// Layout    x: N x C x H x W; w: C x 1 x KH x KW; b: C; y: N x C x OH x OW, as bits. Or x and y in f16, two channels a word.
// Bindings  0 params; 1 x; 2 w; 3 b, read if BIAS; 4 y; 5 overflow, where y is f16.
// Overrides SY SX (stride); BIAS, RELU; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation computes 4*SY by SX cells (words of two channels): those between four by two cells of x and those above
//           them. Invocations go through the columns of such strips of a plane, then strips; `plane_tiles` workgroups a plane,
//           `tiles` in all. Folded.
// Limits    KH = 2*SY, KW = 2*SX, dilation 1; SX, OW and the border on the left even. Each operand fits one binding and has
//           fewer than 2^31 elements.
// Writes    Every cell of y, once.
// Order     One f32 accumulator: the taps (u, v), (u, v+SX), (u+SY, v), (u+SY, v+SX), the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/vectors.wgsl, common/vectors_u64.wgsl,
//           conv_transpose2d/pair_f32.wgsl or convert/half_word.wgsl, convert/half_words.wgsl, conv_transpose2d/pair_half.wgsl
// Oracle    reference::conv_transpose2d
//
// Why       For CPU drivers: four rows share the weights that are loaded, which all invocations of a workgroup have in common; a
//           column of five pairs of cells serves four rows; and what is stored goes two words at a time.

struct Params {
    channels: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    pad_top: u32,
    pad_left: u32,
    // Cells of x between which a row of y lies, those outside included; workgroups of a plane, and in all.
    columns: u32,
    plane_tiles: u32,
    tiles: u32,
}

override SY: u32;
override SX: u32;
override BIAS: bool;
override WORKGROUP: u32 = 8;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> w: array<Pair>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<Pair>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let tile = flat_workgroup(workgroup, workgroups);
    if tile >= params.tiles {
        return;
    }
    let plane = tile / params.plane_tiles;
    let column = tile % params.plane_tiles * WORKGROUP + invocation;
    let i = column / params.columns * 4;
    let j = column % params.columns;
    let strip = strip_of(plane);
    // Row -1 wraps around to a number beyond the last.
    let row0 = cells_of(plane, i - 1, j);
    let row1 = cells_of(plane, i, j);
    let row2 = cells_of(plane, i + 1, j);
    let row3 = cells_of(plane, i + 2, j);
    let row4 = cells_of(plane, i + 3, j);

    let out_h = params.out_h;
    let out_w = params.out_w;
    // Rows and columns with the border that is cut off; one before the first wraps around.
    let first_p = i * SY - params.pad_top;
    let first_q = j * SX - params.pad_left;
    let plane_row = plane * out_h;
    for (var u = 0u; u < SY; u++) {
        let p = first_p + u + SY * vec4(0u, 1u, 2u, 3u);
        let inside = p < vec4(out_h);
        let at = ((plane_row + p) * out_w + first_q) / 2;
        for (var v = 0u; v < SX; v += 2) {
            let filters = filters_at(strip, u, v);
            let stored = inside & vec4(first_q + v < out_w);
            let to = at + v / 2;
            let sum0 = weigh(strip, filters, row1, row0);
            let sum1 = weigh(strip, filters, row2, row1);
            let sum2 = weigh(strip, filters, row3, row2);
            let sum3 = weigh(strip, filters, row4, row3);
            if stored.x { y[to.x] = to_pair(sum0); }
            if stored.y { y[to.y] = to_pair(sum1); }
            if stored.z { y[to.z] = to_pair(sum2); }
            if stored.w { y[to.w] = to_pair(sum3); }
        }
    }
}

// The weights of two output cells side by side, by the four taps of each.
struct Filter {
    lower_right: vec2<f32>,
    lower_left: vec2<f32>,
    upper_right: vec2<f32>,
    upper_left: vec2<f32>,
}

fn filter_at(channel: u32, u: u32, v: u32) -> Filter {
    let first = ((channel * 2 * SY + u) * 2 * SX + v) / 2;
    let below = SY * SX;
    return Filter(weights_at(first), weights_at(first + SX / 2), weights_at(first + below), weights_at(first + below + SX / 2));
}

fn weights_at(i: u32) -> vec2<f32> {
    return bitcast<vec2<f32>>(pair_words(w[i]));
}

// Which of the cells in columns j and j-1 of a row of x are inside it, and where they are; the first of the plane for others.
struct Places {
    at: vec2<u32>,
    inside: vec2<bool>,
}

fn places_of(plane: u32, i: u32, j: u32) -> Places {
    // Column -1 wraps around to a number beyond the last.
    let column = vec2(j, j - 1);
    let inside = vec2(i < params.in_h) & (column < vec2(params.in_w));
    let first = plane * params.in_h * params.in_w;
    return Places(first + select(vec2<u32>(), i * params.in_w + column, inside), inside);
}

// Two output cells from cells (i, j), (i, j-1) and those above, in this order; cells outside are left out, for an infinite weight
// times zero is not zero.
fn sums(taps: Filter, lower: vec2<f32>, in_lower: vec2<bool>, upper: vec2<f32>, in_upper: vec2<bool>) -> vec2<f32> {
    var sum = vec2<f32>();
    sum = select(sum, fma(vec2(lower.x), taps.lower_right, sum), vec2(in_lower.x));
    sum = select(sum, fma(vec2(lower.y), taps.lower_left, sum), vec2(in_lower.y));
    sum = select(sum, fma(vec2(upper.x), taps.upper_right, sum), vec2(in_upper.x));
    return select(sum, fma(vec2(upper.y), taps.upper_left, sum), vec2(in_upper.y));
}
