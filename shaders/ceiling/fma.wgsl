// Computes  y[i] = a sum of 16 numbers, each 8*rounds times replaced by itself * factor + term: as many multiply-adds a
//           second as a kernel can do
// Layout    y: f32, one an invocation
// Bindings  0 params; 1 y
// Overrides WORKGROUP
// Dispatch  One invocation an element, folded.
// Limits    Fewer than 2^31 elements; exact while factor = term = 1 and 8*rounds + 16 < 2^20.
// Writes    Every element of y, once.
// Order     Sixteen independent chains, so that none waits for itself.
// Uses      common/index.wgsl
// Oracle    y[i] = 16 * (8*rounds) + 120 for factor = term = 1

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
    var a = vec4(0.0, 1.0, 2.0, 3.0);
    var b = vec4(4.0, 5.0, 6.0, 7.0);
    var c = vec4(8.0, 9.0, 10.0, 11.0);
    var d = vec4(12.0, 13.0, 14.0, 15.0);
    // Written out: naga adds a counter to every loop and unrolls none.
    for (var round = 0u; round < params.rounds; round++) {
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term); d = fma(d, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term); d = fma(d, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term); d = fma(d, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term); d = fma(d, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term); d = fma(d, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term); d = fma(d, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term); d = fma(d, factor, term);
        a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term); d = fma(d, factor, term);
    }
    y[index] = dot(a + b + c + d, vec4(1.0));
}
