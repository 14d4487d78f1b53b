// Computes  y[n,c, 2i + s/2, 2j + s%2] = x[n,c,i,j] with s = switches[n,c,i,j]; 0 elsewhere.
// Layout    As max_unpool2d/compact_vectors, y of twice the rows and columns of x.
// Bindings  0 params; 1 x; 2 switches; 3 y.
// Overrides ROWS, rows of x that a workgroup moves; WORKGROUP, its invocations, as many as a word of switches has pairs: 8.
// Dispatch  A workgroup ROWS rows of x, one after another, its invocations neighbouring pairs of values; folded.
// Limits    Every switch names a cell inside y; fewer than 2^31 elements.
// Writes    Every vector of y, once: no clearing pass.
// Order     Any: windows do not overlap.
// Uses      common/index.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl, common/vectors_u64.wgsl,
//           two_by_two/row.wgsl, two_by_two/upper_row.wgsl, max_unpool2d/pair.wgsl
// Oracle    reference::max_unpool2d
//
// Why       As max_unpool2d/rows. A word of switches is that of all invocations, so that a CPU driver loads it once.

override ROWS: u32;
override WORKGROUP: u32 = 8;

@group(0) @binding(2) var<storage, read> switches: array<u32>;

// The bits of a row's four cells whose number in their window is `cells`, from those of a word on that say which are taken.
fn taken(word: u32, pair: u32, cells: vec4<u32>, bits: u32) -> vec4<u32> {
    let at = 4 * pair + vec4(0u, 0u, 2u, 2u);
    return select(vec4<u32>(), vec4(bits), ((vec4(word) >> at) & vec4(3u)) == cells);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let row_words = (params.row_pairs + WORKGROUP - 1) / WORKGROUP;
    let first = flat_workgroup(workgroup, workgroups) * ROWS;
    let end = min(first + ROWS, params.all_rows);
    for (var i = first; i < end; i++) {
        var row = row_at(i);
        row.vector += read_upper_row(row, invocation);
        for (var k = 0u; k < row_words; k++) {
            let pair = WORKGROUP * k + invocation;
            let word = switches[row.first_switches * row_words + k];
            var upper = taken(word, invocation, vec4(0u, 1u, 0u, 1u), FIRST_OF_WORD);
            var lower = taken(word, invocation, vec4(2u, 3u, 2u, 3u), FIRST_OF_WORD);
            if CHANNELS_A_WORD == 2 {
                let word = switches[row.second_switches * row_words + k];
                upper |= taken(word, invocation, vec4(0u, 1u, 0u, 1u), SECOND_OF_WORD);
                lower |= taken(word, invocation, vec4(2u, 3u, 2u, 3u), SECOND_OF_WORD);
            }
            if pair < params.row_pairs {
                unpool_values(row, pair, upper, lower);
            }
        }
    }
}
