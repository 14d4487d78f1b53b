// What follows an operator's sum before it is stored.
override RELU: bool;

// max(value, 0) if RELU is set. NaN stays NaN, as in PyTorch and ONNX Runtime.
fn activate(value: f32) -> f32 {
    return select(value, 0.0, RELU && value < 0.0);
}
