// Computes  y = a + b.
// Layout    a, b, y: words of two f16, any order.
// Bindings  0 params; 1 a; 2 b; 3 y; 4 overflow.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word, folded.
// Limits    Fewer than 2^31 words.
// Writes    Every word of y, once; overflow if a sum is too large.
// Order     One sum in f32, rounded to f16.
// Uses      common/index.wgsl, convert/half_word.wgsl
// Oracle    reference::add

struct Params {
    words: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;
@group(0) @binding(4) var<storage, read_write> overflow: array<atomic<u32>>;

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
    y[index] = narrow(unpack2x16float(a[index]) + unpack2x16float(b[index]));
}
