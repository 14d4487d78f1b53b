// Subgroups of eight lanes that share what they read in workgroup memory.
//
// A CPU driver loads from addresses that differ between lanes by a gather, and from one that is the same for all lanes by a scalar load,
// with a few instructions for its bounds. Eight of the latter, of which each lane takes its own by its number, which is known
// when the shader is compiled, become inserts into a vector, and take less than a gather, but if GATHERS. Only where LANES is the
// size of every subgroup.

// Whether a gather takes less (`Caps::gathers`).
override GATHERS: bool;

const LANES: u32 = 8;
const STAGED: u32 = 2048;

var<workgroup> staged: array<u64, STAGED>;

// The pair of `lane` among eight that are `step` apart from staged[first] on, which has to be the same for all lanes.
fn lane_pair(first: u32, step: u32, lane: u32) -> u64 {
    var pair: u64;
    if GATHERS {
        pair = staged[first + step * lane];
    } else {
        pair = staged[first];
        pair = select(pair, staged[first + step], lane == 1);
        pair = select(pair, staged[first + 2 * step], lane == 2);
        pair = select(pair, staged[first + 3 * step], lane == 3);
        pair = select(pair, staged[first + 4 * step], lane == 4);
        pair = select(pair, staged[first + 5 * step], lane == 5);
        pair = select(pair, staged[first + 6 * step], lane == 6);
        pair = select(pair, staged[first + 7 * step], lane == 7);
    }
    return pair;
}

// The lower half of a pair. By way of shifts, so that a compiler takes the halves of all lanes apart at once, not each before it
// is inserted.
fn lower(pair: u64) -> u32 {
    return u32((pair << 32u) >> 32u);
}

// The vector of `lane` among eight from staged[first] on.
fn lane_vector(first: u32, lane: u32) -> vec4<f32> {
    let left = lane_pair(first, 2, lane);
    let right = lane_pair(first + 1, 2, lane);
    return bitcast<vec4<f32>>(vec4(lower(left), u32(left >> 32u), lower(right), u32(right >> 32u)));
}

// Four such vectors, `step` apart: four terms of four cells.
fn lane_columns(first: u32, step: u32, lane: u32) -> mat4x4<f32> {
    return mat4x4(
        lane_vector(first, lane),
        lane_vector(first + step, lane),
        lane_vector(first + 2 * step, lane),
        lane_vector(first + 3 * step, lane),
    );
}
