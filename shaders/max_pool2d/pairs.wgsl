// Computes  y[n,c,i,j] = max of x[n,c, 2i..2i+2, 2j..2j+2]; if SWITCHES, switches[n,c,i,j] = row * in_w + column of that maximum
//           in its own plane of x.
// Layout    x: planes of words, f32 or two channels in f16, as bits; an even number of rows, rows of whole fours; y like x with
//           half the rows and columns; switches: NCHW, u32.
// Bindings  0 params; 1 x; 2 y; 3 switches, written if SWITCHES.
// Overrides SWITCHES; RUN, pairs of words of y that an invocation computes; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation RUN pairs in a row, each of which are two vectors of x, or what is left of the row; folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every word of y, and of switches if SWITCHES, once.
// Order     A window's cells in raster order: the first of equal values, the last NaN.
// Uses      common/index.wgsl, common/rank.wgsl, common/rank_half.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl,
//           max_pool2d/best.wgsl, max_pool2d/maxima_f32.wgsl, max_pool2d/maxima_half.wgsl
// Oracle    reference::max_pool2d

struct Params {
    // Runs of pairs of words of y, and runs in one of its rows.
    runs: u32,
    row_runs: u32,
    // Rows of a plane of y, and pairs in one of its rows.
    rows: u32,
    row_pairs: u32,
    // Channels of an image.
    channels: u32,
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
    let plane = row / params.rows;
    let row_of_plane = row % params.rows;
    let first_row = first_channel(plane, params.channels) * params.rows + row_of_plane;
    let second_row = second_channel(plane, params.channels) * params.rows + row_of_plane;
    let first_pair = run % params.row_runs * RUN;
    for (var k = 0u; k < RUN; k++) {
        let pair = first_pair + k;
        if pair < params.row_pairs {
            // A row of y has as many pairs as each of its two rows of x has vectors.
            let upper = x[2 * row * params.row_pairs + pair];
            let lower = x[(2 * row + 1) * params.row_pairs + pair];
            let best = maxima(upper, lower);
            y[row * params.row_pairs + pair] = best.words;
            if SWITCHES {
                switches[first_row * params.row_pairs + pair] = flat_cells(row_of_plane, pair, best.cells);
                // Beside a last odd channel there is no second one.
                if CHANNELS_A_WORD == 2 && second_row != first_row {
                    switches[second_row * params.row_pairs + pair] = flat_cells(row_of_plane, pair, best.second_cells);
                }
            }
        }
    }
}

// Where in their plane of x the cells of two windows are.
fn flat_cells(row: u32, pair: u32, cells: vec2<u32>) -> vec2<u32> {
    let in_w = 4 * params.row_pairs;
    let corner = 2 * row * in_w + 4 * pair;
    return vec2(corner, corner + 2) + select(vec2<u32>(), vec2(in_w), cells >= vec2(2u)) + (cells & vec2(1u));
}
