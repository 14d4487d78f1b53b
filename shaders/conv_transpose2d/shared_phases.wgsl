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
//           common/words_u64.wgsl, conv2d/weights_u64.wgsl, with either conv2d/rows_loaded.wgsl, or conv2d/rows_gathered.wgsl,
//           conv_transpose2d/shared_phases_operands.wgsl, conv2d/block_rows.wgsl, conv2d/one_tile.wgsl, conv2d/columns.wgsl,
//           argmax_channels/best.wgsl, conv_transpose2d/best_of_tile.wgsl, conv_transpose2d/row.wgsl,
//           conv_transpose2d/shared_phases_store.wgsl
// Oracle    reference::conv_transpose2d
//
// Why: conv_transpose2d/phased loads sixteen cells for the four taps of four cells of one phase. Here ten do, for rows of
// several phases, and blocks are full whatever the number of channels. On a CPU driver a load costs about as much as 27
// multiply-adds of a vector.

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    invocation: Invocation,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    let own_number = flat % params.run_tiles * WORKGROUP + invocation.index;
    let is_run = own_number < params.runs;
    if flat >= params.tiles || (MAY_SKIP && !is_run) {
        return;
    }
    let number = min(own_number, params.runs - 1);
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
        // Made from loop counters alone, so that a compiler sees that it is the same for all invocations.
        let at = (local_block * params.group_inputs + c) * ROWS;
        let rows = block_rows(at, invocation.index);
        let columns = windows(first_plane + c * in_plane, upper, lower);
        multiply_add_at(&t0, columns, rows.r0);
        if ROWS > 8 { multiply_add_at(&t1, columns, rows.r8); }
        if ROWS > 16 { multiply_add_at(&t2, columns, rows.r16); }
        if ROWS > 24 { multiply_add_at(&t3, columns, rows.r24); }
    }
    if !is_run {
        return;
    }

    let first = row_of(block % params.group_blocks, 0);
    let run = windows_at(vec4(i), j + vec4(0u, 1u, 2u, 3u));
    let planes = Planes(n * params.out_channels + group * params.group_outputs, group * params.group_outputs);
    finish(run, planes, n, first, t0, t1, t2, t3);
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
