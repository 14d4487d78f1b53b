// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], x and w rounded to f16
//           and summed in f32, negative ones made zero if RELU; cells outside x count as zero. With a pooling y is the maxima of
//           that over 2x2 windows of step 2.
// Layout    x: N x Cin x H x W; p: weights as conv2d/pack_cooperative leaves them, four f16 a vector; b: Cout;
//           y: N x Cout x OH x OW. Or x, or x and y, in f16, two channels a word. Or o are phases of y
//           (conv_transpose2d/interleaved).
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y; 5 overflow, where y is f16; with a pooling 6 switches.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; LANES, the invocations of a subgroup; ROW_GROUPS (2 or
//           4) and COLUMN_GROUPS (1 or 2), subgroups of a workgroup along channels and along cells; with a pooling PARTIAL,
//           SWITCHES, COMPACT.
// Dispatch  An implicit matrix product, weights times the columns that im2col would write, by matrices of TILE x TILE that a
//           subgroup multiplies at once. A subgroup computes 2 x 4 of them, a workgroup 2*TILE*ROW_GROUPS channels of
//           4*TILE*COLUMN_GROUPS cells, in a row or of windows. Cells vary fastest, then blocks, then images; `tiles` workgroups have work.
//           Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements; LANES is the size of every subgroup, and subgroups
//           are runs of invocations; the workgroup's size divides by its cells or the other way round, and it stages at most
//           two vectors an invocation. 16 KiB of workgroup memory for TILE 16.
// Writes    Every cell of this dispatch's blocks, once.
// Order     One f32 accumulator a channel and cell: over u, then v, then TILE input channels at a time; among these in the
//           device's order; the bias last.
// Uses      common/activation.wgsl, common/cooperative_8.wgsl or common/cooperative_16.wgsl, conv2d/operands.wgsl,
//           conv2d/cooperative_cells.wgsl or conv2d/cooperative_cells_half.wgsl, conv2d/in_rows.wgsl, conv2d/cooperative_store.wgsl
//           or convert/half_word.wgsl, conv2d/result_half.wgsl, conv2d/cooperative_store_half.wgsl, or for phases
//           conv_transpose2d/interleaved.wgsl and conv_transpose2d/interleave_matrices.wgsl or
//           conv_transpose2d/interleave_matrices_half.wgsl, with a pooling conv2d/in_windows.wgsl,
//           common/planes_half.wgsl, max_pool2d/best.wgsl, max_pool2d/maxima_half.wgsl, conv2d/store_half_pooled.wgsl,
//           conv2d/cooperative_store_windows.wgsl
// Oracle    reference::conv2d_half_operands; for phases reference::conv_transpose2d_half_operands
//
// Why: the weights of a step are whole matrices, read straight from memory; its cells are gathered and converted once a
// workgroup, eight channels of a cell an invocation, so that each cell's channels lie in a row, which is what a load of a
// right matrix by columns wants. Two buffers: the next step's cells are on their way while this step is multiplied, and one
// barrier a step is enough.

override LANES: u32;
override ROW_GROUPS: u32;
override COLUMN_GROUPS: u32;

@group(0) @binding(2) var<storage, read> p: array<vec4<f16>>;

// Vectors of a row of a matrix, and of a matrix.
const QUADS = TILE / 4;
const MATRIX = TILE * QUADS;
// Cells of two column groups, the most there are.
const MOST_CELLS = 8 * TILE;

// [buffer][cell][quad of input channels]
var<workgroup> staged: array<vec4<f16>, 2 * MOST_CELLS * QUADS>;
// [subgroup][channel][cell]: a sum on its way to y.
var<workgroup> sums: array<f32, 8 * TILE * TILE>;

// Eight input channels of a cell.
struct Eight {
    first: vec4<f16>,
    second: vec4<f16>,
}

fn seen(row: u32, column: u32, tap: u32) -> Seen {
    // A row or column before the first wraps around to a number beyond the last.
    let from_row = row + tap / KW * DY;
    let from_column = column + tap % KW * DX;
    let inside = from_row < params.in_h && from_column < params.in_w;
    return Seen(select(0u, from_row * params.in_w + from_column, inside), inside);
}

fn eight(first_plane: u32, c: u32, cell: Seen) -> Eight {
    return Eight(quad(first_plane, c, cell), quad(first_plane, c + 4, cell));
}

fn stage(at: u32, value: Eight) {
    staged[at] = value.first;
    staged[at + 1] = value.second;
}

@compute @workgroup_size(LANES * ROW_GROUPS * COLUMN_GROUPS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    // As common/index.wgsl says; spelled out, for naga does not see through a call that all of a workgroup agree.
    let flat = (workgroup.z * workgroups.y + workgroup.y) * workgroups.x + workgroup.x;
    // All of a workgroup or none: the barriers and matrices below are met by all of it.
    if flat >= params.tiles {
        return;
    }
    let lane = invocation % LANES;
    let subgroup = invocation / LANES;
    let row_group = subgroup % ROW_GROUPS;
    let column_group = subgroup / ROW_GROUPS;
    let cells = 4 * TILE * COLUMN_GROUPS;
    let size = LANES * ROW_GROUPS * COLUMN_GROUPS;

    let first_cell = flat % params.cell_tiles * cells;
    let local_block = flat / params.cell_tiles % params.blocks;
    let block = params.first_block + local_block;
    let n = flat / params.cell_tiles / params.blocks;
    let group = block / params.group_blocks;

    // This invocation's share of a step: eight channels of a cell, and, if that does not cover all, eight more.
    let own_cell = invocation % cells;
    let own_channels = invocation / cells * 8;
    let stages = own_channels < TILE;
    let twice = size < cells * (TILE / 8);
    let other_channels = own_channels + size / cells * 8;
    let own = own_cell * QUADS + own_channels / 4;
    let other = own_cell * QUADS + other_channels / 4;
    let cell = cell_at(first_cell + own_cell);
    let row = cell.x * SY - params.pad_top;
    let column = cell.y * SX - params.pad_left;
    let first_plane = group_planes(n, group);

    var tap = 0u;
    var c = 0u;
    var place = seen(row, column, tap);
    if stages {
        stage(own, eight(first_plane, own_channels, place));
        if twice {
            stage(other, eight(first_plane, other_channels, place));
        }
    }
    workgroupBarrier();

    var s00: Sum;
    var s01: Sum;
    var s02: Sum;
    var s03: Sum;
    var s10: Sum;
    var s11: Sum;
    var s12: Sum;
    var s13: Sum;
    let steps = KH * KW * ((params.group_inputs + TILE - 1) / TILE);
    let first_weights = (local_block * steps * ROW_GROUPS + row_group) * 2 * MATRIX;
    for (var step = 0u; step < steps; step++) {
        c += TILE;
        if c >= params.group_inputs {
            c = 0;
            tap++;
            place = seen(row, column, tap);
        }
        let more = step + 1 < steps;
        var next: Eight;
        var after: Eight;
        if more && stages {
            next = eight(first_plane, c + own_channels, place);
            if twice {
                after = eight(first_plane, c + other_channels, place);
            }
        }
        let w = first_weights + step * ROW_GROUPS * 2 * MATRIX;
        let left0 = coopLoadT<Left>(&p[w], QUADS);
        let left1 = coopLoadT<Left>(&p[w + MATRIX], QUADS);
        let r = (step % 2 * cells + column_group * 4 * TILE) * QUADS;
        let right0 = coopLoad<Right>(&staged[r], QUADS);
        s00 = coopMultiplyAdd(left0, right0, s00);
        s10 = coopMultiplyAdd(left1, right0, s10);
        let right1 = coopLoad<Right>(&staged[r + MATRIX], QUADS);
        s01 = coopMultiplyAdd(left0, right1, s01);
        s11 = coopMultiplyAdd(left1, right1, s11);
        let right2 = coopLoad<Right>(&staged[r + 2 * MATRIX], QUADS);
        s02 = coopMultiplyAdd(left0, right2, s02);
        s12 = coopMultiplyAdd(left1, right2, s12);
        let right3 = coopLoad<Right>(&staged[r + 3 * MATRIX], QUADS);
        s03 = coopMultiplyAdd(left0, right3, s03);
        s13 = coopMultiplyAdd(left1, right3, s13);
        if more && stages {
            let buffer = (step + 1) % 2 * cells * QUADS;
            stage(buffer + own, next);
            if twice {
                stage(buffer + other, after);
            }
        }
        workgroupBarrier();
    }

    let mine = subgroup * TILE * TILE;
    let plane = n * params.out_channels;
    let channel = group * params.group_outputs;
    let within = (block % params.group_blocks * ROW_GROUPS + row_group) * 2 * TILE;
    let at = first_cell + column_group * 4 * TILE;
    coopStoreT(s00, &sums[mine], TILE);
    workgroupBarrier();
    finish(mine, lane, plane, channel, within, at);
    workgroupBarrier();
    coopStoreT(s01, &sums[mine], TILE);
    workgroupBarrier();
    finish(mine, lane, plane, channel, within, at + TILE);
    workgroupBarrier();
    coopStoreT(s02, &sums[mine], TILE);
    workgroupBarrier();
    finish(mine, lane, plane, channel, within, at + 2 * TILE);
    workgroupBarrier();
    coopStoreT(s03, &sums[mine], TILE);
    workgroupBarrier();
    finish(mine, lane, plane, channel, within, at + 3 * TILE);
    workgroupBarrier();
    coopStoreT(s10, &sums[mine], TILE);
    workgroupBarrier();
    finish(mine, lane, plane, channel, within + TILE, at);
    workgroupBarrier();
    coopStoreT(s11, &sums[mine], TILE);
    workgroupBarrier();
    finish(mine, lane, plane, channel, within + TILE, at + TILE);
    workgroupBarrier();
    coopStoreT(s12, &sums[mine], TILE);
    workgroupBarrier();
    finish(mine, lane, plane, channel, within + TILE, at + 2 * TILE);
    workgroupBarrier();
    coopStoreT(s13, &sums[mine], TILE);
    workgroupBarrier();
    finish(mine, lane, plane, channel, within + TILE, at + 3 * TILE);
}
