// Computes  image[i,j] = palette[labels[i,j]].
// Layout    labels: a byte a pixel, four a word, first in the low byte; image: bytes r g b r g b .., four a word, bytes past
//           the last pixel 0, or if TEXELS a word a pixel, each row from a multiple of `row` words on, words past its last
//           pixel 0; palette: 256 words, four a vector, r | g << 8 | b << 16, or if TEXELS as image has them.
// Bindings  0 params; 1 labels; 2 image.
// Overrides TEXELS; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation for four pixels, that is a word of labels and up to three of image, or if TEXELS for four words of
//           image; folded.
// Limits    Fewer than 2^31 bytes, or texels.
// Writes    Every word of image, once.
// Order     Any.
// Uses      common/index.wgsl
// Oracle    reference::colorize

struct Params {
    pixels: u32,
    // Words of image.
    words: u32,
    columns: u32,
    // Words from a row of texels to the next.
    row: u32,
    palette: array<vec4<u32>, 64>,
}

override TEXELS: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> image: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if TEXELS {
        store_texels(4 * index);
    } else {
        store_bytes(index);
    }
}

// Four words of one row, for rows are multiples of 64.
fn store_texels(at: u32) {
    if at >= params.words {
        return;
    }
    let j = at % params.row;
    let pixel = at / params.row * params.columns + j;
    for (var k = 0u; k < 4; k++) {
        image[at + k] = texel(j + k, pixel + k);
    }
}

// 0 past a row's last pixel.
fn texel(j: u32, pixel: u32) -> u32 {
    if j >= params.columns {
        return 0;
    }
    return colour(extractBits(labels[pixel / 4], 8 * (pixel % 4), 8), pixel);
}

fn store_bytes(index: u32) {
    if 4 * index >= params.pixels {
        return;
    }
    let word = labels[index];
    let c0 = colour(extractBits(word, 0, 8), 4 * index);
    let c1 = colour(extractBits(word, 8, 8), 4 * index + 1);
    let c2 = colour(extractBits(word, 16, 8), 4 * index + 2);
    let c3 = colour(extractBits(word, 24, 8), 4 * index + 3);
    store(3 * index, c0 | (c1 << 24));
    store(3 * index + 1, (c1 >> 8) | (c2 << 16));
    store(3 * index + 2, (c2 >> 16) | (c3 << 8));
}

// 0 for a pixel past the last.
fn colour(label: u32, pixel: u32) -> u32 {
    return select(0, params.palette[label / 4][label % 4], pixel < params.pixels);
}

fn store(at: u32, word: u32) {
    if at < params.words {
        image[at] = word;
    }
}
