// Computes  y[n,o,p,q] = b[o] + sum_c x[n,c,0,0] * w[c,o,u,v] where u * DY = p + top and v * DX = q + left have solutions,
//           negative ones made zero if RELU: the transposed convolution of one cell, a product of x with the weight as a
//           matrix of input channels by all else.
// Layout    x: N x Cin; p: weights as conv_transpose2d/pack leaves them; b: Cout; y: N x Cout x OH x OW. Or x and p in f16: two
//           channels a word, weights as conv_transpose2d/pack_half leaves them.
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y.
// Overrides KH KW DY DX (kernel, dilation); BIAS, RELU; ROWS (8, 16, 24 or 32), output channels of a block; WORKGROUP, the
//           invocations of a workgroup.
// Dispatch  Eight invocations compute the ROWS channels of a block at one cell of one image: the r-th does channels r, r + 8,
//           ... They vary fastest, then cells, blocks, images; `invocations` have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's blocks, once.
// Order     Four f32 accumulators a channel and cell, one for every fourth c, ascending; their sum, then the bias.
// Uses      common/index.wgsl, common/activation.wgsl, conv_transpose2d/product_f32.wgsl or conv_transpose2d/product_half.wgsl
// Oracle    reference::conv_transpose2d
//
// Why: each weight is used once an image, so that the memory's speed is the limit. The weights of a block and tap are one
// run of p, which eight neighbours read from its first word to its last; all lanes share x.

struct Params {
    in_channels: u32,
    out_channels: u32,
    out_h: u32,
    out_w: u32,
    pad_top: u32,
    pad_left: u32,
    // Channels a group: read and written; blocks a group.
    group_inputs: u32,
    group_outputs: u32,
    group_blocks: u32,
    // The first block of this dispatch, counted over all groups, and how many.
    first_block: u32,
    blocks: u32,
    invocations: u32,
}

override KH: u32;
override KW: u32;
override DY: u32;
override DX: u32;
override BIAS: bool;
override ROWS: u32;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn store(n: u32, group: u32, channel: u32, cell: u32, sums: vec4<f32>) {
    if channel >= params.group_outputs {
        return;
    }
    let o = group * params.group_outputs + channel;
    var value = dot(sums, vec4(1.0));
    if BIAS {
        value += b[o];
    }
    y[(n * params.out_channels + o) * params.out_h * params.out_w + cell] = activate(value);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index >= params.invocations {
        return;
    }
    let lane = index % 8;
    let cells = params.out_h * params.out_w;
    let cell = index / 8 % cells;
    let local_block = index / 8 / cells % params.blocks;
    let n = index / 8 / cells / params.blocks;
    let block = params.first_block + local_block;
    let group = block / params.group_blocks;

    // The tap that reaches the cell, if any does.
    let row = cell / params.out_w + params.pad_top;
    let column = cell % params.out_w + params.pad_left;
    let reached = row % DY == 0 && row / DY < KH && column % DX == 0 && column / DX < KW;
    let quads = (params.group_inputs + 3) / 4;
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    var s2 = vec4<f32>();
    var s3 = vec4<f32>();
    if reached {
        let first = ((local_block * KH + row / DY) * KW + column / DX) * quads * ROWS + lane;
        for (var q = 0u; q < quads; q++) {
            let value = inputs_at(n, group, q);
            let i = first + q * ROWS;
            s0 = fma(weights_at(i), value, s0);
            if ROWS > 8 { s1 = fma(weights_at(i + 8), value, s1); }
            if ROWS > 16 { s2 = fma(weights_at(i + 16), value, s2); }
            if ROWS > 24 { s3 = fma(weights_at(i + 24), value, s3); }
        }
    }
    let channel = block % params.group_blocks * ROWS + lane;
    store(n, group, channel, cell, s0);
    if ROWS > 8 { store(n, group, channel + 8, cell, s1); }
    if ROWS > 16 { store(n, group, channel + 16, cell, s2); }
    if ROWS > 24 { store(n, group, channel + 24, cell, s3); }
}
