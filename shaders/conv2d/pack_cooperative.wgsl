// Computes  p[block][s][u][v][e][r][k] = w[o, s*STEP + e*TILE + k, u, v] as f16, with o the channel r of the block: in the order in
//           which conv2d/cooperative multiplies them, TILE inputs of a row at a time, so that TILE rows are a matrix. Rows past a
//           group's last channel and inputs past its last are zero.
// Layout    w: channels x Cin/groups x taps, the rows of this dispatch's blocks from word weight_offset on; p: as above, two
//           f16 a word, the lower k in the lower half.
// Bindings  0 params; 1 w; 2 p.
// Overrides ROWS, rows of a block; STEP, inputs of a stage, a multiple of TILE,
//           inputs of a matrix, 8 or 16; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation writes one word of p; `words` have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every word of p, once.
// Order     Nothing is summed.
// Uses      common/index.wgsl, common/half.wgsl
// Oracle    Tests of conv2d/cooperative against reference::conv2d_half_operands

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
    words: u32,
}

override ROWS: u32;
override STEP: u32;
override TILE: u32;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> p: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let i = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if i >= params.words {
        return;
    }
    let steps = (params.group_inputs + STEP - 1) / STEP;
    let row = i / (TILE / 2) % ROWS;
    let run = i / (TILE / 2) / ROWS % (STEP / TILE);
    let stage = i / ROWS / (STEP / 2);
    let tap = stage % params.taps;
    let c = stage / params.taps % steps * STEP + run * TILE + i % (TILE / 2) * 2;
    let block = params.first_block + stage / params.taps / steps;
    let channel = block % params.group_blocks * ROWS + row;
    var word = 0u;
    if channel < params.group_outputs {
        let output = block / params.group_blocks * params.group_outputs + channel - params.first_channel;
        let first = params.weight_offset + output * params.group_inputs * params.taps + tap;
        if c < params.group_inputs {
            word = half_bits(w[first + c * params.taps]);
        }
        if c + 1 < params.group_inputs {
            word |= half_bits(w[first + (c + 1) * params.taps]) << 16;
        }
    }
    p[i] = word;
}
