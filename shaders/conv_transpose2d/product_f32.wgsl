// The operands of conv_transpose2d/product in f32.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> p: array<vec4<f32>>;

// The q-th four input channels of a group. Channels past its last have zero weights; they are masked, for an infinity times zero
// is not zero.
fn inputs_at(n: u32, group: u32, q: u32) -> vec4<f32> {
    let c = 4 * q + vec4(0u, 1u, 2u, 3u);
    let at = n * params.in_channels + group * params.group_inputs + min(c, vec4(params.group_inputs - 1));
    return select(vec4<f32>(), vec4(x[at.x], x[at.y], x[at.z], x[at.w]), c < vec4(params.group_inputs));
}

// Four weights of a row.
fn weights_at(i: u32) -> vec4<f32> {
    return p[i];
}
