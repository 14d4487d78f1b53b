// Computes  y[n,c,i,j] = x[n,c, i + row, j + column].
// Layout    x, y: NCHW, words.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element of y, folded.
// Limits    The window lies inside x (Crop::output_shape); fewer than 2^31 elements.
// Writes    Every element of y, once.
// Order     Any.
// Uses      common/index.wgsl, common/place.wgsl
// Oracle    reference::crop

struct Params {
    elements: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    // Where the window begins.
    row: u32,
    column: u32,
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
    if index >= params.elements {
        return;
    }
    let at = place(index, params.out_h, params.out_w);
    y[index] = x[(at.plane * params.in_h + at.row + params.row) * params.in_w + at.column + params.column];
}
