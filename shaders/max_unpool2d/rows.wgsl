// Computes  y[n,c, cell] = x[n,c,i,j] if switches[n,c,i,j] = cell, 0 elsewhere, for the switches of a pooling by 2x2 windows of
//           step 2.
// Layout    As max_unpool2d/pairs.
// Bindings  0 params; 1 x; 2 switches; 3 y.
// Overrides ROWS, rows of x that a workgroup moves; WORKGROUP, its invocations.
// Dispatch  A workgroup ROWS rows of x, one after another, its invocations neighbouring pairs of words, two by two; folded.
// Limits    Every switch lies in its own window (Switches::new refuses others); fewer than 2^31 elements.
// Writes    Every vector of y, once: no clearing pass.
// Order     Any: windows do not overlap.
// Uses      common/index.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl, common/vectors.wgsl,
//           common/vectors_u64.wgsl, two_by_two/row.wgsl, two_by_two/upper_row.wgsl, max_unpool2d/pair.wgsl,
//           max_unpool2d/flat_switches.wgsl
// Oracle    reference::max_unpool2d
//
// Why       As max_pool2d/rows. Lines are fetched to be written to as well.

override ROWS: u32;
override WORKGROUP: u32 = 8;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let row_pairs = params.row_pairs;
    let first = flat_workgroup(workgroup, workgroups) * ROWS;
    let end = min(first + ROWS, params.all_rows);
    for (var i = first; i < end; i++) {
        var row = row_at(i);
        row.vector += read_upper_row(row, invocation);
        for (var k = 0u; k < row_pairs; k += 2 * WORKGROUP) {
            if k + invocation < row_pairs {
                unpool_pair(row, k + invocation);
            }
            if k + WORKGROUP + invocation < row_pairs {
                unpool_pair(row, k + WORKGROUP + invocation);
            }
        }
    }
}
