// Computes  y = 0: the first of scatter's three passes; nobody owns any output cell yet
// Layout    y: words
// Bindings  0 params; 1 y
// Overrides WORKGROUP
// Dispatch  One invocation an element of y, folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of y, once.
// Order     Any.
// Uses      common/index.wgsl
// Oracle    reference::max_unpool2d, after all three

override WORKGROUP: u32 = 64;

struct Params {
    elements: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + lane;
    if index < params.elements {
        y[index] = 0;
    }
}
