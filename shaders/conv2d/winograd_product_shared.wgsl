// Computes  m[p,o,t] = sum_c u[o,p,c] * d[p,c,t]: one matrix product for each position p of a transformed tile, as
//           conv2d/winograd_product, for one group and kernels of one piece.
// Layout    d: positions x channels x tiles; u: blocks x positions x channels/4 x ROWS x 4, as conv2d/winograd_*_weight leave
//           it; m: positions x rows x tiles, rows the channels of all blocks. d in pairs of tiles, m in fours.
// Bindings  0 params; 1 d; 2 p, u of this dispatch's blocks; 3 m.
// Overrides ROWS (8, 16, 24 or 32), output channels of a block; WORKGROUP, a multiple of LANES.
// Dispatch  A subgroup computes the ROWS channels of a block for 64 tiles, a workgroup as many blocks as it has subgroups.
//           Tiles vary fastest, then blocks, then positions; `groups` workgroups have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements, p no more than 2^30 bytes. Subgroups have LANES
//           invocations.
// Writes    Every element of this dispatch's blocks, once.
// Order     One f32 accumulator an element: c ascending.
// Uses      common/index.wgsl, common/tile.wgsl, common/words_u64.wgsl, common/vectors_u64.wgsl, common/lanes_8.wgsl,
//           conv2d/winograd_operands.wgsl, conv2d/weights_u64.wgsl, conv2d/rows_loaded.wgsl, conv2d/two_tiles.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_*_output
//
// Why: the tiles that all blocks multiply with are gathered once for a workgroup's blocks, and from workgroup memory come
// as scalar loads (common/lanes_8). That leaves registers to weights, each of which then serves eight tiles instead of four.

override ROWS: u32;
override WORKGROUP: u32 = 8;

@group(0) @binding(1) var<storage, read> d: array<u64>;
@group(0) @binding(3) var<storage, read_write> m: array<Quad>;

// Pairs of tiles of a workgroup, and channels whose tiles it holds at a time.
const PAIRS: u32 = 32;
const CHANNELS: u32 = STAGED / PAIRS;

// Stores eight rows from m[i] on, `step` vectors apart.
fn store_tile(i: u32, step: u32, tile: Tile) {
    m[i] = to_quad(bitcast<vec4<u32>>(tile.r0));
    m[i + step] = to_quad(bitcast<vec4<u32>>(tile.r1));
    m[i + 2 * step] = to_quad(bitcast<vec4<u32>>(tile.r2));
    m[i + 3 * step] = to_quad(bitcast<vec4<u32>>(tile.r3));
    m[i + 4 * step] = to_quad(bitcast<vec4<u32>>(tile.r4));
    m[i + 5 * step] = to_quad(bitcast<vec4<u32>>(tile.r5));
    m[i + 6 * step] = to_quad(bitcast<vec4<u32>>(tile.r6));
    m[i + 7 * step] = to_quad(bitcast<vec4<u32>>(tile.r7));
}

// Stores the rows of one vector of tiles.
fn store_rows(i: u32, step: u32, t0: Tile, t1: Tile, t2: Tile, t3: Tile) {
    store_tile(i, step, t0);
    if ROWS > 8 { store_tile(i + 8 * step, step, t1); }
    if ROWS > 16 { store_tile(i + 16 * step, step, t2); }
    if ROWS > 24 { store_tile(i + 24 * step, step, t3); }
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    if flat >= params.groups {
        return;
    }
    let subgroups = WORKGROUP / LANES;
    let block_groups = (params.blocks + subgroups - 1) / subgroups;
    let tile_group = flat % params.tile_groups;
    let position = flat / params.tile_groups / block_groups;
    let own_block = flat / params.tile_groups % block_groups * subgroups + subgroup;
    // A subgroup without a block stages what the others need.
    let has_block = own_block < params.blocks;
    let block = min(own_block, params.blocks - 1);

    let pairs = params.tiles / 2;
    var i = (block * params.positions + position) * (params.channels / 4) * ROWS;
    var a0: Tile;
    var a1: Tile;
    var a2: Tile;
    var a3: Tile;
    var b0: Tile;
    var b1: Tile;
    var b2: Tile;
    var b3: Tile;
    let last_pair = pairs - 1 - tile_group * PAIRS;
    // Stepped along, for the driver computes anew in a loop whatever is used there only.
    var source = position * params.channels * pairs + tile_group * PAIRS;
    for (var first = 0u; first < params.channels; first += CHANNELS) {
        let channels = min(CHANNELS, params.channels - first);
        workgroupBarrier();
        // Lanes along channels: eight lines of memory are on their way at once, and the pairs beside find them there.
        let whole_lanes = (channels + LANES - 1) / LANES * LANES;
        for (var e = invocation; e < whole_lanes * PAIRS; e += WORKGROUP) {
            // Channels and tiles beyond the last repeat it.
            let channel = e / (LANES * PAIRS) * LANES + e % LANES;
            let pair = e / LANES % PAIRS;
            staged[channel * PAIRS + pair] = d[source + min(channel, channels - 1) * pairs + min(pair, last_pair)];
        }
        source += CHANNELS * pairs;
        workgroupBarrier();
        for (var q = 0u; q < select(0u, channels / 4, has_block); q++) {
            // The remainder says to a compiler that this is not negative.
            let at = q % (CHANNELS / 4) * 4 * PAIRS;
            let left = lane_columns(at, PAIRS, lane);
            let right = lane_columns(at + PAIRS / 2, PAIRS, lane);
            // What is cut off says so of the weights.
            let at_weight = i & 0x3ffffffu;
            i += ROWS;
            multiply_add_two(&a0, &b0, left, right, at_weight);
            if ROWS > 8 { multiply_add_two(&a1, &b1, left, right, at_weight + 8); }
            if ROWS > 16 { multiply_add_two(&a2, &b2, left, right, at_weight + 16); }
            if ROWS > 24 { multiply_add_two(&a3, &b3, left, right, at_weight + 24); }
        }
    }
    if !has_block {
        return;
    }
    let step = params.tiles / 4;
    let vector = tile_group * (PAIRS / 2) + lane;
    let to = (position * params.rows + (params.first_block + block) * ROWS) * step + vector;
    if vector < step { store_rows(to, step, a0, a1, a2, a3); }
    if vector + LANES < step { store_rows(to + LANES, step, b0, b1, b2, b3); }
}
