// f32 values compared through their bits. WGSL lets an implementation assume that there are no NaNs, and flush
// subnormals to zero, so that comparing f32 values may go wrong for both: of select(x, 0.0, x < 0.0) NVIDIA's compiler makes
// max(x, 0.0), which is 0 for a NaN. The bits are a sign and a magnitude that grows with the value: as a signed integer it orders
// all values exactly, both zeros alike, with every NaN above infinity.

// Rank of every NaN.
const RANK_OF_NAN: i32 = 0x7fffffff;
// Rank of infinity, the largest of a number.
const RANK_OF_INFINITY: i32 = 0x7f800000;
// Below the rank of every value, that of -infinity (-0x7f800000) included.
const RANK_BELOW_ALL: i32 = -0x7fffffff;

// Rank of the f32 with these bits among all values.
fn rank(bits: u32) -> i32 {
    let magnitude = i32(bits & 0x7fffffff);
    let number = select(magnitude, -magnitude, bits >= 0x80000000);
    return select(number, RANK_OF_NAN, magnitude > 0x7f800000);
}

// Ranks of four.
fn rank4(bits: vec4<u32>) -> vec4<i32> {
    let magnitude = vec4<i32>(bits & vec4(0x7fffffffu));
    let number = select(magnitude, -magnitude, bits >= vec4(0x80000000u));
    return select(number, vec4(RANK_OF_NAN), magnitude > vec4(0x7f800000));
}
