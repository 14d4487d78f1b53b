// The weights of a matrix product in register tiles, two words a component: each has its test of bounds, and what comes before it,
// where memory begins and ends, is read once a vector.

@group(0) @binding(2) var<storage, read> p: array<vec2<u64>>;

// Four weights of a row.
fn weights_at(i: u32) -> vec4<f32> {
    let row = p[i];
    return four(row.x, row.y);
}
