// The weights of a matrix product in register tiles, two words a load.

@group(0) @binding(2) var<storage, read> p: array<u64>;

// Four weights of a row.
fn weights_at(i: u32) -> vec4<f32> {
    return four(p[2 * i], p[2 * i + 1]);
}
