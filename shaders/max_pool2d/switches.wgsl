// Computes  y[n,c,i,j] = max over (u, v) of x[n,c, i*SY + u*DY - pad_top, j*SX + v*DX - pad_left];
//           switches[n,c,i,j] = row * in_w + column of that maximum in its own plane of x.
// Layout    x, y NCHW, f32 as bits: each y is bit for bit one of its window's x; switches like y, u32.
// Bindings  0 params; 1 x; 2 y; 3 switches.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation); WORKGROUP.
// Dispatch  One invocation an element of y, folded.
// Limits    Every window holds a cell of x (MaxPool2d::output_shape refuses others); fewer than 2^31 elements.
// Writes    Every element of y and of switches, once.
// Order     A window's cells inside x, and no others, in raster order: the first of equal values, the last NaN.
// Uses      common/index.wgsl, common/place.wgsl, common/rank.wgsl, max_pool2d/window.wgsl
// Oracle    reference::max_pool2d

override WORKGROUP: u32 = 64;

@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<storage, read_write> switches: array<u32>;

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
    let at = place(index, params.out_h, params.out_w);
    let maximum = window_maximum(at.plane * params.in_h * params.in_w, at.row, at.column);
    y[index] = maximum.bits;
    switches[index] = maximum.cell;
}
