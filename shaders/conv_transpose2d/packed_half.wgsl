// Packed weights in f16, two a word, the first in the lower half, put one by one: the other half of the word stays.

@group(0) @binding(2) var<storage, read_write> p: array<vec2<u32>>;

fn put(i: u32, k: u32, value: f32) {
    let shift = k % 2 * 16;
    p[i][k / 2] = (p[i][k / 2] & ~(0xffffu << shift)) | (half_bits(value) << shift);
}
