// Computes  y[n,c, cell] = x[n,c,i,j] if switches[n,c,i,j] = cell, 0 elsewhere, for the switches of a pooling by 2x2 windows of
//           step 2.
// Layout    x: planes of words, f32 or two channels in f16, as bits; switches: NCHW, u32, flat in a plane of y; y like x with
//           twice the rows and columns, rows of whole fours.
// Bindings  0 params; 1 x; 2 switches; 3 y.
// Overrides RUN, pairs of words of x that an invocation moves; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation RUN pairs in a row, each of which becomes two vectors of y, or what is left of the row; folded.
// Limits    Every switch lies in its own window (Switches::new refuses others); fewer than 2^31 elements.
// Writes    Every vector of y, once: no clearing pass.
// Order     Any: windows do not overlap.
// Uses      common/index.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl
// Oracle    reference::max_unpool2d

struct Params {
    // Runs of pairs of words of x, and runs in one of its rows.
    runs: u32,
    row_runs: u32,
    // Rows of a plane of x, and pairs in one of its rows.
    rows: u32,
    row_pairs: u32,
    // Channels of an image.
    channels: u32,
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
    let plane = row / params.rows;
    let row_of_plane = row % params.rows;
    let first_row = first_channel(plane, params.channels) * params.rows + row_of_plane;
    let second_row = second_channel(plane, params.channels) * params.rows + row_of_plane;
    let first_pair = run % params.row_runs * RUN;
    let out_w = 4 * params.row_pairs;
    for (var k = 0u; k < RUN; k++) {
        let pair = first_pair + k;
        if pair < params.row_pairs {
            let values = x[row * params.row_pairs + pair].xxyy;
            let cells = 2 * row_of_plane * out_w + 4 * pair + vec4(0u, 1u, 2u, 3u);
            let owners = switches[first_row * params.row_pairs + pair].xxyy;
            var upper = select(vec4<u32>(), vec4(FIRST_OF_WORD), owners == cells);
            var lower = select(vec4<u32>(), vec4(FIRST_OF_WORD), owners == cells + out_w);
            if CHANNELS_A_WORD == 2 {
                let owners = switches[second_row * params.row_pairs + pair].xxyy;
                upper |= select(vec4<u32>(), vec4(SECOND_OF_WORD), owners == cells);
                lower |= select(vec4<u32>(), vec4(SECOND_OF_WORD), owners == cells + out_w);
            }
            // A row of x has as many pairs as each of its two rows of y has vectors.
            y[2 * row * params.row_pairs + pair] = values & upper;
            y[(2 * row + 1) * params.row_pairs + pair] = values & lower;
        }
    }
}
