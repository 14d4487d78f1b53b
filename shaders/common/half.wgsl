// The bits of the f16 nearest to an f32, ties to even. WGSL's own conversions may take either neighbour, and some drivers
// cut off; this is the same everywhere, for what is converted once. What is 65520 or more becomes infinite.
fn half_bits(value: f32) -> u32 {
    let bits = bitcast<u32>(value);
    let magnitude = bits & 0x7fffffffu;
    // Below 2^-14 an f16 counts in steps of 2^-24, as an f32 between 0.5 and 1 does.
    let small = bitcast<u32>(abs(value) + 0.5) - 0x3f000000u;
    let normal = ((magnitude + 0xfffu + ((magnitude >> 13u) & 1u)) >> 13u) - (112u << 10u);
    var half = select(normal, small, magnitude < 0x38800000u);
    half = select(half, 0x7c00u, magnitude >= 0x477ff000u);
    half = select(half, 0x7e00u, magnitude > 0x7f800000u);
    return half | ((bits >> 16u) & 0x8000u);
}
