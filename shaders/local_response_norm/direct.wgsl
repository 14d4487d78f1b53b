// Computes  y[n,c,i,j] = x[n,c,i,j] * (k + square_factor * sum_d x[n,d,i,j]^2) ^ -beta, d within REACH of c
// Layout    x, y: NCHW
// Bindings  0 params; 1 x; 2 y
// Overrides REACH; WORKGROUP
// Dispatch  One invocation an element, folded.
// Limits    Fewer than 2^31 elements; sums of squares within f32's range.
// Writes    Every element of y, once.
// Order     d ascending.
// Uses      common/index.wgsl
// Oracle    reference::local_response_norm

// Channels of the window on either side of the middle.
override REACH: u32;
override WORKGROUP: u32 = 64;

struct Params {
    elements: u32,
    channels: u32,
    // Elements of a channel's plane.
    plane: u32,
    square_factor: f32,
    k: f32,
    beta: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
    let first = index - min(c, REACH) * params.plane;
    let last = index + min(params.channels - 1 - c, REACH) * params.plane;
    var squares = 0.0;
    for (var i = first; i <= last; i += params.plane) {
        squares += x[i] * x[i];
    }
    y[index] = x[index] * pow(params.k + params.square_factor * squares, -params.beta);
}
