// The operands of conv2d/dot_product in f16: two channels a word; a term is the products of four channels at a cell, channels varying
// faster than cells.

@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> w: array<vec2<u32>>;

alias Value = vec4<f32>;

// The k-th four channels of a cell, zero past the last; beside a last odd one there are zeros.
fn value_at(first: u32, k: u32) -> Value {
    let pairs = params.group_words / params.plane;
    let quads = (pairs + 1) / 2;
    let pair = k % quads * 2;
    let at = first + pair * params.plane + k / quads;
    let more = pair + 1 < pairs;
    let words = vec2(x[at], select(0u, x[select(at, at + params.plane, more)], more));
    return vec4(unpack2x16float(words.x), unpack2x16float(words.y));
}

fn product(i: u32, value: Value) -> f32 {
    let words = w[i];
    return dot(vec4(unpack2x16float(words.x), unpack2x16float(words.y)), value);
}

// Adds a term to the sums of four rows.
fn add(sums: vec4<f32>, i: vec4<u32>, value: Value) -> vec4<f32> {
    return sums + vec4(product(i.x, value), product(i.y, value), product(i.z, value), product(i.w, value));
}
