// As common/rank.wgsl, for f16 values that stand in the upper halves of words whose lower halves are 0.

// Rank of infinity: that of every NaN is above it.
const RANK_OF_INFINITY: i32 = 0x7c000000;

// Ranks of four.
fn rank4(bits: vec4<u32>) -> vec4<i32> {
    let magnitude = vec4<i32>(bits & vec4(0x7fffffffu));
    let number = select(magnitude, -magnitude, bits >= vec4(0x80000000u));
    return select(number, magnitude, magnitude > vec4(RANK_OF_INFINITY));
}
