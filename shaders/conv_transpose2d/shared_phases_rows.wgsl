// Computes  y[n,o,p,q] = b[o] + sum_{c,u,v} x[n,c,i,j] * w[c,o,u,v] over the taps for which i * SY + u = p + top and j * SX + v =
//           q + left have solutions in x, two a side; negative ones made zero if RELU.
// Layout    x: N x Cin x H x W; p: weights as conv_transpose2d/pack_shared_phases leaves them; b: Cout; y: N x Cout x OH x OW.
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y.
// Overrides SY SX, the stride; BIAS, RELU; ARGMAX, false; ROWS, rows of a block; WORKGROUP, the invocations of a workgroup: ROWS
//           for each of its blocks, which are of one group.
// Dispatch  Output cells (p, q) with the same (p + top) / SY and (q + left) / SX, one of each phase, lie between the same four
//           cells of x: a window. A row is a phase of an output channel. An invocation computes one row in eight windows side
//           by side, a run; a workgroup all rows of its blocks in the same run. Runs vary fastest, then blocks, images; `tiles`
//           workgroups have work. Folded.
// Limits    Kernel 2*SY by 2*SX, dilation 1. Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's rows, once.
// Order     One f32 accumulator a row and window: c ascending, then u descending, then v descending, the bias last, as in
//           conv_transpose2d/shared_phases.
// Uses      common/index.wgsl, common/activation.wgsl, common/rank.wgsl, common/tile.wgsl,
//           conv_transpose2d/shared_phases_operands.wgsl, argmax_channels/best.wgsl, conv_transpose2d/best_of_tile.wgsl,
//           conv_transpose2d/row.wgsl, conv_transpose2d/shared_phases_store.wgsl
// Oracle    reference::conv_transpose2d
//
// Why: for GPUs. Where invocations were windows and looped over rows (conv_transpose2d/shared_phases), each waited for 32 vectors
// of weights a channel, and stored cells a stride apart from its neighbour's. Neighbouring rows have neighbouring weights and
// neighbouring cells of y. What they share, the cells of x, is in workgroup memory. With one weight a round, each round waited for it:
// 7.2 us for 21->21 k4 s2 @16, 5.1 by four, 4.6 by seven (H200).

@group(0) @binding(2) var<storage, read> p: array<vec4<f32>>;

// Channels whose weights an invocation asks for before it uses any: of FCN's 21 three rounds, none filled up.
const ROUND: u32 = 7;
// Channels that are staged at a time, whole rounds, six vectors each: columns j - 1 to j + 10 of rows i - 1 and i around a run that
// begins with window (i, j), which needs the first nine.
const STAGE: u32 = 35;
const VECTORS: u32 = 210;
var<workgroup> staged: array<vec4<f32>, VECTORS>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    if flat >= params.tiles {
        return;
    }
    let shared_blocks = WORKGROUP / ROWS;
    let block_tiles = (params.blocks + shared_blocks - 1) / shared_blocks;
    let run = flat % params.run_tiles;
    let first_block = flat / params.run_tiles % block_tiles * shared_blocks;
    let n = flat / params.run_tiles / block_tiles;
    let group = (params.first_block + first_block) / params.group_blocks;
    // Window (i, j) lies between rows i - 1 and i, columns j - 1 and j of x.
    let i = params.pad_top / SY + run / params.row_runs;
    let j = params.pad_left / SX + run % params.row_runs * 8;

    let in_plane = params.in_h * params.in_w;
    let first_plane = (n * params.in_channels + group * params.group_inputs) * in_plane;
    // A workgroup's last blocks may be past the last.
    let local_block = first_block + invocation / ROWS;
    let row = invocation % ROWS;
    let weights = min(local_block, params.blocks - 1) * params.group_inputs * ROWS + row;
    var left = vec4<f32>();
    var right = vec4<f32>();
    var w: array<vec4<f32>, ROUND>;
    for (var begin = 0u; begin < params.group_inputs; begin += STAGE) {
        let channels = min(STAGE, params.group_inputs - begin);
        let rounds = (channels + ROUND - 1) / ROUND;
        workgroupBarrier();
        for (var k = invocation; k < 6 * ROUND * rounds; k += WORKGROUP) {
            // Past the last channel all cells are outside, so that no infinity is multiplied by its zero weights.
            let plane = first_plane + (begin + min(k / 6, channels - 1)) * in_plane;
            let row = select(params.in_h, i - 1 + k % 6 / 3, k / 6 < channels);
            staged[k] = four_at(plane, row, j - 1 + k % 3 * 4);
        }
        workgroupBarrier();
        for (var c = 0u; c < channels; c += ROUND) {
            for (var k = 0u; k < 7; k++) { // unrolled
                w[k] = p[weights + (begin + min(c + k, channels - 1)) * ROWS];
            }
            for (var k = 0u; k < 7; k++) { // unrolled
                let own = select(vec4<f32>(), w[k], c + k < channels);
                let at = 6 * (c + k);
                let u0 = staged[at];
                let u1 = staged[at + 1];
                let u8 = staged[at + 2].x;
                let l0 = staged[at + 3];
                let l1 = staged[at + 4];
                let l8 = staged[at + 5].x;
                left = four_terms(left, own, mat4x4(u0, vec4(u0.yzw, u1.x), l0, vec4(l0.yzw, l1.x)));
                right = four_terms(right, own, mat4x4(u1, vec4(u1.yzw, u8), l1, vec4(l1.yzw, l8)));
            }
        }
    }

    if local_block < params.blocks {
        let block = params.first_block + local_block;
        let own = row_of(block % params.group_blocks, row);
        let planes = Planes(n * params.out_channels + group * params.group_outputs, group * params.group_outputs);
        let columns = j + vec4(0u, 1u, 2u, 3u);
        let next = store_row(windows_at(vec4(i), columns), planes, own, left);
        let same = store_row(windows_at(vec4(i), columns + 4), planes, own, right);
    }
}

// Four cells of a row of x, zero outside. A row or column before the first wraps around to a number beyond the last.
fn four_at(plane: u32, i: u32, j: u32) -> vec4<f32> {
    let columns = j + vec4(0u, 1u, 2u, 3u);
    let inside = (columns < vec4(params.in_w)) & vec4(i < params.in_h);
    let at = plane + select(vec4<u32>(), i * params.in_w + columns, inside);
    return select(vec4<f32>(), vec4(x[at.x], x[at.y], x[at.z], x[at.w]), inside);
}
