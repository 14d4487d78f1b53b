// Computes  y[0,c,i,j] = (image[i,j, channel(c)] - mean_c) * factor_c, channel(c) = c, or 2 - c if BGR.
// Layout    image: bytes r g b r g b .., four a word, first in the low byte; y: 1 x 3 x H x W.
// Bindings  0 params; 1 image; 2 y.
// Overrides BGR; WORKGROUP.
// Dispatch  One invocation a pixel, folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of y, once.
// Order     The difference, then the product.
// Uses      common/index.wgsl
// Oracle    reference::normalize

struct Params {
    pixels: u32,
    // Of y's channels.
    mean_0: f32,
    mean_1: f32,
    mean_2: f32,
    factor_0: f32,
    factor_1: f32,
    factor_2: f32,
}

override BGR: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> image: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index >= params.pixels {
        return;
    }
    let rgb = vec3(byte(3 * index), byte(3 * index + 1), byte(3 * index + 2));
    let value = select(rgb, rgb.bgr, BGR);
    y[index] = (value.x - params.mean_0) * params.factor_0;
    y[params.pixels + index] = (value.y - params.mean_1) * params.factor_1;
    y[2 * params.pixels + index] = (value.z - params.mean_2) * params.factor_2;
}

fn byte(at: u32) -> f32 {
    return f32(extractBits(image[at / 4], 8 * (at % 4), 8));
}
