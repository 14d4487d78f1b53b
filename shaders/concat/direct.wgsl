// Computes  y[n, first + c, i, j] = x[n,c,i,j]: one operand's channels in their place.
// Layout    x, y: NCHW, words; of an image, x is one run of x_image words and lands in y as one.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One dispatch an operand; one invocation an element of x, folded.
// Limits    Fewer than 2^31 elements.
// Writes    This operand's channels of y, once; all operands' dispatches together write all of y.
// Order     Any.
// Uses      common/index.wgsl
// Oracle    reference::concat

struct Params {
    elements: u32,
    // Words of an image of x, and of y.
    x_image: u32,
    y_image: u32,
    // Words of an image of y before this operand's.
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
    y[index / params.x_image * params.y_image + params.first + index % params.x_image] = x[index];
}
