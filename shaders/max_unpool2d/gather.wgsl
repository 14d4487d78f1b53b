// Computes  y[n,c, cell] = x[n,c,i,j] for the last (i, j) in raster order with switches[n,c,i,j] = cell; 0 without one.
// Layout    x: planes of words, f32 or two channels in f16, as bits; switches: NCHW, u32, flat in a plane of
//           origin_h x origin_w; y like x, the origin in its upper left corner, zeros below and to the right.
// Bindings  0 params; 1 x; 2 switches; 3 y.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation of the pooling that made the switches); WORKGROUP.
// Dispatch  One invocation a word of y, folded.
// Limits    Every switch lies in its own window (Switches::new refuses others); fewer than 2^31 elements.
// Writes    Every word of y, once: no clearing pass.
// Order     Windows that contain the cell, from the last to the first, up to the first hit: overlapping windows give
//           the same y always.
// Uses      common/index.wgsl, common/place.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl
// Oracle    reference::max_unpool2d

struct Params {
    // Words of y.
    words: u32,
    // Channels of an image.
    channels: u32,
    // Rows and columns of a plane of x, of the planes that were pooled, and of y.
    in_h: u32,
    in_w: u32,
    origin_h: u32,
    origin_w: u32,
    out_h: u32,
    out_w: u32,
    // Border of the pooling above and to the left.
    pad_top: u32,
    pad_left: u32,
}

override WORKGROUP: u32 = 64;
override KH: u32;
override KW: u32;
override SY: u32;
override SX: u32;
override DY: u32;
override DX: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> switches: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

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
    let plane = params.in_h * params.in_w;
    var word = 0u;
    if at.row < params.origin_h && at.column < params.origin_w {
        let first = owner(first_channel(at.plane, params.channels) * plane, at.row, at.column);
        if first != NOBODY {
            word = x[at.plane * plane + first] & FIRST_OF_WORD;
        }
        if CHANNELS_A_WORD == 2 {
            let second = owner(second_channel(at.plane, params.channels) * plane, at.row, at.column);
            if second != NOBODY {
                word |= x[at.plane * plane + second] & SECOND_OF_WORD;
            }
        }
    }
    y[index] = word;
}

const NOBODY: u32 = 0xffffffff;

// Where in its plane the window is that `row`, `column` of the origin belongs to by the switches at `plane`, if any.
fn owner(plane: u32, row: u32, column: u32) -> u32 {
    // Window i has a tap at padded coordinate p iff p - i*SY = u*DY with 0 <= u < KH.
    let padded_y = row + params.pad_top;
    let padded_x = column + params.pad_left;
    let first_i = first_window(padded_y, (KH - 1) * DY, SY);
    let first_j = first_window(padded_x, (KW - 1) * DX, SX);
    let end_i = min(padded_y / SY + 1, params.in_h);
    let end_j = min(padded_x / SX + 1, params.in_w);

    let cell = row * params.origin_w + column;
    for (var after_i = end_i; after_i > first_i; after_i--) {
        let i = after_i - 1;
        if (padded_y - i * SY) % DY != 0 {
            continue;
        }
        for (var after_j = end_j; after_j > first_j; after_j--) {
            let j = after_j - 1;
            if (padded_x - j * SX) % DX != 0 {
                continue;
            }
            let window = i * params.in_w + j;
            if switches[plane + window] == cell {
                return window;
            }
        }
    }
    return NOBODY;
}

// The first window whose last tap, `reach` cells after its start, is at `padded` or past it.
fn first_window(padded: u32, reach: u32, stride: u32) -> u32 {
    return (max(padded, reach) - reach + stride - 1) / stride;
}
