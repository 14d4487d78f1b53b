// Computes  y[n,c,i,j] = x[n,c,i,j] * factor[c] + shift[c].
// Layout    x, y: NCHW; factor, shift: C.
// Bindings  0 params; 1 x; 2 factor; 3 shift, read if SHIFT; 4 y.
// Overrides SHIFT; WORKGROUP.
// Dispatch  One invocation an element, folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of y, once.
// Order     The product, then the sum; the device may fuse them.
// Uses      common/index.wgsl
// Oracle    reference::scale

struct Params {
    elements: u32,
    channels: u32,
    // Elements of a channel's plane.
    plane: u32,
}

override SHIFT: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read> shift: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index >= params.elements {
        return;
    }
    let channel = index / params.plane % params.channels;
    var value = x[index] * factor[channel];
    if SHIFT {
        value += shift[channel];
    }
    y[index] = value;
}
