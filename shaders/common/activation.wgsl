// What follows an operator's sum before it is stored.
override RELU: bool;

// max(value, 0) if RELU is set. NaN stays NaN, as in PyTorch and ONNX Runtime, and so the bits are compared (common/rank.wgsl says
// why). As signed integers those of -0 are the least, then come those of numbers below zero, up to -infinity's, -0x800000, then those
// of NaNs with a sign, and from 0 on all others. Less 1, -0 is the greatest.
fn activate(value: f32) -> f32 {
    return select(value, 0.0, RELU && bitcast<i32>(value) - 1 < -0x800000);
}
