// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], negative ones
//           made zero if RELU; cells outside x count as zero. With a pooling y is the maxima of that over 2x2 windows of step 2.
// Layout    x: N x Cin x H x W; p: weights as conv2d/pack leaves them, ROWS rows a block; b: Cout; y: parts x N x Cout x OH x
//           OW, one part unless conv2d/sum_parts follows.
//           Or x, p and y in f16: maps two channels a word, weights as conv2d/pack_half leaves them; o may then be phases of
//           y (conv_transpose2d/interleaved).
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y; 5 overflow, where y is f16; with a pooling 6
//           switches.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; ROWS, CELLS (64 or 128), a workgroup's channels
//           and cells; ACCUMULATE, add to what y holds, where that is f32; with a pooling PARTIAL, SWITCHES, COMPACT.
// Dispatch  An implicit matrix product, weights times the columns that im2col would write. A workgroup computes a block, ROWS
//           channels, of CELLS cells, in a row or of windows, an invocation 8 channels of two times 4 cells. Cells vary fastest,
//           then blocks, then images, then parts of the sums; `tiles` workgroups have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. 16 KiB of workgroup memory.
// Writes    Every cell of this dispatch's blocks in each part, once.
// Order     One f32 accumulator a channel and cell: over the input channels of a part u, then v, then c ascending; dispatches
//           in order; the bias last.
// Uses      conv2d/stages.wgsl, conv2d/stages_words.wgsl or conv2d/stages_vectors.wgsl, common/index.wgsl,
//           common/activation.wgsl, common/tile.wgsl, conv2d/operands.wgsl, conv2d/operands_f32.wgsl, conv2d/weights.wgsl,
//           conv2d/columns.wgsl or conv2d/operands_half.wgsl, conv2d/columns_half.wgsl, conv2d/in_rows.wgsl,
//           conv2d/result_f32.wgsl, conv2d/store.wgsl or convert/half_word.wgsl, conv2d/result_half.wgsl,
//           conv2d/store_half.wgsl, for phases conv_transpose2d/interleaved.wgsl and conv_transpose2d/interleave.wgsl or
//           conv_transpose2d/interleave_half.wgsl, with a pooling conv2d/in_windows.wgsl, common/planes_half.wgsl,
//           max_pool2d/best.wgsl, max_pool2d/maxima_half.wgsl, conv2d/store_half_pooled.wgsl, conv2d/store_windows.wgsl
// Oracle    reference::conv2d; for phases reference::conv_transpose2d
//
// Why: on a GPU a workgroup loads each weight and each cell once and uses it 128 times (conv2d/stages). On a CPU driver the
// barriers cost more than that saves: see conv2d/tiled.

// Where an invocation's cell lies in a plane, as the current tap sees it, if inside.
struct Seen {
    at: u32,
    inside: bool,
}

fn seen(row: u32, column: u32, tap: u32) -> Seen {
    // A row or column before the first wraps around to a number beyond the last.
    let from_row = row + tap / KW * DY;
    let from_column = column + tap % KW * DX;
    let inside = from_row < params.in_h && from_column < params.in_w;
    return Seen(select(0u, from_row * params.in_w + from_column, inside), inside);
}

@compute @workgroup_size(ROWS * CELLS / 64)
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
    let first_quad = params.first_quad + part * params.part_quads;
    let end_quad = min(first_quad + params.part_quads, params.end_quad);
    let group = block / params.group_blocks;

    // What this invocation stages.
    let block_row = staged_row(invocation);
    let own_cell = staged_cell(invocation);
    let cell = cell_at(first_cell + own_cell);
    let row = cell.x * SY - params.pad_top;
    let column = cell.y * SX - params.pad_left;
    let first_plane = group_planes(n, group);
    let in_plane = params.in_h * params.in_w;
    let quads = (params.group_inputs + 3) / 4;
    let w_quad = row_quad(invocation);
    let c_quad = cell_quad(invocation);
    let own_row = local_block * KH * KW * quads * ROWS + block_row;

    let place = place_of(invocation);
    var left: Tile;
    var right: Tile;
    var tap = 0u;
    var q = first_quad;
    var source = seen(row, column, tap);
    let stages = KH * KW * ((end_quad - first_quad + STAGE - 1) / STAGE);
    // Each round loads a stage and multiplies the one before it.
    for (var round = 0u; round <= stages; round++) {
        let more = round < stages;
        // As they come: what uses them, here, would wait for them before it multiplies.
        var rows = RawWeights(0);
        var more_rows = RawWeights(0);
        var cells = RawChannels(0);
        var more_cells = RawChannels(0);
        if more {
            let weights = own_row + tap * quads * ROWS;
            rows = raw_weights(weights + min(q + w_quad, end_quad - 1) * ROWS);
            if CELLS < 128 {
                more_rows = raw_weights(weights + min(q + 1, end_quad - 1) * ROWS);
            }
            cells = raw_channels(first_plane, in_plane, params.group_inputs, q + c_quad, source.at);
            if ROWS < 128 {
                more_cells = raw_channels(first_plane, in_plane, params.group_inputs, q + 1, source.at);
            }
        }
        if round > 0 {
            multiply_stage(&left, &right, (round - 1) % 2, place);
        }
        if more {
            // A stage may reach past the last quad, where there are none.
            put_row(round % 2, w_quad, block_row, select(vec4<f32>(), weights_of(rows), q + w_quad < end_quad));
            if CELLS < 128 {
                put_row(round % 2, 1, block_row, select(vec4<f32>(), weights_of(more_rows), q + 1 < end_quad));
            }
            put_cell(round % 2, c_quad, own_cell, four_channels(cells, params.group_inputs, q + c_quad, source.inside));
            if ROWS < 128 {
                put_cell(round % 2, 1, own_cell, four_channels(more_cells, params.group_inputs, q + 1, source.inside));
            }
            q += STAGE;
            if q >= end_quad {
                q = first_quad;
                tap++;
                source = seen(row, column, tap);
            }
        }
        workgroupBarrier();
    }

    let within = block % params.group_blocks * ROWS + 8 * place.row_group;
    if within >= params.group_outputs {
        return;
    }
    let channel = group * params.group_outputs + within;
    let rest = params.group_outputs - within;
    let images = params.part_tiles / params.cell_tiles / params.blocks;
    let plane = (part * images + n) * params.out_channels;
    let left_cell = first_cell + 4 * place.column_group;
    let right_cell = left_cell + CELLS / 2;
    store_four(left_cell, plane, channel, rest, left);
    store_four(right_cell, plane, channel, rest, right);
}

// Stores the cells of a tile from `first` on, as many as the plane has.
fn store_four(first: u32, plane: u32, channel: u32, rest: u32, tile: Tile) {
    let all = computed_cells();
    if first < all {
        store_tile(Cells(four_cells(first).at, min(all - first, 4u)), plane, channel, rest, tile);
    }
}
