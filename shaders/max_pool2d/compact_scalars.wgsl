// Computes  y[n,c,i,j] = max of x[n,c, 2i..2i+2, 2j..2j+2] over the cells inside x; switches[n,c,i,j] = which of the four that
//           is, 0 to 3 in raster order.
// Layout    x: planes of words, f32 or two channels in f16, as bits; y like x; switches: NCHW, two bits each, 16
//           of a row in a word, the first in its lowest bits, rows of whole words, bits past a row's last window 0.
// Bindings  0 params; 1 x; 2 y; 3 switches.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation 16 windows in a row, whose switches are a word a channel; folded.
// Limits    Every window begins inside x; fewer than 2^31 elements.
// Writes    Every word of y and of switches, once.
// Order     A window's cells in raster order: the first of equal values, the last NaN.
// Uses      common/index.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl, max_pool2d/best.wgsl,
//           max_pool2d/maxima_f32.wgsl, max_pool2d/maxima_half.wgsl, max_pool2d/compact.wgsl
// Oracle    reference::max_pool2d

override WORKGROUP: u32 = 64;

@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index < params.blocks {
        pool_block(index);
    }
}

// Four words from this column on of the row that begins at `row`; the row's last for those past its end.
fn four_of_row(row: u32, column: u32) -> vec4<u32> {
    let at = row + min(column + vec4(0u, 1u, 2u, 3u), vec4(params.in_w - 1));
    return vec4(x[at.x], x[at.y], x[at.z], x[at.w]);
}

fn store_pair(at: u32, values: vec2<u32>, both: bool) {
    y[at] = values.x;
    if both {
        y[at + 1] = values.y;
    }
}
