// Packed weights in f16, two a word, the first in the lower half.

@group(0) @binding(2) var<storage, read_write> p: array<vec2<u32>>;

fn put(i: u32, value: vec4<f32>) {
    p[i] = vec2(
        half_bits(value.x) | (half_bits(value.y) << 16u),
        half_bits(value.z) | (half_bits(value.w) << 16u),
    );
}
