// Computes  y[i] = x[i] as a byte.
// Layout    x: a whole number below 256 a pixel, f32; y: a byte a pixel, four a word, first in the low byte; bytes past the last
//           pixel are 0.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word of y, folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every word of y, once.
// Order     No arithmetic.
// Uses      common/index.wgsl
// Oracle    reference::argmax_channels, after conv_transpose2d

struct Params {
    // Words of y, and pixels.
    words: u32,
    pixels: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
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
    let labels = vec4<u32>(vec4(x[pixel.x], x[pixel.y], x[pixel.z], x[pixel.w]));
    let bytes = select(vec4(0u), labels, wanted == pixel) << vec4(0u, 8u, 16u, 24u);
    y[index] = bytes.x | bytes.y | bytes.z | bytes.w;
}
