// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], negative ones
//           made zero if RELU; cells outside x count as zero. With a pooling y is the maxima of that over 2x2 windows of step 2.
// Layout    x: N x Cin x H x W; p: weights as conv2d/pack leaves them, 64 rows a block; b: Cout; y: parts x N x Cout x OH x
//           OW, one part unless conv2d/sum_parts follows.
//           Or x, p and y in f16: maps two channels a word, weights as conv2d/pack_half leaves them; o may then be phases of
//           y (conv_transpose2d/interleaved).
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y; 5 overflow, where y is f16; with a pooling 6
//           switches.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; ACCUMULATE, add to what y holds, where that is f32; with a pooling PARTIAL,
//           SWITCHES, COMPACT.
// Dispatch  An implicit matrix product, weights times the columns that im2col would write. A workgroup of 256 computes 64
//           channels of 128 cells, in a row or of windows, an invocation 8 channels of 4 cells. Cells vary fastest, then blocks, then
//           images, then parts of the sums; `tiles` workgroups have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. 12 KiB of workgroup memory.
// Writes    Every cell of this dispatch's blocks in each part, once.
// Order     One f32 accumulator a channel and cell: over the input channels of a part u, then v, then c ascending; dispatches
//           in order; the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/tile.wgsl, conv2d/operands.wgsl, conv2d/operands_f32.wgsl,
//           conv2d/weights.wgsl, conv2d/columns.wgsl or conv2d/operands_half.wgsl, conv2d/columns_half.wgsl, conv2d/in_rows.wgsl, conv2d/result_f32.wgsl,
//           conv2d/store.wgsl or convert/half_word.wgsl, conv2d/result_half.wgsl, conv2d/store_half.wgsl, for phases
//           conv_transpose2d/interleaved.wgsl and conv_transpose2d/interleave.wgsl or conv_transpose2d/interleave_half.wgsl, with a
//           pooling conv2d/in_windows.wgsl, common/planes_half.wgsl, max_pool2d/best.wgsl,
//           max_pool2d/maxima_half.wgsl, conv2d/store_half_pooled.wgsl, conv2d/store_windows.wgsl
// Oracle    reference::conv2d; for phases reference::conv_transpose2d
//
// Why: on a GPU the weights and the cells of 16 input channels are loaded once into workgroup memory and used 128 and 64
// times; each invocation then makes 128 multiply-adds of 12 vectors from there. On a CPU driver the barriers cost more
// than that saves: see conv2d/tiled.

// Channels of a block, vectors of cells of a workgroup, quads of input channels that a stage holds.
const ROWS = 64u;
const COLUMNS = 32u;
const STAGE = 4u;

// [quad][row], four input channels a vector.
var<workgroup> staged_weights: array<vec4<f32>, STAGE * ROWS>;
// [input channel][column], four cells a vector.
var<workgroup> staged_cells: array<vec4<f32>, STAGE * 4 * COLUMNS>;

@compute @workgroup_size(256)
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
    let first_cell = (flat % params.cell_tiles * COLUMNS + invocation % COLUMNS) * 4;
    let plane_cells = computed_cells();
    let local_block = flat / params.cell_tiles % params.blocks;
    let block = params.first_block + local_block;
    let part = flat / params.part_tiles;
    let n = flat % params.part_tiles / params.cell_tiles / params.blocks;
    let first_quad = params.first_quad + part * params.part_quads;
    let end_quad = min(first_quad + params.part_quads, params.end_quad);
    let group = block / params.group_blocks;

    let four = four_cells(first_cell);
    let row = four.row * SY - params.pad_top;
    let column = four.column * SX - params.pad_left;

    let first_plane = group_planes(n, group);
    let in_plane = params.in_h * params.in_w;
    let quads = (params.group_inputs + 3) / 4;
    // This invocation's share of a stage: one vector of weights, and its column of channels `line` and `line + 8`.
    let stage_quad = invocation / ROWS;
    let line = invocation / COLUMNS;
    let own_row = line * 8;
    var tile: Tile;
    for (var u = 0u; u < KH; u++) {
        for (var v = 0u; v < KW; v++) {
            // A row or column before the first wraps around to a number beyond the last.
            let from_row = row + u * DY;
            let from_column = column + v * DX;
            let inside = (from_row < vec4(params.in_h)) & (from_column < vec4(params.in_w));
            let at = select(vec4<u32>(), from_row * params.in_w + from_column, inside);
            let tap_weights = (local_block * KH * KW + u * KW + v) * quads;
            for (var q = first_quad; q < end_quad; q += STAGE) {
                let quad = q + stage_quad;
                let weights = weights_at((tap_weights + min(quad, quads - 1)) * ROWS + invocation % ROWS);
                staged_weights[invocation] = select(vec4<f32>(), weights, quad < end_quad);
                let c = 4 * q + line;
                let channels = params.group_inputs;
                staged_cells[invocation] = channel_cells(first_plane, in_plane, channels, c, at, inside);
                staged_cells[invocation + 256] = channel_cells(first_plane, in_plane, channels, c + 8, at, inside);
                workgroupBarrier();
                for (var k = 0u; k < STAGE; k++) {
                    let c = k * 4 * COLUMNS + invocation % COLUMNS;
                    let w = k * ROWS + own_row;
                    multiply_add(
                        &tile,
                        mat4x4(
                            staged_cells[c],
                            staged_cells[c + COLUMNS],
                            staged_cells[c + 2 * COLUMNS],
                            staged_cells[c + 3 * COLUMNS],
                        ),
                        staged_weights[w],
                        staged_weights[w + 1],
                        staged_weights[w + 2],
                        staged_weights[w + 3],
                        staged_weights[w + 4],
                        staged_weights[w + 5],
                        staged_weights[w + 6],
                        staged_weights[w + 7],
                    );
                }
                workgroupBarrier();
            }
        }
    }

    let within = block % params.group_blocks * ROWS + own_row;
    if first_cell >= plane_cells || within >= params.group_outputs {
        return;
    }
    let channel = group * params.group_outputs + within;
    let left = params.group_outputs - within;
    let images = params.part_tiles / params.cell_tiles / params.blocks;
    let plane = (part * images + n) * params.out_channels;
    store_tile(Cells(four.at, min(plane_cells - first_cell, 4u)), plane, channel, left, tile);
}
