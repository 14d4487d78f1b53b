// Computes  y[n,o,p,q] = b[o] + sum_{c,u,v} x[n,c,i,j] * w[c,o,u,v] over the taps for which i * SY + u = p + top and j * SX + v =
//           q + left have solutions in x, two a side; negative ones made zero if RELU. If ARGMAX, the first o with the
//           largest of these instead, NaNs below all numbers; 0 if all are NaN.
// Layout    x: N x Cin x H x W; p: weights as conv_transpose2d/pack_shared_phases leaves them; b: Cout; y: N x Cout x OH x OW;
//           if ARGMAX, y: N x OH x OW, a whole number a pixel, as f32.
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y.
// Overrides SY SX, the stride; BIAS, RELU, ARGMAX; ROWS (8, 16, 24 or 32), rows of a block; WORKGROUP, the invocations of a
//           workgroup.
// Dispatch  Output cells (p, q) with the same (p + top) / SY and (q + left) / SX, one of each phase, lie between the same four
//           cells of x: a window. A row is a phase of an output channel. An invocation computes the ROWS rows of a block in
//           four windows side by side, a run, from the five by two cells around them; a workgroup WORKGROUP runs. Runs vary
//           fastest, so that the weights that the invocations of a workgroup read are the same; then blocks, images; `tiles`
//           workgroups have work. Folded.
// Limits    Kernel 2*SY by 2*SX, dilation 1. Each operand fits one binding and has fewer than 2^31 elements. If ARGMAX, one
//           group, and a block has all channels of a phase.
// Writes    Every cell of this dispatch's rows, once.
// Order     One f32 accumulator a row and window: c ascending, then u descending, then v descending, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/rank.wgsl, common/tile.wgsl, conv2d/weights.wgsl or
//           common/words_u64.wgsl, conv2d/weights_u64.wgsl, conv2d/columns.wgsl, channels/best.wgsl, conv_transpose2d/best_of_tile.wgsl, conv_transpose2d/row.wgsl
// Oracle    reference::conv_transpose2d
//
// Why: conv_transpose2d/phased loads sixteen cells for the four taps of four cells of one phase. Here ten do, for rows of
// several phases, and blocks are full whatever the number of channels. On a CPU driver a load costs about as much as 27
// multiply-adds of a vector.

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
    // Runs along a row of windows, and in all.
    row_runs: u32,
    runs: u32,
    // Workgroups along the runs, and in all.
    run_tiles: u32,
    tiles: u32,
}

override BIAS: bool;
override WORKGROUP: u32 = 8;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    let number = flat % params.run_tiles * WORKGROUP + invocation;
    if flat >= params.tiles || number >= params.runs {
        return;
    }
    let local_block = flat / params.run_tiles % params.blocks;
    let block = params.first_block + local_block;
    let n = flat / params.run_tiles / params.blocks;
    let group = block / params.group_blocks;

    // Window (i, j) lies between rows i - 1 and i, columns j - 1 and j of x.
    let i = params.pad_top / SY + number / params.row_runs;
    let j = params.pad_left / SX + number % params.row_runs * 4;
    let upper = five_at(i - 1, j - 1);
    let lower = five_at(i, j - 1);

    let in_plane = params.in_h * params.in_w;
    let first_plane = (n * params.in_channels + group * params.group_inputs) * in_plane;
    var t0: Tile;
    var t1: Tile;
    var t2: Tile;
    var t3: Tile;
    for (var c = 0u; c < params.group_inputs; c++) {
        let columns = windows(first_plane + c * in_plane, upper, lower);
        // Made from loop counters alone, so that a compiler sees that it is the same for all invocations.
        let at = (local_block * params.group_inputs + c) * ROWS;
        multiply_add_at(&t0, columns, at);
        if ROWS > 8 { multiply_add_at(&t1, columns, at + 8); }
        if ROWS > 16 { multiply_add_at(&t2, columns, at + 16); }
        if ROWS > 24 { multiply_add_at(&t3, columns, at + 24); }
    }

    let first = row_of(block % params.group_blocks, 0);
    let run = Run(i, j, n, n * params.out_channels + group * params.group_outputs, group * params.group_outputs);
    if ARGMAX {
        let classes = params.group_outputs;
        var best = best_of_tile(no_class(), 0, classes, t0);
        if ROWS > 8 && classes > 8 { best = best_of_tile(best, 8, classes - 8, t1); }
        if ROWS > 16 && classes > 16 { best = best_of_tile(best, 16, classes - 16, t2); }
        if ROWS > 24 && classes > 24 { best = best_of_tile(best, 24, classes - 24, t3); }
        store_cells(run, first, n, vec4<f32>(best.labels));
        return;
    }
    let second = store_rows(run, first, t0);
    if ROWS > 8 {
        let third = store_rows(run, second, t1);
        if ROWS > 16 {
            let fourth = store_rows(run, third, t2);
            if ROWS > 24 {
                let end = store_rows(run, fourth, t3);
            }
        }
    }
}

// Five cells of a row of x, offsets in its plane and whether they are inside.
struct Five {
    at: vec4<u32>,
    inside: vec4<bool>,
    last_at: u32,
    last_inside: bool,
}

// A row or column before the first wraps around to a number beyond the last.
fn five_at(i: u32, j: u32) -> Five {
    let columns = j + vec4(0u, 1u, 2u, 3u);
    let last = j + 4;
    let inside = (columns < vec4(params.in_w)) & vec4(i < params.in_h);
    let last_inside = last < params.in_w && i < params.in_h;
    return Five(
        select(vec4<u32>(), i * params.in_w + columns, inside),
        inside,
        select(0u, i * params.in_w + last, last_inside),
        last_inside,
    );
}

// The four cells around each of four windows, zero outside x: upper left, upper right, lower left, lower right.
fn windows(plane: u32, upper: Five, lower: Five) -> mat4x4<f32> {
    let u = cells(plane, upper.at, upper.inside);
    let l = cells(plane, lower.at, lower.inside);
    let u_last = select(0.0, x[plane + upper.last_at], upper.last_inside);
    let l_last = select(0.0, x[plane + lower.last_at], lower.last_inside);
    return mat4x4(u, vec4(u.yzw, u_last), l, vec4(l.yzw, l_last));
}

// Where an invocation's results go: its first window, its image, the first plane and channel of its group.
struct Run {
    i: u32,
    j: u32,
    n: u32,
    plane: u32,
    channel: u32,
}

// Stores eight rows from `first` on, as many as there are; the row after them.
fn store_rows(run: Run, first: Row, tile: Tile) -> Row {
    let r1 = store_row(run, first, tile.r0);
    let r2 = store_row(run, r1, tile.r1);
    let r3 = store_row(run, r2, tile.r2);
    let r4 = store_row(run, r3, tile.r3);
    let r5 = store_row(run, r4, tile.r4);
    let r6 = store_row(run, r5, tile.r5);
    let r7 = store_row(run, r6, tile.r6);
    return store_row(run, r7, tile.r7);
}

fn store_row(run: Run, row: Row, sums: vec4<f32>) -> Row {
    if row.channel < params.group_outputs {
        var offset = 0.0;
        if BIAS {
            offset = b[run.channel + row.channel];
        }
        let values = vec4(
            activate(sums.x + offset),
            activate(sums.y + offset),
            activate(sums.z + offset),
            activate(sums.w + offset),
        );
        store_cells(run, row, run.plane + row.channel, values);
    }
    return row_after(row);
}

// Stores the four windows' cells of one phase into a plane of y.
fn store_cells(run: Run, row: Row, plane: u32, values: vec4<f32>) {
    // A row or column before the first wraps around to a number beyond the last.
    let p = run.i * SY + row.u - params.pad_top;
    let q = (run.j + vec4(0u, 1u, 2u, 3u)) * SX + row.v - params.pad_left;
    let stored = (q < vec4(params.out_w)) & vec4(p < params.out_h);
    let at = (plane * params.out_h + p) * params.out_w + q;
    if stored.x { y[at.x] = values.x; }
    if stored.y { y[at.y] = values.y; }
    if stored.z { y[at.z] = values.z; }
    if stored.w { y[at.w] = values.w; }
}
