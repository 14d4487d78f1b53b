// Computes  z[n,c,p,q] = x[n,c,i,j] where p + top = i * SY + (KH-1) * DY and q + left = j * SX + (KW-1) * DX, else 0: the map
//           with S-1 zeros between its cells and (K-1) * D - pad around them, over which a transposed convolution is an
//           ordinary one of stride 1 with the flipped kernel.
// Layout    x: N x C x H x W; z: N x C x (OH + (KH-1) * DY) x (OW + (KW-1) * DX).
// Bindings  0 params; 1 x; 2 z.
// Overrides SY SX, the stride; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element of z. Folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every element of z, once.
// Order     No arithmetic.
// Uses      common/index.wgsl, common/place.wgsl
// Oracle    reference::conv_transpose2d, after conv2d/direct

struct Params {
    in_h: u32,
    in_w: u32,
    pad_top: u32,
    pad_left: u32,
    // (KH-1) * DY and (KW-1) * DX.
    reach_h: u32,
    reach_w: u32,
    out_h: u32,
    out_w: u32,
    elements: u32,
}

override SY: u32;
override SX: u32;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> z: array<f32>;

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
    let cell = place(index, params.out_h, params.out_w);
    let padded = vec2(cell.row + params.pad_top, cell.column + params.pad_left);
    let reach = vec2(params.reach_h, params.reach_w);
    let steps = padded - min(padded, reach);
    let source = steps / vec2(SY, SX);
    let on_a_cell = all(padded >= reach) && all(steps % vec2(SY, SX) == vec2(0u));
    var value = 0.0;
    if on_a_cell && all(source < vec2(params.in_h, params.in_w)) {
        value = x[(cell.plane * params.in_h + source.x) * params.in_w + source.y];
    }
    z[index] = value;
}
