// Computes  y[n,o,p,q] = b[o] + sum_{c,u,v} x[n,c,i,j] * w[c,o,u,v] over the taps for which i * SY + u * DY = p + top and
//           j * SX + v * DX = q + left have solutions in x; negative ones made zero if RELU. If ARGMAX, the first o with the
//           largest of these instead, NaNs below all numbers; 0 if all are NaN.
// Layout    x: N x Cin x H x W; p: weights as conv_transpose2d/pack leaves them; b: Cout; y: N x Cout x OH x OW; if ARGMAX, y:
//           N x OH x OW, a whole number a pixel, as f32.
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation); GY GX, the greatest common divisors of stride and dilation; IY IX,
//           the inverses of DY/GY modulo SY/GY and of DX/GX modulo SX/GX; BIAS, RELU, ACCUMULATE (false), ARGMAX; ROWS (8, 16,
//           24 or 32), output channels of a block; WORKGROUP, the invocations of a workgroup.
// Dispatch  Each phase (p mod SY, q mod SX) is an implicit matrix product, some of the weights times the columns that im2col
//           would write for a convolution of stride 1. An invocation computes ROWS channels of four cells in a row of one
//           phase, a workgroup 4*WORKGROUP cells. Cells vary fastest, so that the weights that the invocations of a
//           workgroup read are the same; then phases, blocks, images; `tiles` workgroups have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. If ARGMAX, one block has all channels.
// Writes    Every cell of this dispatch's blocks, once.
// Order     One f32 accumulator a channel and cell: u descending, then v descending, then c ascending, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/rank.wgsl, common/tile.wgsl, conv2d/weights.wgsl or
//           common/words_u64.wgsl, conv2d/weights_u64.wgsl, with either conv2d/rows_loaded.wgsl, or conv2d/rows_gathered.wgsl,
//           conv2d/block_rows.wgsl, conv2d/one_tile.wgsl, conv2d/columns.wgsl, conv2d/store.wgsl, argmax_channels/best.wgsl,
//           conv_transpose2d/best_of_tile.wgsl, conv_transpose2d/phase.wgsl
// Oracle    reference::conv_transpose2d
//
// Why: as conv2d/tiled. Phases differ only in where their cells lie and in which taps of the same weights they read, so
// that one dispatch does them all, and no product is with an inserted zero.

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
    // Phases that the output has.
    phases_h: u32,
    phases_w: u32,
    // Workgroups along the cells of a phase, and in all.
    cell_tiles: u32,
    tiles: u32,
}

override KH: u32;
override KW: u32;
override SY: u32;
override SX: u32;
override DY: u32;
override DX: u32;
override GY: u32;
override GX: u32;
override IY: u32;
override IX: u32;
override ARGMAX: bool;
override ROWS: u32;
override WORKGROUP: u32 = 8;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

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
    let phases = params.phases_h * params.phases_w;
    let first_cell = (flat % params.cell_tiles * WORKGROUP + invocation.index) * 4;
    let phase = flat / params.cell_tiles % phases;
    let local_block = flat / params.cell_tiles / phases % params.blocks;
    let block = params.first_block + local_block;
    let n = flat / params.cell_tiles / phases / params.blocks;
    let group = block / params.group_blocks;

    // The phase: its rows and columns in y, and its convolution.
    let phase_row = phase / params.phases_w;
    let phase_column = phase % params.phases_w;
    let phase_h = (params.out_h - phase_row + SY - 1) / SY;
    let phase_w = (params.out_w - phase_column + SX - 1) / SX;
    let vertical = phase_of(phase_row + params.pad_top, KH, SY, DY, GY, IY);
    let horizontal = phase_of(phase_column + params.pad_left, KW, SX, DX, GX, IX);
    let is_cell = first_cell < phase_h * phase_w;
    if MAY_SKIP && !is_cell {
        return;
    }

    // Cells past the phase's last repeat it, so that the loops need no test; they are not stored.
    let cell = min(first_cell + vec4(0u, 1u, 2u, 3u), vec4(phase_h * phase_w - 1));
    let row = cell / phase_w;
    let column = cell % phase_w;
    let from_row = vertical.start + row - vertical.before;
    let from_column = horizontal.start + column - horizontal.before;

    let in_plane = params.in_h * params.in_w;
    let first_plane = (n * params.in_channels + group * params.group_inputs) * in_plane;
    let quads = (params.group_inputs + 3) / 4;
    var t0: Tile;
    var t1: Tile;
    var t2: Tile;
    var t3: Tile;
    for (var t = 0u; t < vertical.taps; t++) {
        for (var s = 0u; s < horizontal.taps; s++) {
            // A row or column before the first wraps around to a number beyond the last.
            let in_row = from_row + t * (DY / GY);
            let in_column = from_column + s * (DX / GX);
            let inside = (in_row < vec4(params.in_h)) & (in_column < vec4(params.in_w));
            if MAY_SKIP && !any(inside) {
                continue;
            }
            let at = select(vec4<u32>(), in_row * params.in_w + in_column, inside);
            let u = vertical.last - t * (SY / GY);
            let v = horizontal.last - s * (SX / GX);
            let tap_weights = ((local_block * KH + u) * KW + v) * quads * ROWS;
            for (var q = 0u; q < quads; q++) {
                let i = tap_weights + q * ROWS;
                let rows = block_rows(i, invocation.index);
                let columns = columns(first_plane, in_plane, params.group_inputs, q, at, inside);
                multiply_add_at(&t0, columns, rows.r0);
                if ROWS > 8 { multiply_add_at(&t1, columns, rows.r8); }
                if ROWS > 16 { multiply_add_at(&t2, columns, rows.r16); }
                if ROWS > 24 { multiply_add_at(&t3, columns, rows.r24); }
            }
        }
    }

    if !is_cell {
        return;
    }
    let within = block % params.group_blocks * ROWS;
    let channel = group * params.group_outputs + within;
    let left = params.group_outputs - within;
    let plane = n * params.out_channels;
    let out_row = phase_row + row * SY;
    let out_column = phase_column + column * SX;
    let cells = Cells(out_row * params.out_w + out_column, phase_h * phase_w - first_cell);
    if ARGMAX {
        var best = best_of_tile(no_class(), 0, left, t0);
        if ROWS > 8 && left > 8 { best = best_of_tile(best, 8, left - 8, t1); }
        if ROWS > 16 && left > 16 { best = best_of_tile(best, 16, left - 16, t2); }
        if ROWS > 24 && left > 24 { best = best_of_tile(best, 24, left - 24, t3); }
        store_labels(cells, n, vec4<f32>(best.labels));
        return;
    }
    store_tile(cells, plane, channel, left, t0);
    if ROWS > 8 && left > 8 { store_tile(cells, plane, channel + 8, left - 8, t1); }
    if ROWS > 16 && left > 16 { store_tile(cells, plane, channel + 16, left - 16, t2); }
    if ROWS > 24 && left > 24 { store_tile(cells, plane, channel + 24, left - 24, t3); }
}

fn store_labels(cells: Cells, n: u32, labels: vec4<f32>) {
    let at = n * params.out_h * params.out_w + cells.at;
    y[at.x] = labels.x;
    if cells.count > 1 { y[at.y] = labels.y; }
    if cells.count > 2 { y[at.z] = labels.z; }
    if cells.count > 3 { y[at.w] = labels.w; }
}
