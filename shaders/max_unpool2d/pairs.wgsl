// Computes  y[n,c, cell] = x[n,c,i,j] if switches[n,c,i,j] = cell, 0 elsewhere, for the switches of a pooling by 2x2 windows of
//           step 2.
// Layout    x, switches: NCHW of one shape, x as the bits of f32, switches u32, flat in a plane of y; y: NCHW as bits, with
//           twice the rows and columns, rows of whole fours.
// Bindings  0 params; 1 x; 2 switches; 3 y.
// Overrides RUN, pairs of elements of x that an invocation moves; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation RUN pairs in a row, each of which becomes two vectors of y, or what is left of the row; folded.
// Limits    Every switch lies in its own window (Switches::new refuses others); fewer than 2^31 elements.
// Writes    Every vector of y, once: no clearing pass.
// Order     Any: windows do not overlap.
// Uses      common/index.wgsl
// Oracle    reference::max_unpool2d

struct Params {
    // Runs of pairs of elements of x, and runs in one of its rows.
    runs: u32,
    row_runs: u32,
    // Rows of a plane of x, and pairs in one of its rows.
    rows: u32,
    row_pairs: u32,
}

override RUN: u32;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> switches: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<u32>>;

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
            unpool_pair(row, first_pair + k);
        }
    }
}

// The pair-th two values of a row of x, counted over all planes.
fn unpool_pair(row: u32, pair: u32) {
    // A row of x has as many pairs as each of its two rows of y has vectors.
    let out_w = 4 * params.row_pairs;
    let first = row % params.rows * 2 * out_w + 4 * pair;
    let index = row * params.row_pairs + pair;
    let values = x[index].xxyy;
    let owners = switches[index].xxyy;
    let cells = first + vec4(0u, 1u, 2u, 3u);
    let upper = 2 * row * params.row_pairs + pair;
    y[upper] = select(vec4<u32>(), values, owners == cells);
    y[upper + params.row_pairs] = select(vec4<u32>(), values, owners == cells + out_w);
}
