// Computes  y[n,c,i,j] = max of x[n,c, 2i..2i+2, 2j..2j+2]; if SWITCHES, switches[n,c,i,j] = row * in_w + column of that maximum
//           in its own plane of x.
// Layout    x: NCHW, f32 as bits, planes of an even number of rows, rows of whole fours; y like x with half the rows and
//           columns; switches like y, u32.
// Bindings  0 params; 1 x; 2 y; 3 switches, written if SWITCHES.
// Overrides SWITCHES; RUN, pairs of elements of y that an invocation computes; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation RUN pairs in a row, each of which are two vectors of x, or what is left of the row; folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of y, and of switches if SWITCHES, once.
// Order     A window's cells in raster order: the first of equal values, the last NaN.
// Uses      common/index.wgsl, common/rank.wgsl
// Oracle    reference::max_pool2d

struct Params {
    // Runs of pairs of elements of y, and runs in one of its rows.
    runs: u32,
    row_runs: u32,
    // Rows of a plane of y, and pairs in one of its rows.
    rows: u32,
    row_pairs: u32,
}

override SWITCHES: bool;
override RUN: u32;
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
    let run = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if run >= params.runs {
        return;
    }
    let row = run / params.row_runs;
    let first_pair = run % params.row_runs * RUN;
    for (var k = 0u; k < RUN; k++) {
        if first_pair + k < params.row_pairs {
            pool_pair(row, first_pair + k);
        }
    }
}

// Two windows side by side: the pair-th of a row of y, counted over all planes.
fn pool_pair(row: u32, pair: u32) {
    // A row of y has as many pairs as each of its two rows of x has vectors.
    let upper = x[2 * row * params.row_pairs + pair];
    let lower = x[(2 * row + 1) * params.row_pairs + pair];
    let in_w = 4 * params.row_pairs;
    let first = row % params.rows * 2 * in_w + 4 * pair;

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
    let index = row * params.row_pairs + pair;
    y[index] = bits;
    if SWITCHES {
        switches[index] = cell;
    }
}

fn ranks(bits: vec2<u32>) -> vec2<i32> {
    return vec2(rank(bits.x), rank(bits.y));
}
