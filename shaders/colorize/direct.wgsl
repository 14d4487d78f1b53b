// Computes  image[i,j] = palette[labels[i,j]].
// Layout    labels: a byte a pixel, four a word, first in the low byte; palette: 256 words r | g << 8 | b << 16, four a
//           vector; image: bytes r g b r g b .., four a word, bytes past the last pixel 0.
// Bindings  0 params; 1 labels; 2 image.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word of labels, four pixels, that is up to three words of image; folded.
// Limits    Fewer than 2^31 bytes.
// Writes    Every word of image, once.
// Order     Any.
// Uses      common/index.wgsl
// Oracle    reference::colorize

struct Params {
    pixels: u32,
    // Words of image.
    words: u32,
    // Uniform arrays begin at a multiple of 16 bytes.
    unused_0: u32,
    unused_1: u32,
    palette: array<vec4<u32>, 64>,
}

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
