// Computes  y[n,c,i,j] = a[n,c,i,j] + scale * b[n,c, i + row, j + column].
// Layout    a, b, y: N x ceil(C/2) x H x W, two channels a word in f16.
// Bindings  0 params; 1 a; 2 b; 3 y; 4 overflow.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word of y, folded.
// Limits    The window lies inside b (CropAdd::output_shape); fewer than 2^31 elements.
// Writes    Every word of y, once; overflow if a sum is too large.
// Order     The product, then the sum, in f32; the device may fuse them.
// Uses      common/index.wgsl, common/place.wgsl, convert/half_word.wgsl
// Oracle    reference::crop_add

struct Params {
    words: u32,
    // Rows and columns of a plane of b, and of y.
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    // Where the window begins.
    row: u32,
    column: u32,
    scale: f32,
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
    let at = place(index, params.out_h, params.out_w);
    let skip = b[(at.plane * params.in_h + at.row + params.row) * params.in_w + at.column + params.column];
    y[index] = narrow(unpack2x16float(a[index]) + params.scale * unpack2x16float(skip));
}
