// Computes  u[block,p,q,r][k] = (G g G^T)[p] with g the 3x3 kernel from input channel 4q+k of the group to the r-th output channel of the
//           block, and p the position in the 4x4 result of F(2x2, 3x3), row by row. Channels that do not exist are zero.
// Layout    w: channels x Cin/groups x 3 x 3, the rows of this dispatch's blocks from word weight_offset on; u: blocks x 16 x
//           ceil(Cin/groups/4) x ROWS x 4, if FOUR_ROWS x 4 x ROWS.
// Bindings  0 params; 1 w; 2 u.
// Overrides ROWS, rows of a block; FOUR_ROWS; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation transforms one kernel; in the order of u, but for p. `kernels` have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every element of u, once.
// Order     Along each row of g, then along each column of the result.
// Uses      common/index.wgsl, conv2d/winograd_kernels.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_f2_output
//
// G is that of Lavin and Gray, "Fast algorithms for convolutional neural networks" (2015), section 4.1.

override WORKGROUP: u32 = 64;

// G g for one row or column g.
fn transform(g: vec3<f32>) -> array<f32, 4> {
    let even = g.x + g.z;
    return array(g.x, 0.5 * (even + g.y), 0.5 * (even - g.y), g.z);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let i = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if i >= params.kernels {
        return;
    }
    let quads = (params.group_inputs + 3) / 4;
    let c = channel_of(i, quads);
    let block = i / 4 / ROWS / quads;
    let group = (params.first_block + block) / params.group_blocks;
    let within = (params.first_block + block) % params.group_blocks * ROWS + row_of(i);
    var g = mat3x3<f32>();
    if c < params.group_inputs && within < params.group_outputs {
        let channel = group * params.group_outputs + within - params.first_channel;
        let at = params.weight_offset + (channel * params.group_inputs + c) * 9;
        g = mat3x3(w[at], w[at + 1], w[at + 2], w[at + 3], w[at + 4], w[at + 5], w[at + 6], w[at + 7], w[at + 8]);
    }
    // A column of the matrix g is a row of the kernel.
    var r0 = transform(g[0]);
    var r1 = transform(g[1]);
    var r2 = transform(g[2]);
    let step = quads * ROWS * 4;
    let first = block * 16 * step + i % step;
    for (var j = 0u; j < 4; j++) {
        var column = transform(vec3(r0[j], r1[j], r2[j]));
        for (var p = 0u; p < 4; p++) {
            u[first + (p * 4 + j) * step] = column[p];
        }
    }
}
