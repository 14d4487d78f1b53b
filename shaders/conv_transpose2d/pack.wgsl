// Computes  p[block][u][v][q][r] = (w[4q, o, u, v], w[4q+1, o, u, v], w[4q+2, o, u, v], w[4q+3, o, u, v]) with o the r-th
//           output channel of the block, input channels counted within its group: the order in which
//           conv_transpose2d/phased reads weights. Rows past a group's last channel and inputs past its last are zero.
// Layout    w: Cin x Cout/groups x taps, input channels from first_input on from word weight_offset on; p: as above, this
//           dispatch's blocks.
// Bindings  0 params; 1 w; 2 p.
// Overrides ROWS, rows of a block; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation writes those elements of one vector of p that this dispatch has weights for; `vectors` have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Zeros, and every element whose input channel is one of this dispatch's, once.
// Order     Nothing is summed.
// Uses      common/index.wgsl, conv_transpose2d/packed_f32.wgsl, or common/half.wgsl, conv_transpose2d/packed_half.wgsl
// Oracle    Tests of conv_transpose2d/phased against reference::conv_transpose2d

struct Params {
    weight_offset: u32,
    // Channels a group: read and written; blocks a group; kernel cells.
    group_inputs: u32,
    group_outputs: u32,
    group_blocks: u32,
    taps: u32,
    // The first block of this dispatch, counted over all groups; its first input channel, and how many.
    first_block: u32,
    first_input: u32,
    inputs: u32,
    vectors: u32,
}

override ROWS: u32;
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
    let row = i % ROWS;
    let quad = i / ROWS % quads;
    let tap = i / ROWS / quads % params.taps;
    let block = params.first_block + i / ROWS / quads / params.taps;
    let channel = block % params.group_blocks * ROWS + row;
    for (var k = 0u; k < 4; k++) {
        let within = 4 * quad + k;
        // An input channel before the first wraps around to a number beyond the last.
        let input = block / params.group_blocks * params.group_inputs + within - params.first_input;
        if channel >= params.group_outputs || within >= params.group_inputs {
            put(i, k, 0.0);
        } else if input < params.inputs {
            put(i, k, w[params.weight_offset + (input * params.group_outputs + channel) * params.taps + tap]);
        }
    }
}
