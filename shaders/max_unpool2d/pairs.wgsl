// Computes  y[n,c, cell] = x[n,c,i,j] if switches[n,c,i,j] = cell, 0 elsewhere, for the switches of a pooling by 2x2 windows of
//           step 2.
// Layout    x: planes of words, f32 or two channels in f16, as bits; switches: NCHW, u32, flat in a plane of y; y like x with
//           twice the rows and columns, rows of whole fours.
// Bindings  0 params; 1 x; 2 switches; 3 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a pair of words of x, which becomes two vectors of y; folded.
// Limits    Every switch lies in its own window (Switches::new refuses others); fewer than 2^31 elements.
// Writes    Every vector of y, once: no clearing pass.
// Order     Any: windows do not overlap.
// Uses      common/index.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl, common/vectors.wgsl,
//           two_by_two/row.wgsl, max_unpool2d/pair.wgsl, max_unpool2d/flat_switches.wgsl
// Oracle    reference::max_unpool2d

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index < params.all_rows * params.row_pairs {
        unpool_pair(row_at(index / params.row_pairs), index % params.row_pairs);
    }
}
