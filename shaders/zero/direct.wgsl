// Computes  y = 0, as bits.
// Layout    y: words.
// Bindings  0 params; 1 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word of y. Folded.
// Limits    Fewer than 2^31 words.
// Writes    Every word of y, once.
// Order     No arithmetic.
// Uses      common/index.wgsl
// Oracle    that of the operator that then adds to y

struct Params {
    words: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index < params.words {
        y[index] = 0;
    }
}
