// Computes  y[n,c,i,j] = max of x[n,c, 2i..2i+2, 2j..2j+2]; if SWITCHES, switches[n,c,i,j] = row * in_w + column of that maximum
//           in its own plane of x.
// Layout    x: planes of words, f32 or two channels in f16, as bits; an even number of rows, rows of whole fours; y like x with
//           half the rows and columns; switches: NCHW, u32.
// Bindings  0 params; 1 x; 2 y; 3 switches, written if SWITCHES.
// Overrides SWITCHES; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a pair of words of y, which are two vectors of x; folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every word of y, and of switches if SWITCHES, once.
// Order     A window's cells in raster order: the first of equal values, the last NaN.
// Uses      common/index.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl, common/vectors.wgsl,
//           max_pool2d/best.wgsl, max_pool2d/maxima_f32.wgsl, max_pool2d/maxima_half.wgsl, two_by_two/row.wgsl,
//           max_pool2d/pair.wgsl, max_pool2d/flat_switches.wgsl
// Oracle    reference::max_pool2d

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index < params.all_rows * params.row_pairs {
        pool_pair(row_at(index / params.row_pairs), index % params.row_pairs);
    }
}
