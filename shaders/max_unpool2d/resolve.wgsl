// Computes  y[cell] = x[y[cell] - 1], or 0 where y[cell] is 0: the last of scatter's three passes, in place.
// Layout    x NCHW, f32 as bits; y NCHW, on entry the owners of max_unpool2d/claim, on exit f32 as bits.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element of y, folded.
// Limits    Fewer than 2^31 elements.
// Writes    Owned words of y, once; each invocation reads and writes its own word alone.
// Order     Any.
// Uses      common/index.wgsl
// Oracle    reference::max_unpool2d, after all three

struct Params {
    elements: u32,
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
    // Owner 0 is nobody: most cells, which then read nothing.
    let owner = y[index];
    if owner != 0 {
        y[index] = x[owner - 1];
    }
}
