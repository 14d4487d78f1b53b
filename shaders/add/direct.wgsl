// Computes  y = a + b.
// Layout    a, b, y: f32 of one shape.
// Bindings  0 params; 1 a; 2 b; 3 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element, folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of y, once.
// Order     One rounding.
// Uses      common/index.wgsl
// Oracle    reference::add

struct Params {
    elements: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

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
    y[index] = a[index] + b[index];
}
