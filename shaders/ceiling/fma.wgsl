// Computes  y[i] = a sum of 12 numbers, each 8*rounds times replaced by itself * factor + term: as many multiply-adds a
//           second as a kernel can do
// Layout    y: f32, one an invocation
// Bindings  0 params; 1 y
// Overrides WORKGROUP
// Dispatch  One invocation an element, folded.
// Limits    Fewer than 2^31 elements; exact while factor = term = 1 and 8*rounds + WORKGROUP + 12 < 2^20.
// Writes    Every element of y, once.
// Order     Twelve independent chains, so that none waits for itself; with the two constants they fit sixteen registers.
// Uses      common/index.wgsl
// Oracle    y[i] = 12 * (8*rounds + i mod WORKGROUP) + 66 for factor = term = 1
//
// Why: the numbers begin with the invocation's own, or a compiler could see that all invocations compute the same and do
// it once for all of them.

override WORKGROUP: u32 = 64;

struct Params {
    elements: u32,
    rounds: u32,
    // Known to the host only, or a compiler could do the sum by itself.
    factor: f32,
    term: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + lane;
    if index >= params.elements {
        return;
    }
    let factor = vec4(params.factor);
    let term = vec4(params.term);
    let own = vec4(f32(lane));
    var a = vec4(0.0, 1.0, 2.0, 3.0) + own;
    var b = vec4(4.0, 5.0, 6.0, 7.0) + own;
    var c = vec4(8.0, 9.0, 10.0, 11.0) + own;
    // Written out: naga adds a counter to every loop and unrolls none.
    for (var round = 0u; round < params.rounds; round++) {
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term);
    }
    y[index] = dot(a + b + c, vec4(1.0));
}
