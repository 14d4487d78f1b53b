// The result of a convolution in f32.

@group(0) @binding(4) var<storage, read_write> y: array<f32>;
