// Computes  y[n,o,p,q] = y[n,o,p,q] + b[o], negative ones made zero if RELU: what scatter cannot do before all is added.
// Layout    b: Cout; y: N x Cout x OH x OW.
// Bindings  0 params; 1 b, read if BIAS; 2 y.
// Overrides BIAS, RELU; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element of y. Folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of y, once.
// Order     One addition.
// Uses      common/index.wgsl, common/activation.wgsl
// Oracle    reference::conv_transpose2d

struct Params {
    channels: u32,
    // Cells of one plane of y, and elements of all of y.
    cells: u32,
    elements: u32,
}

override BIAS: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
    var value = y[index];
    if BIAS {
        value += b[index / params.cells % params.channels];
    }
    y[index] = activate(value);
}
