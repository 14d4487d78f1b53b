// Words of memory in pairs: an integer of 64 bits is two f32, the first in its lower half. A CPU driver tests the bounds of every
// load. It gathers 64 bits in two halves, so that pairs save most where all lanes load the same.

fn low(pair: u64) -> f32 {
    return bitcast<f32>(u32(pair));
}

fn high(pair: u64) -> f32 {
    return bitcast<f32>(u32(pair >> 32u));
}

fn four(first: u64, second: u64) -> vec4<f32> {
    return vec4(low(first), high(first), low(second), high(second));
}

fn pair(values: vec2<f32>) -> u64 {
    let bits = bitcast<vec2<u32>>(values);
    return u64(bits.x) | (u64(bits.y) << 32u);
}
