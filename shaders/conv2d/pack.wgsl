// Computes  p[block][u][v][q][r] = (w[o, 4q, u, v], w[o, 4q+1, u, v], w[o, 4q+2, u, v], w[o, 4q+3, u, v]) with o the r-th
//           output channel of the block: the order in which conv2d/tiled reads weights. Or, if FOUR_ROWS, p[block][u][v][c][r] =
//           (w[o, c, u, v], w[o+1, c, u, v], w[o+2, c, u, v], w[o+3, c, u, v]) with o the 4r-th: that of conv2d/staged. Rows past a
//           group's last channel and inputs past its last are zero, inputs in whole fours.
// Layout    w: channels x Cin/groups x taps, the rows of this dispatch's blocks from word weight_offset on; p: as above.
// Bindings  0 params; 1 w; 2 p.
// Overrides ROWS, rows of a block; FOUR_ROWS; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation writes one vector of p; `vectors` have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every vector of p, once.
// Order     Nothing is summed.
// Uses      common/index.wgsl, conv2d/packed_f32.wgsl, or common/half.wgsl, conv2d/packed_half.wgsl
// Oracle    Tests of conv2d/tiled against reference::conv2d

struct Params {
    weight_offset: u32,
    // Channels a group: read and written; blocks a group; kernel cells.
    group_inputs: u32,
    group_outputs: u32,
    group_blocks: u32,
    taps: u32,
    // The first block of this dispatch, counted over all groups, and the first channel.
    first_block: u32,
    first_channel: u32,
    vectors: u32,
}

override ROWS: u32;
override FOUR_ROWS: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let i = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if i >= params.vectors {
        return;
    }
    let quads = (params.group_inputs + 3) / 4;
    let quad = i / ROWS % quads;
    let tap = i / ROWS / quads % params.taps;
    let block = params.first_block + i / ROWS / quads / params.taps;
    let first_row = block % params.group_blocks * ROWS;
    let first_output = block / params.group_blocks * params.group_outputs - params.first_channel;
    var value = vec4<f32>();
    for (var k = 0u; k < 4; k++) {
        let row = first_row + select(i % ROWS, 4 * (i % ROWS) % ROWS + k, FOUR_ROWS);
        let c = 4 * quad + select(k, 4 * (i % ROWS) / ROWS, FOUR_ROWS);
        if row < params.group_outputs && c < params.group_inputs {
            let words = params.weight_offset + (first_output + row) * params.group_inputs * params.taps;
            value[k] = w[words + c * params.taps + tap];
        }
    }
    put(i, value);
}
