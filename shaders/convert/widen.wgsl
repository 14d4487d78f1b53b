// Computes  y[n,c,i,j] = x[n,c,i,j], f16 as f32.
// Layout    x: N x ceil(C/2) x H x W, two channels a word; y: NCHW.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word of x, folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of y, once.
// Order     Any.
// Uses      common/index.wgsl
// Oracle    The value itself

struct Params {
    // Words of x.
    words: u32,
    channels: u32,
    // Elements of a channel's plane.
    plane: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
    let value = unpack2x16float(x[index]);
    y[at] = value.x;
    if channel + 1 < params.channels {
        y[at + params.plane] = value.y;
    }
}
