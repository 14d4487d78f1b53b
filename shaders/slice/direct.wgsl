// Computes  y[n,c,i,j] = x[n, start + c, i, j].
// Layout    x, y: NCHW, words; of an image, y is one run of y_image words of x.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element of y, folded.
// Limits    The run lies inside x (Slice::output_shape); fewer than 2^31 elements.
// Writes    Every element of y, once.
// Order     Any.
// Uses      common/index.wgsl
// Oracle    reference::slice

struct Params {
    elements: u32,
    // Words of an image of x, and of y.
    x_image: u32,
    y_image: u32,
    // Words of an image of x before the run.
    first: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

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
    y[index] = x[index / params.y_image * params.x_image + params.first + index % params.y_image];
}
