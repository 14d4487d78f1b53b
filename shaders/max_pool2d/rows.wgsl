// Computes  y[n,c,i,j] = max of x[n,c, 2i..2i+2, 2j..2j+2]; if SWITCHES, switches[n,c,i,j] = row * in_w + column of that maximum
//           in its own plane of x.
// Layout    As max_pool2d/pairs.
// Bindings  0 params; 1 x; 2 y; 3 switches, written if SWITCHES.
// Overrides SWITCHES; ROWS, rows of y that a workgroup computes; WORKGROUP, its invocations.
// Dispatch  A workgroup ROWS rows of y, one after another, its invocations neighbouring pairs of words, two by two; folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every word of y, and of switches if SWITCHES, once.
// Order     A window's cells in raster order: the first of equal values, the last NaN.
// Uses      common/index.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl, common/vectors.wgsl,
//           common/vectors_u64.wgsl, max_pool2d/best.wgsl, max_pool2d/maxima_f32.wgsl, max_pool2d/maxima_half.wgsl,
//           two_by_two/row.wgsl, two_by_two/upper_row.wgsl, max_pool2d/pair.wgsl, max_pool2d/flat_switches.wgsl
// Oracle    reference::max_pool2d
//
// Why       For CPU drivers, whose workgroups cost much: all of an index but the pair is the same for a workgroup, and computed once
//           a row.

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
        // Where maxima go: they wait for the lines, the windows' own reads do not.
        row.pair += read_upper_row(row, invocation);
        for (var k = 0u; k < row_pairs; k += 2 * WORKGROUP) {
            if k + invocation < row_pairs {
                pool_pair(row, k + invocation);
            }
            if k + WORKGROUP + invocation < row_pairs {
                pool_pair(row, k + WORKGROUP + invocation);
            }
        }
    }
}
