// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], x and w rounded to f16
//           and summed in f32, negative ones made zero if RELU; cells outside x count as zero. With a pooling y is the maxima of
//           that over 2x2 windows of step 2. Or parts of these sums, one map after the other.
// Layout    x: N x Cin x H x W; p: weights as conv2d/pack_cooperative leaves them, matrix after matrix; b: Cout;
//           y: N x Cout x OH x OW. Or x, or x and y, in f16, two channels a word. Or o are phases of y
//           (conv_transpose2d/interleaved).
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y; 5 overflow, where y is f16; with a pooling 6
//           switches.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; LANES, the invocations of a subgroup; ROW_GROUPS and
//           COLUMN_GROUPS, subgroups of a workgroup along channels and along rows of cells; MATRICES (2 or 4), rows of cells of a
//           subgroup; STEP, input channels that are staged at a time, a multiple of TILE; TAIL, whether the last ones may be fewer;
//           TAP_ROWS and TAP_COLUMNS, the taps that a stage serves: KH and KW, or 1 and 1; TAP_RUN, the taps that are written out
//           together, all or a divisor of TAP_COLUMNS, of 18 times TILE channels at most; PATCH_ROWS and PATCH_COLUMNS, the cells
//           of x that a stage's taps see; BUFFERS (1 or 2), stages that workgroup memory holds; STAGED, vectors of all of them, and
//           SUMS, elements of two matrices a subgroup; with a pooling PARTIAL, SWITCHES, COMPACT.
// Dispatch  An implicit matrix product, weights times the columns that im2col would write, by matrices of TILE x TILE that a
//           subgroup multiplies at once: TILE channels of TILE neighbouring cells of a row. A subgroup computes 2 x MATRICES of them,
//           a workgroup 2*TILE*ROW_GROUPS channels of MATRICES*COLUMN_GROUPS rows of TILE cells. Such tiles of cells vary fastest,
//           row after row of them, then blocks of channels, then images, then parts of the sums; `tiles` workgroups have work.
//           Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements; p goes on for a block's rows of TILE channels past its
//           last, which are loaded and not used; LANES is the size of every subgroup, and subgroups are runs of invocations; an
//           invocation stages eight channels of a cell eight times a stage at most.
// Writes    Every cell of this dispatch's blocks, once.
// Order     One f32 accumulator a channel and cell: over STEP input channels, then u, then v, then TILE of these channels at a
//           time; among these in the device's order; the bias last. `part_quads` fours of STEP channels a stage are a part.
// Uses      common/activation.wgsl, common/cooperative_8.wgsl or common/cooperative_16.wgsl, conv2d/operands.wgsl,
//           conv2d/cooperative_cells.wgsl or conv2d/cooperative_cells_half.wgsl, conv2d/cooperative_store.wgsl
//           or convert/half_word.wgsl, conv2d/result_half.wgsl, conv2d/cooperative_store_half.wgsl, or for phases
//           conv_transpose2d/interleaved.wgsl and conv_transpose2d/interleave_matrices.wgsl or
//           conv_transpose2d/interleave_matrices_half.wgsl, with a pooling conv2d/in_windows.wgsl,
//           common/planes_half.wgsl, max_pool2d/best.wgsl, max_pool2d/maxima_half.wgsl, conv2d/store_half_pooled.wgsl,
//           conv2d/cooperative_store_windows.wgsl
// Oracle    reference::conv2d_half_operands; for phases reference::conv_transpose2d_half_operands
//
// Why: what limits matrix units is what brings them their operands. So a patch of x is staged once for all taps, each of which sees the
// same cells a step further on: nine times less for a 3x3 kernel than a column for each tap. Cells lie TILE in a row, so that a
// matrix of them is a run of the patch, whatever the tap, and channels beside each other, eight values further apart than they are
// many, so that neither the lanes that store cells nor those that load a matrix meet in a bank. Weights come as matrices straight
// from memory, where they lie as whole ones, the next while these are multiplied; other workgroups have left them in a cache. What
// the next stage needs is on its way while this one is multiplied, written out. Eight matrices of sums a subgroup leave registers
// enough for eight subgroups of a multiprocessor to be under way. docs/HARDWARE.md has what was measured.

override LANES: u32;
override ROW_GROUPS: u32;
override COLUMN_GROUPS: u32;
override MATRICES: u32;
override STEP: u32;
override TAP_ROWS: u32;
override TAP_COLUMNS: u32;
override TAP_RUN: u32;
override PATCH_ROWS: u32;
override PATCH_COLUMNS: u32;
override BUFFERS: u32;
override TAIL: bool;
override STAGED: u32;
override SUMS: u32;

@group(0) @binding(2) var<storage, read> p: array<vec4<f16>>;

// [buffer][row and column of the patch][quad of input channels]
var<workgroup> staged: array<vec4<f16>, STAGED>;
// [subgroup][row of cells][channel][cell]: two matrices of sums, one below the other, on their way to y.
var<workgroup> sums: array<f32, SUMS>;

// Eight input channels of a cell, as they come from memory.
struct Eight {
    first: Loaded,
    second: Loaded,
}

// A cell of x in row and column, which before the first wrap around to numbers beyond the last.
fn seen(row: u32, column: u32) -> Seen {
    let inside = row < params.in_h && column < params.in_w;
    return Seen(select(0u, row * params.in_w + column, inside), inside);
}

fn eight(first_plane: u32, c: u32, cell: Seen) -> Eight {
    return Eight(quad(first_plane, c, cell), quad(first_plane, c + 4, cell));
}

fn stage(at: u32, value: Eight, c: u32, inside: bool) {
    staged[at] = halves(value.first, c, inside);
    staged[at + 1] = halves(value.second, c + 4, inside);
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
    let size = LANES * ROW_GROUPS * COLUMN_GROUPS;
    // Vectors from cell to cell of a stage, from row to row, and of a stage.
    let pitch = (STEP + 8) / 4;
    let row_pitch = PATCH_COLUMNS * pitch;
    let buffer = PATCH_ROWS * row_pitch;

    let tile = flat % params.cell_tiles;
    let tile_columns = (params.out_w + TILE - 1) / TILE;
    let top = tile / tile_columns * MATRICES * COLUMN_GROUPS;
    let left = tile % tile_columns * TILE;
    let local_block = flat / params.cell_tiles % params.blocks;
    let block = params.first_block + local_block;
    let group = block / params.group_blocks;
    let image = flat / params.cell_tiles / params.blocks;
    let images = params.part_tiles / params.cell_tiles / params.blocks;
    let first_plane = group_planes(image % images, group);

    // Cells of a patch are a stride apart where it serves one tap, else neighbours. Then vectors from the cells of one matrix to those
    // of the next, and from cell to cell of one.
    let row_spacing = select(1u, SY, TAP_ROWS * TAP_COLUMNS == 1);
    let column_spacing = select(1u, SX, TAP_ROWS * TAP_COLUMNS == 1);
    let down = SY / row_spacing * row_pitch;
    let along = SX / column_spacing * pitch;
    // Which eights of channels of which cells are this invocation's to stage: each `size` further on than the one before.
    let shares = (PATCH_ROWS * PATCH_COLUMNS * (STEP / 8) + size - 1) / size;
    let cells = PATCH_ROWS * PATCH_COLUMNS;
    let first_row = top * SY - params.pad_top;
    let first_column = left * SX - params.pad_left;

    let chunk_stages = KH / TAP_ROWS * (KW / TAP_COLUMNS);
    let stages = (params.group_inputs + STEP - 1) / STEP * chunk_stages;
    let part_stages = params.part_quads / (STEP / 4);
    let first_stage = flat / params.part_tiles * part_stages;
    let end_stage = min(first_stage + part_stages, stages);
    // Vectors of a matrix of weights, and of all of a block's for a tap and TILE channels.
    let matrix = TILE * TILE / 4;
    let block_matrices = 2 * ROW_GROUPS * matrix;
    let tap_matrices = STEP / TILE * block_matrices;
    var w = (local_block * stages + first_stage) * TAP_ROWS * TAP_COLUMNS * tap_matrices + 2 * row_group * matrix;

    // Channels and tap of the next stage to load.
    var c = first_stage / chunk_stages * STEP;
    var u = first_stage % chunk_stages / (KW / TAP_COLUMNS);
    var v = first_stage % (KW / TAP_COLUMNS);
    var sources: array<Seen, 8>;
    var loaded: array<Eight, 8>;
    for (var k = 0u; k < 8; k++) { // unrolled
        if k < shares {
            let share = invocation + k * size;
            let cell = share % cells;
            let row = first_row + cell / PATCH_COLUMNS * row_spacing;
            let column = first_column + cell % PATCH_COLUMNS * column_spacing;
            sources[k] = seen(row + u * DY, column + v * DX);
            let channel = c + share / cells * 8;
            let value = eight(first_plane, channel, sources[k]);
            if share < cells * (STEP / 8) {
                stage(cell * pitch + share / cells * 2, value, channel, sources[k].inside);
            }
        }
    }
    var left0 = coopLoadT<Left>(&p[w], TILE / 4);
    var left1 = coopLoadT<Left>(&p[w + matrix], TILE / 4);
    workgroupBarrier();

    var s00: Sum;
    var s01: Sum;
    var s02: Sum;
    var s03: Sum;
    var s10: Sum;
    var s11: Sum;
    var s12: Sum;
    var s13: Sum;
    for (var now = first_stage; now < end_stage; now++) {
        v++;
        if v == KW / TAP_COLUMNS {
            v = 0;
            u++;
        }
        if u == KH / TAP_ROWS {
            u = 0;
            c += STEP;
        }
        let more = now + 1 < end_stage;
        if more {
            for (var k = 0u; k < 8; k++) { // unrolled
                if k < shares {
                    let share = invocation + k * size;
                    if chunk_stages > 1 {
                        let cell = share % cells;
                        let row = first_row + cell / PATCH_COLUMNS * row_spacing;
                        let column = first_column + cell % PATCH_COLUMNS * column_spacing;
                        sources[k] = seen(row + u * DY, column + v * DX);
                    }
                    loaded[k] = eight(first_plane, c + share / cells * 8, sources[k]);
                }
            }
        }
        let first = (now - first_stage) % BUFFERS * buffer + column_group * MATRICES * down;
        for (var tap = 0u; tap < TAP_ROWS * TAP_COLUMNS; tap += TAP_RUN) {
            let run = first + tap / TAP_COLUMNS * DY * row_pitch + tap % TAP_COLUMNS * DX * pitch;
            for (var k = 0u; k < 18; k++) { // unrolled
                if k < TAP_RUN * (STEP / TILE) {
                    w += block_matrices;
                    let next0 = coopLoadT<Left>(&p[w], TILE / 4);
                    let next1 = coopLoadT<Left>(&p[w + matrix], TILE / 4);
                    let own_tap = k / (STEP / TILE);
                    let tap_at = own_tap / TAP_COLUMNS * DY * row_pitch + own_tap % TAP_COLUMNS * DX * pitch;
                    let at = run + tap_at + k % (STEP / TILE) * (TILE / 4);
                    let right0 = coopLoad<Right>(&staged[at], along);
                    s00 = coopMultiplyAdd(left0, right0, s00);
                    s10 = coopMultiplyAdd(left1, right0, s10);
                    let right1 = coopLoad<Right>(&staged[at + down], along);
                    s01 = coopMultiplyAdd(left0, right1, s01);
                    s11 = coopMultiplyAdd(left1, right1, s11);
                    if MATRICES > 2 {
                        let right2 = coopLoad<Right>(&staged[at + 2 * down], along);
                        s02 = coopMultiplyAdd(left0, right2, s02);
                        s12 = coopMultiplyAdd(left1, right2, s12);
                        let right3 = coopLoad<Right>(&staged[at + 3 * down], along);
                        s03 = coopMultiplyAdd(left0, right3, s03);
                        s13 = coopMultiplyAdd(left1, right3, s13);
                    }
                    left0 = next0;
                    left1 = next1;
                }
            }
        }
        if BUFFERS == 1 {
            workgroupBarrier();
        }
        if more {
            let next = (now + 1 - first_stage) % BUFFERS * buffer;
            for (var k = 0u; k < 8; k++) { // unrolled
                let share = invocation + k * size;
                if k < shares && share < cells * (STEP / 8) {
                    let at = next + share % cells * pitch + share / cells * 2;
                    stage(at, loaded[k], c + share / cells * 8, sources[k].inside);
                }
            }
        }
        workgroupBarrier();
    }

    let mine = subgroup * 2 * TILE * TILE;
    let plane = image * params.out_channels;
    let channel = group * params.group_outputs;
    let within = (block % params.group_blocks * ROW_GROUPS + row_group) * 2 * TILE;
    let row = top + column_group * MATRICES;
    // Two matrices of each subgroup at a time, of neighbouring rows of cells.
    for (var k = 0u; k < 4; k += 4 / MATRICES) {
        switch k {
            case 0 {
                coopStoreT(s00, &sums[mine], TILE);
                coopStoreT(s01, &sums[mine + TILE * TILE], TILE);
            }
            case 1 {
                coopStoreT(s02, &sums[mine], TILE);
                coopStoreT(s03, &sums[mine + TILE * TILE], TILE);
            }
            case 2 {
                coopStoreT(s10, &sums[mine], TILE);
                coopStoreT(s11, &sums[mine + TILE * TILE], TILE);
            }
            default {
                coopStoreT(s12, &sums[mine], TILE);
                coopStoreT(s13, &sums[mine + TILE * TILE], TILE);
            }
        }
        workgroupBarrier();
        finish(mine, lane, plane, channel, within + k / 2 * TILE, vec2(row + k % 2 * 2, left));
        workgroupBarrier();
    }
}
