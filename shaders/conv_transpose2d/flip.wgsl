// Computes  f[o,c,u,v] = w[g*Cin/groups + c, o mod Cout/groups, KH-1-u, KW-1-v] for o in group g: the weight of the
//           ordinary convolution over the stretched map.
// Layout    w: Cin x Cout/groups x KH x KW; f: Cout x Cin/groups x KH x KW.
// Bindings  0 params; 1 w; 2 f.
// Overrides KH KW, the kernel; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element of f. Folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of f, once.
// Order     No arithmetic.
// Uses      common/index.wgsl
// Oracle    reference::conv_transpose2d, after conv2d/direct

struct Params {
    group_inputs: u32,
    group_outputs: u32,
    elements: u32,
}

override KH: u32;
override KW: u32;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> f: array<f32>;

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
    let taps = KH * KW;
    let input = index / taps % params.group_inputs;
    let output = index / taps / params.group_inputs;
    let group = output / params.group_outputs;
    let row = (group * params.group_inputs + input) * params.group_outputs + output % params.group_outputs;
    f[index] = w[row * taps + taps - 1 - index % taps];
}
