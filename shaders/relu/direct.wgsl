// Computes  y = max(x, 0), a NaN staying the NaN that it is.
// Layout    x, y: f32 of one shape, as bits.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element, folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of y, once.
// Order     Any.
// Uses      common/index.wgsl
// Oracle    reference::relu

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
    let bits = x[index];
    // Negative numbers down to -infinity; beyond are NaNs. -0 stays.
    y[index] = select(bits, 0, bits > 0x80000000 && bits <= 0xff800000);
}
