// Computes  y[0,c,i,j] = (image[i,j, channel(c)] - mean_c) * factor_c, channel(c) = c, or 2 - c if REVERSED.
// Layout    image: bytes, four a word, first in the low byte: three a pixel, or if TEXELS four, of which the last is not looked
//           at, each row from a multiple of `row` words on; y: 1 x 3 x H x W.
// Bindings  0 params; 1 image; 2 y.
// Overrides REVERSED: y has its channels in the other order than image; TEXELS; WORKGROUP.
// Dispatch  One invocation a pixel, folded.
// Limits    Fewer than 2^31 elements and texels.
// Writes    Every element of y, once.
// Order     The difference, then the product.
// Uses      common/index.wgsl
// Oracle    reference::normalize

struct Params {
    pixels: u32,
    columns: u32,
    // Words from a row of texels to the next.
    row: u32,
    // Of y's channels.
    mean_0: f32,
    mean_1: f32,
    mean_2: f32,
    factor_0: f32,
    factor_1: f32,
    factor_2: f32,
}

override REVERSED: bool;
override TEXELS: bool;
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
    let bytes = pixel(index);
    let value = vec3<f32>(select(bytes, bytes.zyx, REVERSED));
    y[index] = (value.x - params.mean_0) * params.factor_0;
    y[params.pixels + index] = (value.y - params.mean_1) * params.factor_1;
    y[2 * params.pixels + index] = (value.z - params.mean_2) * params.factor_2;
}

fn pixel(index: u32) -> vec3<u32> {
    if TEXELS {
        let texel = image[index / params.columns * params.row + index % params.columns];
        return (vec3(texel) >> vec3(0u, 8u, 16u)) & vec3(255u);
    }
    return vec3(byte(3 * index), byte(3 * index + 1), byte(3 * index + 2));
}

fn byte(at: u32) -> u32 {
    return extractBits(image[at / 4], 8 * (at % 4), 8);
}
