// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], as conv2d/tiled.
// Layout    x: N x Cin x H x W; p: weights as conv2d/pack leaves them; b: Cout; y: N x Cout x OH x OW.
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; ACCUMULATE, add to what y holds; ROWS (8, 16, 24 or 32),
//           output channels of a block; WORKGROUP, LANES invocations.
// Dispatch  An invocation computes ROWS channels of twice four cells in a row, 4*LANES cells apart, a workgroup 64 cells. Cells vary
//           fastest, then blocks, then images; `tiles` workgroups have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. Subgroups have LANES invocations.
// Writes    Every cell of this dispatch's blocks, once.
// Order     One f32 accumulator a channel and cell: over the input channels of this dispatch u, then v, then c ascending;
//           dispatches in order; the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/tile.wgsl, conv2d/operands.wgsl, conv2d/operands_f32.wgsl,
//           conv2d/rows_gathered.wgsl, conv2d/block_rows.wgsl, conv2d/two_tiles.wgsl, conv2d/columns.wgsl, conv2d/in_rows.wgsl,
//           conv2d/result_f32.wgsl, conv2d/store.wgsl
// Oracle    reference::conv2d
//
// Why: as conv2d/winograd_product_gathered.

override ROWS: u32;
override WORKGROUP: u32 = 8;

// Where in x a tap finds four cells.
struct Tap {
    at: vec4<u32>,
    inside: vec4<bool>,
}

// A row or column before the first wraps around to a number beyond the last.
fn tap(four: Four, u: u32, v: u32) -> Tap {
    let row = four.row * SY - params.pad_top + u * DY;
    let column = four.column * SX - params.pad_left + v * DX;
    let inside = (row < vec4(params.in_h)) & (column < vec4(params.in_w));
    return Tap(select(vec4<u32>(), row * params.in_w + column, inside), inside);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    invocation: Invocation,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    if flat >= params.tiles {
        return;
    }
    let lane = invocation.index;
    let first_cell = flat % params.cell_tiles * 8 * LANES + 4 * lane;
    let local_block = flat / params.cell_tiles % params.blocks;
    let block = params.first_block + local_block;
    let n = flat / params.cell_tiles / params.blocks;
    let group = block / params.group_blocks;

    // Cells past the last repeat it and are not stored: every lane has weights that the others need.
    let four = four_cells(first_cell);
    let next_four = four_cells(first_cell + 4 * LANES);

    let in_plane = params.in_h * params.in_w;
    let first_plane = group_planes(n, group);
    let quads = (params.group_inputs + 3) / 4;
    let block_weights = local_block * KH * KW * quads * ROWS;
    var a0: Tile;
    var a1: Tile;
    var a2: Tile;
    var a3: Tile;
    var b0: Tile;
    var b1: Tile;
    var b2: Tile;
    var b3: Tile;
    for (var u = 0u; u < KH; u++) {
        for (var v = 0u; v < KW; v++) {
            let left_tap = tap(four, u, v);
            let right_tap = tap(next_four, u, v);
            let tap_weights = block_weights + (u * KW + v) * quads * ROWS;
            for (var q = params.first_quad; q < params.end_quad; q++) {
                let i = tap_weights + q * ROWS;
                let rows = block_rows(i, lane);
                let left = columns(first_plane, in_plane, params.group_inputs, q, left_tap.at, left_tap.inside);
                let right = columns(first_plane, in_plane, params.group_inputs, q, right_tap.at, right_tap.inside);
                multiply_add_two(&a0, &b0, left, right, rows.r0);
                if ROWS > 8 { multiply_add_two(&a1, &b1, left, right, rows.r8); }
                if ROWS > 16 { multiply_add_two(&a2, &b2, left, right, rows.r16); }
                if ROWS > 24 { multiply_add_two(&a3, &b3, left, right, rows.r24); }
            }
        }
    }

    let within = block % params.group_blocks * ROWS;
    let channel = group * params.group_outputs + within;
    let remaining = params.group_outputs - within;
    let plane = n * params.out_channels;
    store_rows(four.at, first_cell, plane, channel, remaining, a0, a1, a2, a3);
    store_rows(next_four.at, first_cell + 4 * LANES, plane, channel, remaining, b0, b1, b2, b3);
}

// Stores the channels of a block for the four cells from `first` on, as far as there are any.
fn store_rows(
    at: vec4<u32>,
    first: u32,
    plane: u32,
    channel: u32,
    left: u32,
    t0: Tile,
    t1: Tile,
    t2: Tile,
    t3: Tile,
) {
    if first >= computed_cells() {
        return;
    }
    let cells = Cells(at, min(computed_cells() - first, 4u));
    store_tile(cells, plane, channel, left, t0);
    if ROWS > 8 && left > 8 { store_tile(cells, plane, channel + 8, left - 8, t1); }
    if ROWS > 16 && left > 16 { store_tile(cells, plane, channel + 16, left - 16, t2); }
    if ROWS > 24 && left > 24 { store_tile(cells, plane, channel + 24, left - 24, t3); }
}
