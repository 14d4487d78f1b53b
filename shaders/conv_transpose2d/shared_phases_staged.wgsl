// Computes  y[n,o,p,q] = b[o] + sum_{c,u,v} x[n,c,i,j] * w[c,o,u,v] as conv_transpose2d/shared_phases does, for one group:
//           negative ones made zero if RELU. If ARGMAX, the first o with the largest of these instead, NaNs below all numbers; 0 if all are NaN.
// Layout    x: N x Cin x H x W; p: weights as conv_transpose2d/pack_shared_phases leaves them, in pairs; b: Cout; y: N x Cout x OH x
//           OW; if ARGMAX, y: N x OH x OW, a whole number a pixel, as f32.
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y.
// Overrides SY SX, the stride; BIAS, RELU, ARGMAX; ROWS (8, 16, 24 or 32), rows of a block; WORKGROUP, a multiple of LANES.
// Dispatch  Windows and rows are those of conv_transpose2d/shared_phases. Windows are numbered row after row, row_runs to a row.
//           An invocation computes the ROWS rows of a block in eight windows in order, a subgroup in 64, and a workgroup as many
//           blocks as it has subgroups. Windows vary fastest, then blocks, then images; `tiles` workgroups have work. Folded.
// Limits    Kernel 2*SY by 2*SX, dilation 1, one group. Each operand fits one binding and has fewer than 2^31 elements. If
//           ARGMAX, a block has all channels of a phase. Subgroups have LANES invocations. A row has a window more than lie along
//           it, unless the first column of cells and the last are outside x.
// Writes    Every cell of this dispatch's rows, once.
// Order     One f32 accumulator a row and window: c ascending, then u descending, then v descending, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/rank.wgsl, common/tile.wgsl, common/words_u64.wgsl, common/lanes_8.wgsl,
//           conv2d/weights_u64.wgsl, conv2d/rows_loaded.wgsl, conv2d/two_tiles.wgsl, argmax_channels/best.wgsl, conv_transpose2d/shared_phases_operands.wgsl,
//           conv_transpose2d/best_of_tile.wgsl, conv_transpose2d/row.wgsl, conv_transpose2d/shared_phases_store.wgsl
// Oracle    reference::conv_transpose2d
//
// Why: the cells around a workgroup's windows are gathered once for all of its blocks, zeros beyond x included, and from workgroup
// memory come as scalar loads (common/lanes_8). Eight windows in order share all their cells but the first and the last, so that
// one pair of cells loaded serves eight products of a row, and a weight's load eight windows instead of four.

// Pairs of cells above a workgroup's windows, or below; channels whose cells it holds at a time.
const PAIRS: u32 = 33;
const CHANNELS: u32 = STAGED / (2 * PAIRS);

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    if flat >= params.tiles {
        return;
    }
    let subgroups = WORKGROUP / LANES;
    let block_groups = (params.blocks + subgroups - 1) / subgroups;
    let first_window = flat % params.run_tiles * (8 * LANES);
    let own_block = flat / params.run_tiles % block_groups * subgroups + subgroup;
    // A subgroup without a block stages what the others need.
    let has_block = own_block < params.blocks;
    let local_block = min(own_block, params.blocks - 1);
    let n = flat / params.run_tiles / block_groups;

    let in_plane = params.in_h * params.in_w;
    var at = local_block * params.group_inputs * ROWS;
    var a0: Tile;
    var a1: Tile;
    var a2: Tile;
    var a3: Tile;
    var b0: Tile;
    var b1: Tile;
    var b2: Tile;
    var b3: Tile;
    for (var first = 0u; first < params.group_inputs; first += CHANNELS) {
        let channels = min(CHANNELS, params.group_inputs - first);
        workgroupBarrier();
        for (var e = invocation; e < 2 * PAIRS; e += WORKGROUP) {
            stage(first_window, e, (n * params.in_channels + first) * in_plane, in_plane, channels);
        }
        workgroupBarrier();
        for (var c = 0u; c < select(0u, channels, has_block); c++) {
            // The remainder says to a compiler that this is not negative.
            let upper = c % CHANNELS * (2 * PAIRS);
            let u = eight_at(upper, lane);
            let l = eight_at(upper + PAIRS, lane);
            let left = mat4x4(u.left, vec4(u.left.yzw, u.right.x), l.left, vec4(l.left.yzw, l.right.x));
            let right = mat4x4(u.right, vec4(u.right.yzw, u.last), l.right, vec4(l.right.yzw, l.last));
            multiply_add_two(&a0, &b0, left, right, at);
            if ROWS > 8 { multiply_add_two(&a1, &b1, left, right, at + 8); }
            if ROWS > 16 { multiply_add_two(&a2, &b2, left, right, at + 16); }
            if ROWS > 24 { multiply_add_two(&a3, &b3, left, right, at + 24); }
            at += ROWS;
        }
    }
    if !has_block {
        return;
    }
    let row = row_of(params.first_block + local_block, 0);
    let left = place_of(first_window + 8 * lane);
    let right = place_of(first_window + 8 * lane + 4);
    let planes = Planes(n * params.out_channels, 0);
    finish(left, planes, n, row, a0, a1, a2, a3);
    finish(right, planes, n, row, b0, b1, b2, b3);
}

// Stages the e-th pair of cells of so many channels, whose planes begin at `plane`: first those above the windows, then those below.
fn stage(first_window: u32, e: u32, plane: u32, in_plane: u32, channels: u32) {
    let cell = first_window + e / PAIRS * params.row_runs + 2 * (e % PAIRS);
    let before = cell / params.row_runs;
    let across = cell - before * params.row_runs;
    let over = across + 1 == params.row_runs;
    // A row or column before the first wraps around to a number beyond the last.
    let i = params.pad_top / SY - 1 + vec2(before, select(before, before + 1, over));
    let j = params.pad_left / SX - 1 + vec2(across, select(across + 1, 0u, over));
    let inside = (i < vec2(params.in_h)) & (j < vec2(params.in_w));
    let source = plane + select(vec2<u32>(), i * params.in_w + j, inside);
    for (var c = 0u; c < channels; c++) {
        let cells = vec2(x[source.x + c * in_plane], x[source.y + c * in_plane]);
        staged[c % CHANNELS * (2 * PAIRS) + e] = pair(select(vec2<f32>(), cells, inside));
    }
}

// Nine cells of a row: those of eight windows.
struct Eight {
    left: vec4<f32>,
    right: vec4<f32>,
    last: f32,
}

// A lane's, of pairs from staged[first] on; the last is the next lane's first.
fn eight_at(first: u32, lane: u32) -> Eight {
    let left = four(lane_pair(first, 4, lane), lane_pair(first + 1, 4, lane));
    let right = four(lane_pair(first + 2, 4, lane), lane_pair(first + 3, 4, lane));
    return Eight(left, right, low(lane_pair(first + 4, 4, lane)));
}

// Four windows from a number on, which may lie in several rows.
fn place_of(number: u32) -> Windows {
    let i0 = number / params.row_runs;
    let j0 = number - i0 * params.row_runs;
    let first = vec2(i0, j0);
    let second = after(first);
    let third = after(second);
    let fourth = after(third);
    let i = params.pad_top / SY + vec4(first.x, second.x, third.x, fourth.x);
    let j = params.pad_left / SX + vec4(first.y, second.y, third.y, fourth.y);
    return windows_at(i, j);
}

fn after(place: vec2<u32>) -> vec2<u32> {
    return select(vec2(place.x, place.y + 1), vec2(place.x + 1, 0u), place.y + 1 == params.row_runs);
}
