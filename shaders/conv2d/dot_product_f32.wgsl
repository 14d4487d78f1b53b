// The operands of conv2d/dot_product in f32: a term is one product.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;

alias Value = f32;

// The k-th cell of a group that begins at `first`.
fn value_at(first: u32, k: u32) -> Value {
    return x[first + k];
}

// Adds a term to the sums of four rows.
fn add(sums: vec4<f32>, i: vec4<u32>, value: Value) -> vec4<f32> {
    return fma(vec4(w[i.x], w[i.y], w[i.z], w[i.w]), vec4(value), sums);
}
