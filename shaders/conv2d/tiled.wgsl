// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], negative ones
//           made zero if RELU; cells outside x count as zero. With a pooling y is the maxima of that over 2x2 windows of step 2.
// Layout    x: N x Cin x H x W; p: weights as conv2d/pack leaves them; b: Cout; y: N x Cout x OH x OW. Or x, p and y in f16:
//           maps two channels a word, weights as conv2d/pack_half leaves them; o may then be phases of y
//           (conv_transpose2d/interleaved).
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y; 5 overflow, where y is f16; with a pooling 6
//           switches.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; ACCUMULATE, add to what y holds, where that is f32; ROWS
//           (8, 16, 24 or 32), output channels of a block; with a pooling PARTIAL, SWITCHES, COMPACT; WORKGROUP.
// Dispatch  An implicit matrix product, weights times the columns that im2col would write. An invocation computes ROWS
//           channels of four cells, in a row or of a window, a workgroup 4*WORKGROUP cells. Cells vary fastest, so that the
//           weights that the invocations of a workgroup read are the same; then blocks, then images; `tiles` workgroups have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's blocks, once.
// Order     One f32 accumulator a channel and cell: over the input channels of this dispatch u, then v, then c ascending;
//           dispatches in order; the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/tile.wgsl, conv2d/operands.wgsl, conv2d/operands_f32.wgsl,
//           conv2d/weights.wgsl or common/words_u64.wgsl, conv2d/weights_u64.wgsl, conv2d/rows_loaded.wgsl, conv2d/one_tile.wgsl,
//           conv2d/columns.wgsl or conv2d/operands_half.wgsl, conv2d/columns_half.wgsl, conv2d/in_rows.wgsl, conv2d/result_f32.wgsl,
//           conv2d/store.wgsl or convert/half_word.wgsl, conv2d/result_half.wgsl, conv2d/store_half.wgsl, for phases
//           conv_transpose2d/interleaved.wgsl and conv_transpose2d/interleave.wgsl or conv_transpose2d/interleave_half.wgsl, with a
//           pooling conv2d/in_windows.wgsl, common/planes_half.wgsl, max_pool2d/best.wgsl,
//           max_pool2d/maxima_half.wgsl, conv2d/store_half_pooled.wgsl, conv2d/store_windows.wgsl
// Oracle    reference::conv2d; for phases reference::conv_transpose2d
//
// Why: a load costs a CPU driver several multiply-adds (each of its lanes loads alone; eight is assumed), except where all
// lanes load the same word. So each x loaded is used ROWS times, every weight is the same word for all lanes, and there
// is no workgroup memory, whose barriers cost more there than they save. A sum over many channels is cut into dispatches
// whose weights and cells stay in a core's cache while all blocks and cells are worked off.

override ROWS: u32;
override WORKGROUP: u32 = 8;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    let first_cell = (flat % params.cell_tiles * WORKGROUP + invocation) * 4;
    let plane_cells = computed_cells();
    if flat >= params.tiles || first_cell >= plane_cells {
        return;
    }
    let local_block = flat / params.cell_tiles % params.blocks;
    let block = params.first_block + local_block;
    let n = flat / params.cell_tiles / params.blocks;
    let group = block / params.group_blocks;

    let four = four_cells(first_cell);
    let row = four.row * SY - params.pad_top;
    let column = four.column * SX - params.pad_left;

    let in_plane = params.in_h * params.in_w;
    let first_plane = group_planes(n, group);
    let quads = (params.group_inputs + 3) / 4;
    let block_weights = local_block * KH * KW * quads * ROWS;
    var t0: Tile;
    var t1: Tile;
    var t2: Tile;
    var t3: Tile;
    for (var u = 0u; u < KH; u++) {
        for (var v = 0u; v < KW; v++) {
            // A row or column before the first wraps around to a number beyond the last.
            let from_row = row + u * DY;
            let from_column = column + v * DX;
            let inside = (from_row < vec4(params.in_h)) & (from_column < vec4(params.in_w));
            if !any(inside) {
                continue;
            }
            let at = select(vec4<u32>(), from_row * params.in_w + from_column, inside);
            let tap_weights = block_weights + (u * KW + v) * quads * ROWS;
            for (var q = params.first_quad; q < params.end_quad; q++) {
                let columns = columns(first_plane, in_plane, params.group_inputs, q, at, inside);
                // Made from loop counters alone, so that a compiler sees that it is the same for all invocations, whatever
                // taps they skip.
                let i = tap_weights + q * ROWS;
                multiply_add_at(&t0, columns, i);
                if ROWS > 8 { multiply_add_at(&t1, columns, i + 8); }
                if ROWS > 16 { multiply_add_at(&t2, columns, i + 16); }
                if ROWS > 24 { multiply_add_at(&t3, columns, i + 24); }
            }
        }
    }

    let within = block % params.group_blocks * ROWS;
    let channel = group * params.group_outputs + within;
    let left = params.group_outputs - within;
    let plane = n * params.out_channels;
    let cells = Cells(four.at, min(plane_cells - first_cell, 4u));
    store_tile(cells, plane, channel, left, t0);
    if ROWS > 8 && left > 8 { store_tile(cells, plane, channel + 8, left - 8, t1); }
    if ROWS > 16 && left > 16 { store_tile(cells, plane, channel + 16, left - 16, t2); }
    if ROWS > 24 && left > 24 { store_tile(cells, plane, channel + 24, left - 24, t3); }
}
