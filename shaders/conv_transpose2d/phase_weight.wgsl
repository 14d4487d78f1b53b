// Computes  f[r,c,t,s] = w[g*Cin/groups + c, o, u, v] for the row r of group g that is channel o and phase (i, j), where u * DY =
//           (QH-1-t) * EY * SY + i and v * DX = (QW-1-s) * EX * SX + j have solutions in the kernel, else 0: the weight of
//           the convolution whose output channels are phases (conv_transpose2d/interleaved).
// Layout    w: Cin x Cout/groups x KH x KW; f: rows x Cin/groups x QH x QW, rows as conv_transpose2d/interleaved has them.
// Bindings  0 params; 1 w; 2 f.
// Overrides KH KW DY DX (kernel, dilation); QH QW EY EX, kernel and dilation of the convolution; PY PX (the stride SY SX)
//           and PAIR as conv_transpose2d/interleaved says; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element of f. Folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of f, once.
// Order     No arithmetic.
// Uses      common/index.wgsl, conv_transpose2d/interleaved.wgsl
// Oracle    reference::conv_transpose2d, after conv2d/tiled, conv2d/staged or conv2d/cooperative

struct Params {
    group_inputs: u32,
    // Channels of y a group, and rows of f a group.
    group_outputs: u32,
    group_rows: u32,
    elements: u32,
}

override KH: u32;
override KW: u32;
override DY: u32;
override DX: u32;
override QH: u32;
override QW: u32;
override EY: u32;
override EX: u32;
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
    let tap = index % (QH * QW);
    let c = index / (QH * QW) % params.group_inputs;
    let row = index / (QH * QW) / params.group_inputs;
    let row_of = interleaved(row % params.group_rows);
    let reach_h = (QH - 1 - tap / QW) * EY * PY + row_of.row;
    let reach_w = (QW - 1 - tap % QW) * EX * PX + row_of.column;
    let u = reach_h / DY;
    let v = reach_w / DX;
    var value = 0.0;
    if row_of.channel < params.group_outputs && reach_h % DY == 0 && reach_w % DX == 0 && u < KH && v < KW {
        let input = row / params.group_rows * params.group_inputs + c;
        value = w[((input * params.group_outputs + row_of.channel) * KH + u) * KW + v];
    }
    f[index] = value;
}
