// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], as conv2d/tiled, for one group.
// Layout    x: N x Cin x H x W; p: weights as conv2d/pack leaves them; b: Cout; y: N x Cout x OH x OW.
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; ACCUMULATE, add to what y holds; ROWS (8, 16, 24, 32 or 64),
//           output channels of a block; WORKGROUP, a multiple of 4*LANES.
// Dispatch  A subgroup computes the ROWS channels of a block for 64 cells in a row, a workgroup as many blocks as it has subgroups. Cells
//           vary fastest, then blocks, then images; `tiles` workgroups have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements, p no more than 2^30 bytes. Subgroups have LANES invocations.
// Writes    Every cell of this dispatch's blocks, once.
// Order     One f32 accumulator a channel and cell: over the input channels of this dispatch u, then v, then c ascending;
//           dispatches in order; the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/tile.wgsl, common/words_u64.wgsl, common/lanes_8.wgsl, conv2d/operands.wgsl,
//           conv2d/operands_f32.wgsl, conv2d/weights_u64.wgsl, conv2d/rows_loaded.wgsl, conv2d/two_tiles.wgsl, conv2d/in_rows.wgsl,
//           conv2d/result_f32.wgsl, conv2d/store.wgsl
// Oracle    reference::conv2d
//
// Why: as conv2d/winograd_product_shared. With 64 rows a cell's load serves twice as many multiply-adds, in twice the code, which takes
// longer to compile. What changes from round to round is stepped along, for the driver computes anew in a loop whatever is used there only.

override ROWS: u32;
override WORKGROUP: u32 = 128;

// Pairs of cells of a workgroup, and channels whose cells it holds at a time.
const PAIRS: u32 = 32;
const CHANNELS: u32 = STAGED / PAIRS;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    if flat >= params.tiles {
        return;
    }
    let subgroups = WORKGROUP / LANES;
    let block_groups = (params.blocks + subgroups - 1) / subgroups;
    let first_cell = flat % params.cell_tiles * 2 * PAIRS;
    let n = flat / params.cell_tiles / block_groups;
    let own_block = flat / params.cell_tiles % block_groups * subgroups + subgroup;
    // A subgroup without a block stages what the others need.
    let has_block = own_block < params.blocks;
    let local_block = min(own_block, params.blocks - 1);

    // What this invocation stages: the same pair of cells of every so manieth channel.
    let staged_pair = invocation % PAIRS;
    let cell = first_cell + 2 * staged_pair;
    let cells = vec2(cell, cell + 1);
    let last_cell = computed_cells() - 1;
    let at_row = min(cells, vec2(last_cell)) / params.out_w * SY - params.pad_top;
    let at_column = min(cells, vec2(last_cell)) % params.out_w * SX - params.pad_left;
    let in_plane = params.in_h * params.in_w;
    let first_plane = group_planes(n, 0);

    let quads = (params.group_inputs + 3) / 4;
    let block_weights = local_block * KH * KW * quads * ROWS;
    var a0: Tile;
    var a1: Tile;
    var a2: Tile;
    var a3: Tile;
    var a4: Tile;
    var a5: Tile;
    var a6: Tile;
    var a7: Tile;
    var b0: Tile;
    var b1: Tile;
    var b2: Tile;
    var b3: Tile;
    var b4: Tile;
    var b5: Tile;
    var b6: Tile;
    var b7: Tile;
    for (var u = 0u; u < KH; u++) {
        for (var v = 0u; v < KW; v++) {
            // A row or column before the first wraps around to a number beyond the last.
            let row = at_row + u * DY;
            let column = at_column + v * DX;
            let inside = (row < vec2(params.in_h)) & (column < vec2(params.in_w));
            let at = first_plane + select(vec2<u32>(), row * params.in_w + column, inside);
            let tap_weights = block_weights + (u * KW + v) * quads * ROWS;
            for (var first = params.first_quad; first < params.end_quad; first += CHANNELS / 4) {
                let count = min(CHANNELS / 4, params.end_quad - first);
                workgroupBarrier();
                var channel = 4 * first + invocation / PAIRS;
                var plane = at + channel * in_plane;
                for (var e = invocation; e < 4 * count * PAIRS; e += WORKGROUP) {
                    // Channels past the last have zero weights, and zeros here, for an infinity times zero is not zero.
                    let exists = inside & vec2(channel < params.group_inputs);
                    let source = select(vec2<u32>(), plane, exists);
                    staged[e] = pair(select(vec2<f32>(), vec2(x[source.x], x[source.y]), exists));
                    channel += WORKGROUP / PAIRS;
                    plane += WORKGROUP / PAIRS * in_plane;
                }
                workgroupBarrier();
                var weights = tap_weights + first * ROWS;
                for (var q = 0u; q < select(0u, count, has_block); q++) {
                    // The remainder says to a compiler that this is not negative.
                    let at = q % (CHANNELS / 4) * 4 * PAIRS;
                    let left = lane_columns(at, PAIRS, lane);
                    let right = lane_columns(at + PAIRS / 2, PAIRS, lane);
                    // What is cut off, as the remainder above, says to a compiler that this is not negative.
                    let i = weights & 0x3ffffffu;
                    weights += ROWS;
                    multiply_add_two(&a0, &b0, left, right, i);
                    if ROWS > 8 { multiply_add_two(&a1, &b1, left, right, i + 8); }
                    if ROWS > 16 { multiply_add_two(&a2, &b2, left, right, i + 16); }
                    if ROWS > 24 { multiply_add_two(&a3, &b3, left, right, i + 24); }
                    if ROWS > 32 {
                        multiply_add_two(&a4, &b4, left, right, i + 32);
                        multiply_add_two(&a5, &b5, left, right, i + 40);
                        multiply_add_two(&a6, &b6, left, right, i + 48);
                        multiply_add_two(&a7, &b7, left, right, i + 56);
                    }
                }
            }
        }
    }
    if !has_block {
        return;
    }
    let channel = (params.first_block + local_block) * ROWS;
    store_rows(n, channel, first_cell + 4 * lane, a0, a1, a2, a3);
    store_rows(n, channel, first_cell + PAIRS + 4 * lane, b0, b1, b2, b3);
    if ROWS > 32 {
        store_rows(n, channel + 32, first_cell + 4 * lane, a4, a5, a6, a7);
        store_rows(n, channel + 32, first_cell + PAIRS + 4 * lane, b4, b5, b6, b7);
    }
}

// Stores the channels of a block for the four cells from `first` on, as far as there are any.
fn store_rows(n: u32, channel: u32, first: u32, t0: Tile, t1: Tile, t2: Tile, t3: Tile) {
    if first >= computed_cells() || channel >= params.group_outputs {
        return;
    }
    let cells = Cells(four_cells(first).at, min(computed_cells() - first, 4u));
    let plane = n * params.out_channels;
    let left = params.group_outputs - channel;
    store_tile(cells, plane, channel, left, t0);
    if ROWS > 8 && left > 8 { store_tile(cells, plane, channel + 8, left - 8, t1); }
    if ROWS > 16 && left > 16 { store_tile(cells, plane, channel + 16, left - 16, t2); }
    if ROWS > 24 && left > 24 { store_tile(cells, plane, channel + 24, left - 24, t3); }
}
