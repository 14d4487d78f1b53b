// Computes  y[n,c,i,j] = exp(x[n,c,i,j] - m) / sum_k exp(x[n,k,i,j] - m), m = max_k x[n,k,i,j].
// Layout    x, y: NCHW.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a pixel (n, i, j), folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of y, once.
// Order     c ascending in all three passes over a pixel's channels: maximum, sum, quotients.
// Uses      common/index.wgsl
// Oracle    reference::softmax_channels

struct Params {
    pixels: u32,
    channels: u32,
    // Elements of a channel's plane.
    plane: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index >= params.pixels {
        return;
    }
    let first = index / params.plane * params.channels * params.plane + index % params.plane;
    let end = first + params.channels * params.plane;
    // Whatever max gives for a NaN, all that follows from the NaN itself are NaNs.
    var largest = x[first];
    for (var i = first + params.plane; i < end; i += params.plane) {
        largest = max(largest, x[i]);
    }
    // At least 1, the largest score's own term.
    var sum = 0.0;
    for (var i = first; i < end; i += params.plane) {
        sum += exp(x[i] - largest);
    }
    for (var i = first; i < end; i += params.plane) {
        y[i] = exp(x[i] - largest) / sum;
    }
}
