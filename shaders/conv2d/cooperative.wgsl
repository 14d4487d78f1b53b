// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], x and w rounded to f16
//           and summed in f32, negative ones made zero if RELU; cells outside x count as zero. With a pooling y is the maxima of
//           that over 2x2 windows of step 2. Or parts of these sums, one map after the other.
// Layout    x: N x Cin x H x W; p: weights as conv2d/pack_cooperative leaves them, eight f16 an element; b: Cout;
//           y: N x Cout x OH x OW. Or x, or x and y, in f16, two channels a word. Or o are phases of y
//           (conv_transpose2d/interleaved).
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y; 5 overflow, where y is f16; with a pooling 6
//           switches.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; LANES, the invocations of a subgroup; ROW_GROUPS and
//           COLUMN_GROUPS, subgroups of a workgroup along channels and along cells; STEP, input channels that are staged at a
//           time, a multiple of TILE; BUFFERS (1 or 2), stages that workgroup memory holds; STAGED, vectors of all of them,
//           and SUMS, elements of a matrix a subgroup; with a pooling PARTIAL, SWITCHES, COMPACT.
// Dispatch  An implicit matrix product, weights times the columns that im2col would write, by matrices of TILE x TILE that a
//           subgroup multiplies at once. A subgroup computes 4 x 4 of them, a workgroup 4*TILE*ROW_GROUPS channels of
//           4*TILE*COLUMN_GROUPS cells, in a row or of windows. Cells vary fastest, then blocks, then images, then parts of the
//           sums; `tiles` workgroups have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements; LANES is the size of every subgroup, and subgroups
//           are runs of invocations; an invocation stages eight channels of a cell, and of a channel, once, twice or four times a
//           step, and twice its number of invocations are whole rows of cells.
// Writes    Every cell of this dispatch's blocks, once.
// Order     One f32 accumulator a channel and cell: over STEP input channels, then u, then v, then TILE of these channels at a
//           time; among these in the device's order; the bias last. `part_quads` fours of STEP channels and a tap are a part.
// Uses      common/activation.wgsl, common/cooperative_8.wgsl or common/cooperative_16.wgsl, conv2d/operands.wgsl,
//           conv2d/cooperative_cells.wgsl or conv2d/cooperative_cells_half.wgsl, conv2d/in_rows.wgsl, conv2d/cooperative_store.wgsl
//           or convert/half_word.wgsl, conv2d/result_half.wgsl, conv2d/cooperative_store_half.wgsl, or for phases
//           conv_transpose2d/interleaved.wgsl and conv_transpose2d/interleave_matrices.wgsl or
//           conv_transpose2d/interleave_matrices_half.wgsl, with a pooling conv2d/in_windows.wgsl,
//           common/planes_half.wgsl, max_pool2d/best.wgsl, max_pool2d/maxima_half.wgsl, conv2d/store_half_pooled.wgsl,
//           conv2d/cooperative_store_windows.wgsl
// Oracle    reference::conv2d_half_operands; for phases reference::conv_transpose2d_half_operands
//
// Why: each matrix that a subgroup loads serves four products, and each value that is staged 64 or 128; what the next step
// needs is on its way while this one is multiplied. Rows of a stage lie eight values further apart than they are long, so that
// neither the lanes that store them nor those that load a matrix meet in a bank. All taps of a few channels come one after
// the other, for they read nearly the same cells, which are in a cache by then.

override LANES: u32;
override ROW_GROUPS: u32;
override COLUMN_GROUPS: u32;
override STEP: u32;
override BUFFERS: u32;
override STAGED: u32;
override SUMS: u32;

// Eight input channels of an output channel.
struct Weights {
    first: vec4<f16>,
    second: vec4<f16>,
}

@group(0) @binding(2) var<storage, read> p: array<Weights>;

// [buffer][channel, then cell][quad of input channels]
var<workgroup> staged: array<vec4<f16>, STAGED>;
// [subgroup][channel][cell]: a sum on its way to y.
var<workgroup> sums: array<f32, SUMS>;

// Eight input channels of a cell, as they come from memory.
struct Eight {
    first: Loaded,
    second: Loaded,
}

// A cell by the tap whose row and column lie so far from its first tap's.
fn seen(corner: vec2<u32>, row: u32, column: u32) -> Seen {
    // A row or column before the first wraps around to a number beyond the last.
    let from_row = corner.x + row;
    let from_column = corner.y + column;
    let inside = from_row < params.in_h && from_column < params.in_w;
    return Seen(select(0u, from_row * params.in_w + from_column, inside), inside);
}

fn eight(first_plane: u32, c: u32, cell: Seen) -> Eight {
    return Eight(quad(first_plane, c, cell), quad(first_plane, c + 4, cell));
}

fn corner_of(cell: u32) -> vec2<u32> {
    return cell_at(cell) * vec2(SY, SX) - vec2(params.pad_top, params.pad_left);
}

fn stage(at: u32, value: Eight, c: u32, inside: bool) {
    staged[at] = halves(value.first, c, inside);
    staged[at + 1] = halves(value.second, c + 4, inside);
}

fn stage_weights(at: u32, value: Weights) {
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
    let rows = 4 * TILE * ROW_GROUPS;
    let cells = 4 * TILE * COLUMN_GROUPS;
    let size = LANES * ROW_GROUPS * COLUMN_GROUPS;
    // Vectors from row to row of a stage, of a matrix's rows, and of a stage.
    let pitch = (STEP + 8) / 4;
    let matrix = TILE * pitch;
    let buffer = (rows + cells) * pitch;

    let first_cell = flat % params.cell_tiles * cells;
    let local_block = flat / params.cell_tiles % params.blocks;
    let block = params.first_block + local_block;
    let image = flat / params.cell_tiles / params.blocks;
    let images = params.part_tiles / params.cell_tiles / params.blocks;
    let group = block / params.group_blocks;

    // This invocation's shares of a step: eight channels of a cell, and of an output channel's weights. Every second share is of
    // the same cell.
    let cell_shares = cells * (STEP / 8) / size;
    let weight_shares = rows * (STEP / 8) / size;
    let even = corner_of(first_cell + invocation % cells);
    let odd = corner_of(first_cell + (invocation + size) % cells);
    let eight0 = invocation / cells;
    let eight1 = (invocation + size) / cells;
    let eight2 = (invocation + 2 * size) / cells;
    let eight3 = (invocation + 3 * size) / cells;
    let cell0 = (rows + invocation % cells) * pitch + 2 * eight0;
    let cell1 = (rows + (invocation + size) % cells) * pitch + 2 * eight1;
    let cell2 = (rows + invocation % cells) * pitch + 2 * eight2;
    let cell3 = (rows + (invocation + size) % cells) * pitch + 2 * eight3;
    let weight0 = invocation % rows * pitch + 2 * (invocation / rows);
    let weight1 = (invocation + size) % rows * pitch + 2 * ((invocation + size) / rows);
    let weight2 = (invocation + 2 * size) % rows * pitch + 2 * ((invocation + 2 * size) / rows);
    let weight3 = (invocation + 3 * size) % rows * pitch + 2 * ((invocation + 3 * size) / rows);
    let first_plane = group_planes(image % images, group);

    let steps = KH * KW * ((params.group_inputs + STEP - 1) / STEP);
    let part_steps = params.part_quads / (STEP / 4);
    let first_step = flat / params.part_tiles * part_steps;
    let end_step = min(first_step + part_steps, steps);
    let step_weights = rows * (STEP / 8);
    var w = (local_block * steps + first_step) * step_weights + invocation;
    var c = first_step / (KH * KW) * STEP;
    var u = first_step % (KH * KW) / KW;
    var v = first_step % KW;
    {
        let here = seen(even, u * DY, v * DX);
        let there = seen(odd, u * DY, v * DX);
        stage(cell0, eight(first_plane, c + 8 * eight0, here), c + 8 * eight0, here.inside);
        if cell_shares > 1 {
            stage(cell1, eight(first_plane, c + 8 * eight1, there), c + 8 * eight1, there.inside);
        }
        if cell_shares > 2 {
            stage(cell2, eight(first_plane, c + 8 * eight2, here), c + 8 * eight2, here.inside);
            stage(cell3, eight(first_plane, c + 8 * eight3, there), c + 8 * eight3, there.inside);
        }
        stage_weights(weight0, p[w]);
        if weight_shares > 1 {
            stage_weights(weight1, p[w + size]);
        }
        if weight_shares > 2 {
            stage_weights(weight2, p[w + 2 * size]);
            stage_weights(weight3, p[w + 3 * size]);
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
    var s20: Sum;
    var s21: Sum;
    var s22: Sum;
    var s23: Sum;
    var s30: Sum;
    var s31: Sum;
    var s32: Sum;
    var s33: Sum;
    for (var step = first_step; step < end_step; step++) {
        w += step_weights;
        v++;
        if v == KW {
            v = 0;
            u++;
        }
        if u == KH {
            u = 0;
            c += STEP;
        }
        let more = step + 1 < end_step;
        var x0: Eight;
        var x1: Eight;
        var x2: Eight;
        var x3: Eight;
        var w0: Weights;
        var w1: Weights;
        var w2: Weights;
        var w3: Weights;
        let here = seen(even, u * DY, v * DX);
        let there = seen(odd, u * DY, v * DX);
        if more {
            w0 = p[w];
            if weight_shares > 1 {
                w1 = p[w + size];
            }
            if weight_shares > 2 {
                w2 = p[w + 2 * size];
                w3 = p[w + 3 * size];
            }
            x0 = eight(first_plane, c + 8 * eight0, here);
            if cell_shares > 1 {
                x1 = eight(first_plane, c + 8 * eight1, there);
            }
            if cell_shares > 2 {
                x2 = eight(first_plane, c + 8 * eight2, here);
                x3 = eight(first_plane, c + 8 * eight3, there);
            }
        }
        let now = (step - first_step) % BUFFERS * buffer;
        for (var k = 0u; k < STEP / TILE; k++) {
            let l = now + row_group * 4 * matrix + k * (TILE / 4);
            let left0 = coopLoadT<Left>(&staged[l], pitch);
            let left1 = coopLoadT<Left>(&staged[l + matrix], pitch);
            let left2 = coopLoadT<Left>(&staged[l + 2 * matrix], pitch);
            let left3 = coopLoadT<Left>(&staged[l + 3 * matrix], pitch);
            let r = now + (4 * ROW_GROUPS + column_group * 4) * matrix + k * (TILE / 4);
            let right0 = coopLoad<Right>(&staged[r], pitch);
            s00 = coopMultiplyAdd(left0, right0, s00);
            s10 = coopMultiplyAdd(left1, right0, s10);
            s20 = coopMultiplyAdd(left2, right0, s20);
            s30 = coopMultiplyAdd(left3, right0, s30);
            let right1 = coopLoad<Right>(&staged[r + matrix], pitch);
            s01 = coopMultiplyAdd(left0, right1, s01);
            s11 = coopMultiplyAdd(left1, right1, s11);
            s21 = coopMultiplyAdd(left2, right1, s21);
            s31 = coopMultiplyAdd(left3, right1, s31);
            let right2 = coopLoad<Right>(&staged[r + 2 * matrix], pitch);
            s02 = coopMultiplyAdd(left0, right2, s02);
            s12 = coopMultiplyAdd(left1, right2, s12);
            s22 = coopMultiplyAdd(left2, right2, s22);
            s32 = coopMultiplyAdd(left3, right2, s32);
            let right3 = coopLoad<Right>(&staged[r + 3 * matrix], pitch);
            s03 = coopMultiplyAdd(left0, right3, s03);
            s13 = coopMultiplyAdd(left1, right3, s13);
            s23 = coopMultiplyAdd(left2, right3, s23);
            s33 = coopMultiplyAdd(left3, right3, s33);
        }
        if BUFFERS == 1 {
            workgroupBarrier();
        }
        if more {
            let next = (step + 1 - first_step) % BUFFERS * buffer;
            stage_weights(next + weight0, w0);
            if weight_shares > 1 {
                stage_weights(next + weight1, w1);
            }
            if weight_shares > 2 {
                stage_weights(next + weight2, w2);
                stage_weights(next + weight3, w3);
            }
            stage(next + cell0, x0, c + 8 * eight0, here.inside);
            if cell_shares > 1 {
                stage(next + cell1, x1, c + 8 * eight1, there.inside);
            }
            if cell_shares > 2 {
                stage(next + cell2, x2, c + 8 * eight2, here.inside);
                stage(next + cell3, x3, c + 8 * eight3, there.inside);
            }
        }
        workgroupBarrier();
    }

    let mine = subgroup * TILE * TILE;
    let plane = image * params.out_channels;
    let channel = group * params.group_outputs;
    let within = (block % params.group_blocks * ROW_GROUPS + row_group) * 4 * TILE;
    let at = first_cell + column_group * 4 * TILE;
    // One matrix of each subgroup at a time, row after row of them.
    for (var k = 0u; k < 16; k++) {
        switch k {
            case 0 { coopStoreT(s00, &sums[mine], TILE); }
            case 1 { coopStoreT(s01, &sums[mine], TILE); }
            case 2 { coopStoreT(s02, &sums[mine], TILE); }
            case 3 { coopStoreT(s03, &sums[mine], TILE); }
            case 4 { coopStoreT(s10, &sums[mine], TILE); }
            case 5 { coopStoreT(s11, &sums[mine], TILE); }
            case 6 { coopStoreT(s12, &sums[mine], TILE); }
            case 7 { coopStoreT(s13, &sums[mine], TILE); }
            case 8 { coopStoreT(s20, &sums[mine], TILE); }
            case 9 { coopStoreT(s21, &sums[mine], TILE); }
            case 10 { coopStoreT(s22, &sums[mine], TILE); }
            case 11 { coopStoreT(s23, &sums[mine], TILE); }
            case 12 { coopStoreT(s30, &sums[mine], TILE); }
            case 13 { coopStoreT(s31, &sums[mine], TILE); }
            case 14 { coopStoreT(s32, &sums[mine], TILE); }
            default { coopStoreT(s33, &sums[mine], TILE); }
        }
        workgroupBarrier();
        finish(mine, lane, plane, channel, within + k / 4 * TILE, at + k % 4 * TILE);
        workgroupBarrier();
    }
}
