// The transformed weights of the products of minimal filtering, a vector a load.

@group(0) @binding(2) var<storage, read> u: array<vec4<f32>>;

// Four weights of a row.
fn weights_at(i: u32) -> vec4<f32> {
    return u[i];
}
