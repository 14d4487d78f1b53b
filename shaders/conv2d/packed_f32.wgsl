// Packed weights in f32.

@group(0) @binding(2) var<storage, read_write> p: array<vec4<f32>>;

fn put(i: u32, value: vec4<f32>) {
    p[i] = value;
}
