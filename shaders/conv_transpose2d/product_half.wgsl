// The operands of conv_transpose2d/product in f16: two channels a word, weights two a word. A group's channels begin with a word
// of their own.

@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> p: array<vec2<u32>>;

// The q-th four input channels of a group, zero past its last; beside a last odd channel there are zeros.
fn inputs_at(n: u32, group: u32, q: u32) -> vec4<f32> {
    let count = (params.group_inputs + 1) / 2;
    let pair = 2 * q + vec2(0u, 1u);
    let at = n * ((params.in_channels + 1) / 2) + group * params.group_inputs / 2 + min(pair, vec2(count - 1));
    let words = select(vec2<u32>(), vec2(x[at.x], x[at.y]), pair < vec2(count));
    return vec4(unpack2x16float(words.x), unpack2x16float(words.y));
}

// Four weights of a row.
fn weights_at(i: u32) -> vec4<f32> {
    let words = p[i];
    return vec4(unpack2x16float(words.x), unpack2x16float(words.y));
}
