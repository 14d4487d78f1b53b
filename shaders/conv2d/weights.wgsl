// The weights of a matrix product in register tiles, a vector a load.

@group(0) @binding(2) var<storage, read> p: array<vec4<f32>>;

// Four weights of a row.
fn weights_at(i: u32) -> vec4<f32> {
    return p[i];
}

// The same as they come from memory, for kernels that have something else to do until they are there.
alias RawWeights = vec4<f32>;

fn raw_weights(i: u32) -> RawWeights {
    return p[i];
}

fn weights_of(raw: RawWeights) -> vec4<f32> {
    return raw;
}
