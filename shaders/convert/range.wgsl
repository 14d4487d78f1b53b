// Computes  overflow[0] = 2 if a finite element of x is 65520 or more and so rounds to infinity as f16.
// Layout    x: f32 in any order, as bits; overflow: a word, 0 until then.
// Bindings  0 params; 1 x; 2 overflow.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  RUN elements an invocation, neighbours by neighbours; folded. The last ones look at the last element again.
// Limits    Fewer than 2^31 elements.
// Writes    The word, if there is such an element.
// Order     No arithmetic.
// Uses      common/index.wgsl
// Oracle    Tests of conv2d/cooperative with operands beyond f16
//
// Why: with an element an invocation a GPU takes longer to begin workgroups than to load what they look at; and none waits for
// another of an invocation's loads.

struct Params {
    elements: u32,
}

override WORKGROUP: u32 = 64;

// Elements an invocation.
const RUN: u32 = 16;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> overflow: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let first = flat_workgroup(workgroup, workgroups) * RUN * WORKGROUP + invocation;
    var beyond = false;
    for (var k = 0u; k < RUN; k++) {
        let magnitude = x[min(first + k * WORKGROUP, params.elements - 1)] & 0x7fffffff;
        // From 65520 on, below infinity and NaNs.
        beyond |= magnitude >= 0x477ff000 && magnitude < 0x7f800000;
    }
    if beyond {
        atomicStore(&overflow[0], 2u);
    }
}
