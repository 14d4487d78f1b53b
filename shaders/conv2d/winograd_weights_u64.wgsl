// The transformed weights of the products of minimal filtering, two words a load.

@group(0) @binding(2) var<storage, read> u: array<u64>;

// Four weights of a row.
fn weights_at(i: u32) -> vec4<f32> {
    return four(u[2 * i], u[2 * i + 1]);
}
