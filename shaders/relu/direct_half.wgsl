// Computes  y = max(x, 0), NaN stays NaN, -0 stays -0.
// Layout    x, y: words of two f16, any order.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word, folded.
// Limits    Fewer than 2^31 words.
// Writes    Every word of y, once.
// Order     Any.
// Uses      common/index.wgsl
// Oracle    reference::relu

struct Params {
    words: u32,
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
    if index >= params.words {
        return;
    }
    let word = x[index];
    let bits = vec2(word & 0xffff, word >> 16);
    // Negative numbers down to -infinity; beyond are NaNs.
    let rest = select(bits, vec2<u32>(), (bits > vec2(0x8000u)) & (bits <= vec2(0xfc00u)));
    y[index] = rest.x | (rest.y << 16);
}
