// Computes  p[block][c][r] = (w[c,o,u+SY,v+SX], w[c,o,u+SY,v], w[c,o,u,v+SX], w[c,o,u,v]) with o, u, v the channel and phase of
//           the block's r-th row, input channels counted within its group: the order in which
//           conv_transpose2d/shared_phases reads weights. Rows past a group's last are zero.
// Layout    w: Cin x Cout/groups x 2*SY x 2*SX, input channels from first_input on from word weight_offset on; p: as above, this
//           dispatch's blocks.
// Bindings  0 params; 1 w; 2 p.
// Overrides SY SX, the stride; ROWS, rows of a block; ARGMAX, whether a block is a phase; WORKGROUP, the invocations of a
//           workgroup.
// Dispatch  An invocation writes a vector of p if this dispatch has weights for it; `vectors` have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Zeros, and every vector whose input channel is one of this dispatch's, once.
// Order     Nothing is summed.
// Uses      common/index.wgsl, conv_transpose2d/row.wgsl
// Oracle    Tests of conv_transpose2d/shared_phases against reference::conv_transpose2d

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

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> p: array<vec4<f32>>;

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
    let within = i / ROWS % params.group_inputs;
    let block = params.first_block + i / ROWS / params.group_inputs;
    let row = row_of(block % params.group_blocks, i % ROWS);
    // An input channel before the first wraps around to a number beyond the last.
    let input = block / params.group_blocks * params.group_inputs + within - params.first_input;
    if row.channel >= params.group_outputs {
        p[i] = vec4<f32>();
    } else if input < params.inputs {
        let first = params.weight_offset + (input * params.group_outputs + row.channel) * params.taps;
        let upper = first + row.u * (2 * SX) + row.v;
        let lower = upper + SY * (2 * SX);
        p[i] = vec4(w[lower + SX], w[lower], w[upper + SX], w[upper]);
    }
}
