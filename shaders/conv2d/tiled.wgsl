// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], negative ones
//           made zero if RELU; cells outside x count as zero.
// Layout    x: N x Cin x H x W; p: weights as conv2d/pack leaves them; b: Cout; y: N x Cout x OH x OW.
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; ACCUMULATE, add to what y holds; ROWS (8, 16, 24 or
//           32), output channels of a block; WORKGROUP, the invocations of a workgroup.
// Dispatch  An implicit matrix product, weights times the columns that im2col would write. An invocation computes ROWS
//           channels of four cells in a row, a workgroup 4*WORKGROUP cells. Cells vary fastest, so that the weights that
//           the invocations of a workgroup read are the same; then blocks, then images; `tiles` workgroups have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's blocks, once.
// Order     One f32 accumulator a channel and cell: over the input channels of this dispatch u, then v, then c ascending;
//           dispatches in order; the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/tile.wgsl, conv2d/columns.wgsl
// Oracle    reference::conv2d
//
// Why: a load costs a CPU driver about as much as eight multiply-adds (each of its lanes loads alone), except where all
// lanes load the same word. So each x loaded is used ROWS times, every weight is the same word for all lanes, and there
// is no workgroup memory, whose barriers cost more there than they save. A sum over many channels is cut into dispatches
// whose weights and cells stay in a core's cache while all blocks and cells are worked off.

struct Params {
    in_channels: u32,
    in_h: u32,
    in_w: u32,
    out_channels: u32,
    out_h: u32,
    out_w: u32,
    pad_top: u32,
    pad_left: u32,
    // Channels a group: read and written; blocks a group.
    group_inputs: u32,
    group_outputs: u32,
    group_blocks: u32,
    // The first block of this dispatch, counted over all groups, and how many.
    first_block: u32,
    blocks: u32,
    // Workgroups along the cells of a plane, and in all.
    cell_tiles: u32,
    tiles: u32,
    // Fours of a group's input channels that this dispatch sums over: the first, and the one after the last.
    first_quad: u32,
    end_quad: u32,
}

override KH: u32;
override KW: u32;
override SY: u32;
override SX: u32;
override DY: u32;
override DX: u32;
override BIAS: bool;
override ACCUMULATE: bool;
override ROWS: u32;
override WORKGROUP: u32 = 8;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> p: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn store(first_cell: u32, plane: u32, channel: u32, sums: vec4<f32>) {
    var value = sums;
    let cells_left = params.out_h * params.out_w - first_cell;
    var offset = 0.0;
    if BIAS {
        offset = b[channel];
    }
    let start = (plane + channel) * params.out_h * params.out_w + first_cell;
    if ACCUMULATE {
        // Cells past the plane's last read its last one, and are not stored.
        let at = start + min(vec4(0u, 1u, 2u, 3u), vec4(cells_left - 1));
        value += vec4(y[at.x], y[at.y], y[at.z], y[at.w]);
    }
    y[start] = activate(value.x + offset);
    if cells_left > 1 {
        y[start + 1] = activate(value.y + offset);
    }
    if cells_left > 2 {
        y[start + 2] = activate(value.z + offset);
    }
    if cells_left > 3 {
        y[start + 3] = activate(value.w + offset);
    }
}

// Stores eight channels from `channel` on, as many as the group has left.
fn store_tile(first_cell: u32, plane: u32, channel: u32, left: u32, tile: Tile) {
    if left > 0 { store(first_cell, plane, channel, tile.r0); }
    if left > 1 { store(first_cell, plane, channel + 1, tile.r1); }
    if left > 2 { store(first_cell, plane, channel + 2, tile.r2); }
    if left > 3 { store(first_cell, plane, channel + 3, tile.r3); }
    if left > 4 { store(first_cell, plane, channel + 4, tile.r4); }
    if left > 5 { store(first_cell, plane, channel + 5, tile.r5); }
    if left > 6 { store(first_cell, plane, channel + 6, tile.r6); }
    if left > 7 { store(first_cell, plane, channel + 7, tile.r7); }
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    let first_cell = (flat % params.cell_tiles * WORKGROUP + invocation) * 4;
    let plane_cells = params.out_h * params.out_w;
    if flat >= params.tiles || first_cell >= plane_cells {
        return;
    }
    let local_block = flat / params.cell_tiles % params.blocks;
    let block = params.first_block + local_block;
    let n = flat / params.cell_tiles / params.blocks;
    let group = block / params.group_blocks;

    // Cells past the plane's last repeat it, so that the loops need no test; they are not stored.
    let cell = min(first_cell + vec4(0u, 1u, 2u, 3u), vec4(plane_cells - 1));
    let row = cell / params.out_w * SY - params.pad_top;
    let column = cell % params.out_w * SX - params.pad_left;

    let in_plane = params.in_h * params.in_w;
    let first_plane = (n * params.in_channels + group * params.group_inputs) * in_plane;
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
    store_tile(first_cell, plane, channel, left, t0);
    if ROWS > 8 && left > 8 { store_tile(first_cell, plane, channel + 8, left - 8, t1); }
    if ROWS > 16 && left > 16 { store_tile(first_cell, plane, channel + 16, left - 16, t2); }
    if ROWS > 24 && left > 24 { store_tile(first_cell, plane, channel + 24, left - 24, t3); }
}
