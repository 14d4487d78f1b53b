// Computes  overflow[0] = 2 if a finite element of x is 65520 or more and so rounds to infinity as f16.
// Layout    x: elements in any order; overflow: a word, 0 until then.
// Bindings  0 params; 1 x; 2 overflow.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element. Folded.
// Limits    Fewer than 2^31 elements.
// Writes    The word, if there is such an element.
// Order     No arithmetic.
// Uses      common/index.wgsl
// Oracle    Tests of conv2d/cooperative with operands beyond f16

struct Params {
    elements: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> overflow: array<atomic<u32>>;

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
    let size = abs(x[index]);
    if size >= 65520.0 && size <= 3.4028234e38 {
        atomicStore(&overflow[0], 2u);
    }
}
