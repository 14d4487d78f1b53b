// Packed weights in f32, put one by one.

@group(0) @binding(2) var<storage, read_write> p: array<vec4<f32>>;

fn put(i: u32, k: u32, value: f32) {
    p[i][k] = value;
}
