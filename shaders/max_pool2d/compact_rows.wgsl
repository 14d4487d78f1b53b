// Computes  y[n,c,i,j] = max of x[n,c, 2i..2i+2, 2j..2j+2]; switches[n,c,i,j] = which of the four that is, 0 to 3 in raster order.
// Layout    As max_pool2d/compact_vectors, x of an even number of rows.
// Bindings  0 params; 1 x; 2 y; 3 switches.
// Overrides ROWS, rows of y that a workgroup computes; WORKGROUP, LANES invocations.
// Dispatch  A workgroup ROWS rows of y, one after another, its invocations neighbouring pairs of windows; folded.
// Limits    Fewer than 2^31 elements. Subgroups have LANES invocations.
// Writes    Every word of y and of switches, once.
// Order     A window's cells in raster order: the first of equal values, the last NaN.
// Uses      common/index.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl, common/vectors_u64.wgsl,
//           max_pool2d/best.wgsl, max_pool2d/maxima_f32.wgsl, max_pool2d/maxima_half.wgsl, two_by_two/row.wgsl,
//           two_by_two/upper_row.wgsl, max_pool2d/pair.wgsl
// Oracle    reference::max_pool2d
//
// Why       As max_pool2d/rows. Lanes are pairs, whose vectors lie side by side, where max_pool2d/compact_vectors has lanes 32 cells
//           apart; a word's windows are then those of all lanes, which they hand each other eight words at a time.

override ROWS: u32;
override WORKGROUP: u32 = 8;

// Invocations of a subgroup, whose pairs share a word; words that they put together at a time, for a lane of which there is one.
const LANES: u32 = 8;

@group(0) @binding(3) var<storage, read_write> switches: array<u32>;

// Four bits of a word: the cells of a pair.
fn cells_of_pair(cells: vec2<u32>) -> u32 {
    return cells.x | (cells.y << 2);
}

// The word with this lane's number, of whose bits each lane has those of its own pair in each of eight words.
fn word_of_lane(bits: u32, lane: u32) -> u32 {
    let at = 4 * lane;
    return ((subgroupBroadcast(bits, 0u) >> at) & 15)
        | (((subgroupBroadcast(bits, 1u) >> at) & 15) << 4)
        | (((subgroupBroadcast(bits, 2u) >> at) & 15) << 8)
        | (((subgroupBroadcast(bits, 3u) >> at) & 15) << 12)
        | (((subgroupBroadcast(bits, 4u) >> at) & 15) << 16)
        | (((subgroupBroadcast(bits, 5u) >> at) & 15) << 20)
        | (((subgroupBroadcast(bits, 6u) >> at) & 15) << 24)
        | (((subgroupBroadcast(bits, 7u) >> at) & 15) << 28);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let row_words = (params.row_pairs + LANES - 1) / LANES;
    let first = flat_workgroup(workgroup, workgroups) * ROWS;
    let end = min(first + ROWS, params.all_rows);
    for (var i = first; i < end; i++) {
        var row = row_at(i);
        // Where maxima go: they wait for the lines, the windows' own reads do not.
        row.pair += read_upper_row(row, lane);
        for (var k = 0u; k < row_words; k += LANES) {
            var bits = 0u;
            var second_bits = 0u;
            for (var w = 0u; w < min(LANES, row_words - k); w++) {
                let pair = LANES * (k + w) + lane;
                if pair < params.row_pairs {
                    let best = pool_values(row, pair);
                    bits |= cells_of_pair(best.cells) << (4 * w);
                    second_bits |= cells_of_pair(best.second_cells) << (4 * w);
                }
            }
            let word = word_of_lane(bits, lane);
            let second_word = word_of_lane(second_bits, lane);
            if k + lane < row_words {
                switches[row.first_switches * row_words + k + lane] = word;
                // Beside a last odd channel there is no second one.
                if CHANNELS_A_WORD == 2 && row.second_switches != row.first_switches {
                    switches[row.second_switches * row_words + k + lane] = second_word;
                }
            }
        }
    }
}
