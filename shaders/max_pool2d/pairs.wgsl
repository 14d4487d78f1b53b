// Computes  y[n,c,i,j] = max of x[n,c, 2i..2i+2, 2j..2j+2]; if SWITCHES, switches[n,c,i,j] = row * in_w + column of that maximum
//           in its own plane of x.
// Layout    x: NCHW, f32 as bits, planes of an even number of rows, rows of whole fours; y like x with half the rows and
//           columns; switches like y, u32.
// Bindings  0 params; 1 x; 2 y; 3 switches, written if SWITCHES.
// Overrides SWITCHES; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation two elements of y in a row, which are two vectors of x; folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of y, and of switches if SWITCHES, once.
// Order     A window's cells in raster order: the first of equal values, the last NaN.
// Uses      common/index.wgsl, common/rank.wgsl
// Oracle    reference::max_pool2d

struct Params {
    // Pairs of elements of y.
    pairs: u32,
    // Rows of a plane of y, and pairs in one of its rows.
    rows: u32,
    row_pairs: u32,
}

override SWITCHES: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> switches: array<vec2<u32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index >= params.pairs {
        return;
    }
    // A row of y has as many pairs as each of its two rows of x has vectors.
    let row = index / params.row_pairs;
    let upper = x[row * params.row_pairs + index];
    let lower = x[row * params.row_pairs + index + params.row_pairs];
    let in_w = 4 * params.row_pairs;
    let first = row % params.rows * 2 * in_w + 4 * (index % params.row_pairs);

    // Cells of both windows in raster order.
    var bits = upper.xz;
    var cell = vec2(first, first + 2);
    var best = ranks(bits);
    for (var k = 1u; k < 4; k++) {
        var next = upper.yw;
        if k == 2 { next = lower.xz; }
        if k == 3 { next = lower.yw; }
        let rank_next = ranks(next);
        let better = (rank_next > best) | (rank_next == vec2(RANK_OF_NAN));
        bits = select(bits, next, better);
        best = select(best, rank_next, better);
        cell = select(cell, vec2(first, first + 2) + k / 2 * in_w + k % 2, better);
    }
    y[index] = bits;
    if SWITCHES {
        switches[index] = cell;
    }
}

fn ranks(bits: vec2<u32>) -> vec2<i32> {
    return vec2(rank(bits.x), rank(bits.y));
}
