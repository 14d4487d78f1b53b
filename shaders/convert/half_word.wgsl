// Two channels of a cell as f16 in a word, the even channel in the lower half. What is finite and rounds to infinity sets
// the word `overflow`, which the kernel binds: the session then names the node. The conversion may take either neighbour.
fn narrow(value: vec2<f32>) -> u32 {
    let magnitude = bitcast<vec2<i32>>(value) & vec2(0x7fffffff);
    // From 65520 on, below infinity and NaNs.
    if any((magnitude >= vec2(0x477ff000)) & (magnitude < vec2(0x7f800000))) {
        atomicStore(&overflow[0], 1u);
    }
    return pack2x16float(value);
}
