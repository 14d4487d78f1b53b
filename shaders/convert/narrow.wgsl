// Computes  y[n,c,i,j] = x[n,c,i,j], f32 rounded to f16.
// Layout    x: NCHW; y: N x ceil(C/2) x H x W, two channels a word, 0 beside a last odd one.
// Bindings  0 params; 1 x; 2 y; 3 overflow.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word of y, folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every word of y, once; overflow if an element is too large.
// Order     Any.
// Uses      common/index.wgsl, convert/half_word.wgsl
// Oracle    reference::half

struct Params {
    // Words of y.
    words: u32,
    channels: u32,
    // Elements of a channel's plane.
    plane: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<storage, read_write> overflow: array<atomic<u32>>;

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
    let pairs = (params.channels + 1) / 2;
    let image = index / params.plane / pairs;
    let channel = index / params.plane % pairs * 2;
    let at = (image * params.channels + channel) * params.plane + index % params.plane;
    var value = vec2(x[at], 0.0);
    if channel + 1 < params.channels {
        value.y = x[at + params.plane];
    }
    y[index] = narrow(value);
}
