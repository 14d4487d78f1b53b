// Two channels of a cell as f16 in a word, the even channel in the lower half. What is finite and rounds to infinity sets
// the word `overflow`, which the kernel binds: the session then names the node. The conversion may take either neighbour.
fn narrow(value: vec2<f32>) -> u32 {
    let size = abs(value);
    if any((size >= vec2(65520.0)) & (size <= vec2(3.4028234e38))) {
        atomicStore(&overflow[0], 1u);
    }
    return pack2x16float(value);
}
