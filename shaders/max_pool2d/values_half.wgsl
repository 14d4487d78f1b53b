// Computes  y[n,c,i,j] = max over u,v of x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] inside x; NaN if there is one; and
//           which cell it was, row * in_w + column, the first of equals, the last of NaNs.
// Layout    x, y: N x ceil(C/2) x H x W, two channels a word in f16; switches: NCHW, a word each.
// Bindings  0 params; 1 x; 2 y; 3 switches, written if SWITCHES.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation); SWITCHES; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word of y, folded.
// Limits    Every window has a cell inside x (MaxPool2d::output_shape); fewer than 2^31 elements.
// Writes    Every word of y, once, and every switch if SWITCHES.
// Order     Rows, then columns.
// Uses      common/index.wgsl, common/place.wgsl, common/taps.wgsl
// Oracle    reference::max_pool2d

struct Params {
    // Words of y.
    words: u32,
    channels: u32,
    // Rows and columns of a plane of x, and of y.
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    // Border above and to the left.
    pad_top: u32,
    pad_left: u32,
}

override KH: u32;
override KW: u32;
override SY: u32;
override SX: u32;
override DY: u32;
override DX: u32;
override SWITCHES: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<storage, read_write> switches: array<u32>;

// Ranks of two f16 by their bits, as common/rank.wgsl ranks f32: NaNs above all numbers, both zeros alike.
fn ranks(bits: vec2<u32>) -> vec2<i32> {
    let magnitude = vec2<i32>(bits & vec2(0x7fffu));
    let number = select(magnitude, -magnitude, bits >= vec2(0x8000u));
    return select(number, vec2(0x7fff), magnitude > vec2(0x7c00));
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index >= params.words {
        return;
    }
    let at = place(index, params.out_h, params.out_w);
    let plane = at.plane * params.in_h * params.in_w;
    let start_y = at.row * SY;
    let start_x = at.column * SX;
    let us = taps_inside(start_y, start_y, params.pad_top, params.in_h, DY, KH);
    let vs = taps_inside(start_x, start_x, params.pad_left, params.in_w, DX, KW);
    var best = vec2<u32>();
    var best_rank = vec2(-0x8000);
    var cell = vec2<u32>();
    for (var u = us.x; u < us.y; u++) {
        let cells = (start_y + u * DY - params.pad_top) * params.in_w;
        for (var v = vs.x; v < vs.y; v++) {
            let here = cells + start_x + v * DX - params.pad_left;
            let word = x[plane + here];
            let bits = vec2(word & 0xffff, word >> 16);
            let rank = ranks(bits);
            let better = (rank > best_rank) | (rank == vec2(0x7fff));
            best = select(best, bits, better);
            best_rank = select(best_rank, rank, better);
            cell = select(cell, vec2(here), better);
        }
    }
    y[index] = best.x | (best.y << 16);
    if SWITCHES {
        let pairs = (params.channels + 1) / 2;
        let channel = at.plane % pairs * 2;
        let out_plane = params.out_h * params.out_w;
        let first = (at.plane / pairs * params.channels + channel) * out_plane + index % out_plane;
        switches[first] = cell.x;
        if channel + 1 < params.channels {
            switches[first + out_plane] = cell.y;
        }
    }
}
