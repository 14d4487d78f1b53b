// Computes  y[n,o,i,j] = b[o] + sum_{u,v} x[n, o/M, i + u - top, j + v - left] * w[o,0,u,v], negative ones made zero if RELU;
//           cells outside x count as zero. M is how many output channels read one input channel.
// Layout    x: N x C x H x W; w: C*M x 1 x KH x KW; b: C*M; y: N x C*M x OH x OW.
// Bindings  0 params; 1 x; 2 w; 3 b, read if BIAS; 4 y.
// Overrides KH KW (kernel), BIAS, RELU; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation computes four rows of four cells of one plane of y, a workgroup WORKGROUP such blocks of the same
//           plane, along its rows first; `tiles` workgroups have work. Folded.
// Limits    Stride and dilation 1. Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of y, once.
// Order     One f32 accumulator a cell: u, then v ascending, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl
// Oracle    reference::conv2d
//
// Why: there is one channel to sum over, so that a cell that is loaded has few uses: as many as cells of the block need it.
// A row of x is loaded once for all four rows of y, and shifted along under the taps instead of loaded again.

struct Params {
    in_channels: u32,
    in_h: u32,
    in_w: u32,
    out_channels: u32,
    out_h: u32,
    out_w: u32,
    pad_top: u32,
    pad_left: u32,
    // Output channels of one input channel.
    multiplier: u32,
    // Blocks along a row of a plane of y, and in the plane; workgroups that it takes; and in all.
    row_blocks: u32,
    plane_blocks: u32,
    plane_tiles: u32,
    tiles: u32,
}

override KH: u32;
override KW: u32;
override BIAS: bool;
override WORKGROUP: u32 = 8;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// The cell of a row of x; a column before the first wraps around to a number beyond the last.
fn cell(row: u32, column: u32) -> f32 {
    let inside = column < params.in_w;
    return select(0.0, x[row + select(0, column, inside)], inside);
}

fn store(row: u32, column: u32, first: u32, sums: vec4<f32>, offset: f32) {
    if row >= params.out_h {
        return;
    }
    let at = first + row * params.out_w + column;
    y[at] = activate(sums.x + offset);
    if column + 1 < params.out_w { y[at + 1] = activate(sums.y + offset); }
    if column + 2 < params.out_w { y[at + 2] = activate(sums.z + offset); }
    if column + 3 < params.out_w { y[at + 3] = activate(sums.w + offset); }
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let tile = flat_workgroup(workgroup, workgroups);
    let block = tile % params.plane_tiles * WORKGROUP + invocation;
    if tile >= params.tiles || block >= params.plane_blocks {
        return;
    }
    let o = tile / params.plane_tiles % params.out_channels;
    let n = tile / params.plane_tiles / params.out_channels;
    let i = block / params.row_blocks * 4;
    let j = block % params.row_blocks * 4;
    let plane = (n * params.in_channels + o / params.multiplier) * params.in_h * params.in_w;
    let weights = o * KH * KW;
    let column = j - params.pad_left;
    var r0 = vec4<f32>();
    var r1 = vec4<f32>();
    var r2 = vec4<f32>();
    var r3 = vec4<f32>();
    for (var r = 0u; r < KH + 3; r++) {
        // A row before the first wraps around to a number beyond the last.
        let from_row = i + r - params.pad_top;
        if from_row >= params.in_h {
            continue;
        }
        let row = plane + from_row * params.in_w;
        var cells = vec4(cell(row, column), cell(row, column + 1), cell(row, column + 2), cell(row, column + 3));
        for (var v = 0u; v < KW; v++) {
            // Weights are addressed by loop counters and the workgroup alone, so that a compiler sees that all lanes load one.
            if r < KH { r0 = fma(vec4(w[weights + r * KW + v]), cells, r0); }
            if r >= 1 && r < KH + 1 { r1 = fma(vec4(w[weights + (r - 1) * KW + v]), cells, r1); }
            if r >= 2 && r < KH + 2 { r2 = fma(vec4(w[weights + (r - 2) * KW + v]), cells, r2); }
            if r >= 3 { r3 = fma(vec4(w[weights + (r - 3) * KW + v]), cells, r3); }
            if v + 1 < KW {
                cells = vec4(cells.yzw, cell(row, column + 4 + v));
            }
        }
    }
    var offset = 0.0;
    if BIAS {
        offset = b[o];
    }
    let first = (n * params.out_channels + o) * params.out_h * params.out_w;
    store(i, j, first, r0, offset);
    store(i + 1, j, first, r1, offset);
    store(i + 2, j, first, r2, offset);
    store(i + 3, j, first, r3, offset);
}
