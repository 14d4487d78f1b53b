// Computes  y[n,c,i,j] = (x[n,c,i,j] - mean[c]) / sqrt(variance[c] + epsilon) * weight[c] + bias[c]
// Layout    x, y: NCHW; weight, bias, mean, variance: C
// Bindings  0 params; 1 x; 2 weight; 3 bias; 4 mean; 5 variance; 6 y
// Overrides WORKGROUP
// Dispatch  One invocation an element, folded.
// Limits    Fewer than 2^31 elements; no negative variance.
// Writes    Every element of y, once.
// Order     The difference, the factor, their product, the sum; the device may fuse the last two.
// Uses      common/index.wgsl
// Oracle    reference::batch_norm

override WORKGROUP: u32 = 64;

struct Params {
    elements: u32,
    channels: u32,
    // Elements of a channel's plane.
    plane: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> mean: array<f32>;
@group(0) @binding(5) var<storage, read> variance: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + lane;
    if index >= params.elements {
        return;
    }
    let c = index / params.plane % params.channels;
    let factor = weight[c] * inverseSqrt(variance[c] + params.epsilon);
    y[index] = (x[index] - mean[c]) * factor + bias[c];
}
