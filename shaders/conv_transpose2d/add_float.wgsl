// Adds to y without losing anybody else's addition, where the device can add f32 atomically.
@group(0) @binding(3) var<storage, read_write> y: array<atomic<f32>>;

fn add(index: u32, value: f32) {
    atomicAdd(&y[index], value);
}
