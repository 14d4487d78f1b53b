// The operands of conv2d/winograd_product, a vector a load.

@group(0) @binding(1) var<storage, read> d: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> u: array<vec4<f32>>;

// Four tiles in a row.
fn tiles_at(i: u32) -> vec4<f32> {
    return d[i];
}

// Four weights of a row.
fn weights_at(i: u32) -> vec4<f32> {
    return u[i];
}
