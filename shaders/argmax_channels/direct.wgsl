// Computes  y[n,i,j] = the first c with the largest x[n,c,i,j]; NaNs are below all numbers; 0 if all are NaN.
// Layout    x: NCHW, f32 as bits; y: a byte a pixel, four a word, first in the low byte, images one after
//           another, so that a word may hold pixels of two of them; bytes past the last pixel are 0.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word of y, folded.
// Limits    At most 256 channels (ArgmaxChannels::output_shape); fewer than 2^31 elements.
// Writes    Every word of y, once.
// Order     c ascending.
// Uses      common/index.wgsl, common/rank.wgsl
// Oracle    reference::argmax_channels

struct Params {
    // Words of y.
    words: u32,
    // Pixels of all images.
    pixels: u32,
    channels: u32,
    // Elements of a channel's plane.
    plane: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

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
    // The word's pixels; those past the last repeat it, and are masked out below.
    let wanted = 4 * index + vec4(0u, 1u, 2u, 3u);
    let pixel = min(wanted, vec4(params.pixels - 1));
    var at = pixel / params.plane * params.channels * params.plane + pixel % params.plane;

    var label = vec4(0u);
    var best = vec4(RANK_BELOW_ALL);
    for (var c = 0u; c < params.channels; c++) {
        let ranks = rank4(vec4(x[at.x], x[at.y], x[at.z], x[at.w]));
        let better = (ranks > best) & (ranks != vec4(RANK_OF_NAN));
        label = select(label, vec4(c), better);
        best = select(best, ranks, better);
        at += params.plane;
    }

    let bytes = select(vec4(0u), label, wanted == pixel) << vec4(0u, 8u, 16u, 24u);
    y[index] = bytes.x | bytes.y | bytes.z | bytes.w;
}
