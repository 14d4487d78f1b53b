// Computes  p[block][u][v][q][r] = (w[o, 4q, u, v], w[o, 4q+1, u, v], w[o, 4q+2, u, v], w[o, 4q+3, u, v]) with o the r-th
//           output channel of the block: the order in which conv2d/tiled reads weights. Rows past a group's last channel
//           and inputs past its last are zero.
// Layout    w: channels x Cin/groups x taps, the rows of this dispatch's blocks from word weight_offset on; p: as above.
// Bindings  0 params; 1 w; 2 p.
// Overrides ROWS, rows of a block; WORKGROUP, the invocations of a workgroup.
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
    var value = vec4<f32>();
    if channel < params.group_outputs {
        let output = block / params.group_blocks * params.group_outputs + channel - params.first_channel;
        let words = params.weight_offset + output * params.group_inputs * params.taps + tap;
        for (var k = 0u; k < min(4u, params.group_inputs - 4 * quad); k++) {
            value[k] = w[words + (4 * quad + k) * params.taps];
        }
    }
    put(i, value);
}
