// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], negative ones
//           made zero if RELU; cells outside x count as zero. With a pooling y is the maxima of that over 2x2 windows of step 2.
// Layout    x: N x Cin x H x W; p: weights as conv2d/pack leaves them by FOUR_ROWS, ROWS rows a block; b: Cout; y: parts x N x
//           Cout x OH x OW, one part unless conv2d/sum_parts follows.
//           Or x, p and y in f16: maps two channels a word, weights as conv2d/pack_half leaves them; o may then be phases of
//           y (conv_transpose2d/interleaved).
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y; 5 overflow, where y is f16; with a pooling 6
//           switches.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; ROWS, CELLS (32, 64 or 128), a workgroup's channels
//           and cells; SIDE (4 or 8), an invocation's; TAIL; ACCUMULATE, add to what y holds, where that is f32; with a pooling
//           PARTIAL, SWITCHES, COMPACT.
// Dispatch  An implicit matrix product, weights times the columns that im2col would write. A workgroup computes a block, ROWS
//           channels, of CELLS cells, in a row or of windows, an invocation SIDE channels of SIDE cells, by fours. Cells vary
//           fastest, then blocks, then images, then parts of the sums; `tiles` workgroups have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. 12 KiB of workgroup memory.
// Writes    Every cell of this dispatch's blocks in each part, once.
// Order     One f32 accumulator a channel and cell: over the input channels of a part u, then v, then c ascending; dispatches
//           in order; the bias last.
// Uses      conv2d/stages.wgsl, common/index.wgsl, common/activation.wgsl, common/tile.wgsl, conv2d/operands.wgsl,
//           conv2d/operands_f32.wgsl, conv2d/weights.wgsl, conv2d/columns.wgsl or conv2d/operands_half.wgsl,
//           conv2d/columns_half.wgsl, conv2d/in_rows.wgsl, conv2d/result_f32.wgsl, conv2d/store.wgsl or
//           convert/half_word.wgsl, conv2d/result_half.wgsl, conv2d/store_half.wgsl, for phases
//           conv_transpose2d/interleaved.wgsl and conv_transpose2d/interleave.wgsl or conv_transpose2d/interleave_half.wgsl,
//           with a pooling conv2d/in_windows.wgsl, common/planes_half.wgsl, max_pool2d/best.wgsl,
//           max_pool2d/maxima_half.wgsl, conv2d/store_half_pooled.wgsl, conv2d/store_windows.wgsl
// Oracle    reference::conv2d; for phases reference::conv_transpose2d
//
// Why: on a GPU a workgroup loads each weight and each cell once and uses it up to 128 times (conv2d/stages). On a CPU driver the
// barriers cost more than that saves: see conv2d/tiled.

// Where an invocation's four cells lie in a plane, as the current tap sees them, and which are inside.
struct Seen {
    at: vec4<u32>,
    inside: vec4<bool>,
}

fn seen(four: Four, tap: u32) -> Seen {
    // A row or column before the first wraps around to a number beyond the last.
    let row = four.row * SY - params.pad_top + tap / KW * DY;
    let column = four.column * SX - params.pad_left + tap % KW * DX;
    let inside = (row < vec4(params.in_h)) & (column < vec4(params.in_w));
    return Seen(select(vec4<u32>(), row * params.in_w + column, inside), inside);
}

@compute @workgroup_size(ROWS * CELLS / (SIDE * SIDE))
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    // All of a workgroup or none: the barriers below are met by all of it.
    if flat >= params.tiles {
        return;
    }
    let first_cell = flat % params.cell_tiles * CELLS;
    let local_block = flat / params.cell_tiles % params.blocks;
    let block = params.first_block + local_block;
    let part = flat / params.part_tiles;
    let n = flat % params.part_tiles / params.cell_tiles / params.blocks;
    let group = block / params.group_blocks;
    let first_quad = params.first_quad + part * params.part_quads;
    let end = min(4 * min(first_quad + params.part_quads, params.end_quad), params.group_inputs);

    // What this invocation stages: weights of a channel for its four rows, and its four cells, of some channels.
    let four = four_cells(first_cell + invocation % (CELLS / 4) * 4);
    let plane = group_planes(n, group);
    let in_plane = params.in_h * params.in_w;
    let tap_weights = (params.group_inputs + 3) / 4 * ROWS;
    let own_weights = local_block * KH * KW * tap_weights + invocation % (ROWS / 4);

    let place = place_of(invocation);
    var left: Tile;
    var right: Tile;
    var rows: array<RawWeights, 4>;
    var cells: array<RawCells, 4>;
    var tap = 0u;
    var first = 4 * first_quad;
    var source = seen(four, tap);
    for (var i = 0u; i < 4; i++) { // unrolled
        let row_channel = existing(first + row_term(invocation, i), end);
        let cell_channel = existing(first + cell_term(invocation, i), end);
        if i < row_vectors() { rows[i] = raw_weights(own_weights + row_channel * (ROWS / 4)); }
        if i < cell_vectors() { cells[i] = raw_cells(plane, in_plane, cell_channel, source.at); }
    }
    let stages = KH * KW * ((end - first + TERMS - 1) / TERMS);
    for (var round = 0u; round < stages; round++) {
        for (var i = 0u; i < 4; i++) { // unrolled
            let at = invocation + i * invocations();
            if i < row_vectors() {
                let is_row = exists(first + row_term(invocation, i), end);
                staged_rows[at] = select(vec4<f32>(), weights_of(rows[i]), is_row);
            }
            if i < cell_vectors() {
                let c = first + cell_term(invocation, i);
                staged_cells[at] = select(vec4<f32>(), four_cells_of(cells[i], c), source.inside & vec4(exists(c, end)));
            }
        }
        workgroupBarrier();
        // The next stage, or the last again, is under way while this one is multiplied; what uses it would wait for it.
        if first + TERMS < end {
            first += TERMS;
        } else if tap + 1 < KH * KW {
            first = 4 * first_quad;
            tap++;
            source = seen(four, tap);
        }
        let weights = own_weights + tap * tap_weights;
        for (var i = 0u; i < 4; i++) { // unrolled
            let row_channel = existing(first + row_term(invocation, i), end);
            let cell_channel = existing(first + cell_term(invocation, i), end);
            if i < row_vectors() { rows[i] = raw_weights(weights + row_channel * (ROWS / 4)); }
            if i < cell_vectors() { cells[i] = raw_cells(plane, in_plane, cell_channel, source.at); }
        }
        multiply_stage(&left, &right, place);
        workgroupBarrier();
    }

    let first_row = block % params.group_blocks * ROWS + SIDE * place.row_group;
    if first_row >= params.group_outputs {
        return;
    }
    let channel = group * params.group_outputs + first_row;
    let rest = min(params.group_outputs - first_row, SIDE);
    let images = params.part_tiles / params.cell_tiles / params.blocks;
    let out_plane = (part * images + n) * params.out_channels;
    let left_cell = first_cell + 4 * place.column_group;
    store_four(left_cell, out_plane, channel, rest, left);
    if SIDE == 8 {
        store_four(left_cell + CELLS / 2, out_plane, channel, rest, right);
    }
}

// Stores the cells of a tile from `first` on, as many as the plane has.
fn store_four(first: u32, plane: u32, channel: u32, rest: u32, tile: Tile) {
    let all = computed_cells();
    if first < all {
        store_tile(Cells(four_cells(first).at, min(all - first, 4u)), plane, channel, rest, tile);
    }
}
