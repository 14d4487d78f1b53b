// Computes  u[block,p,i,j,q,r][k] = (G g G^T)[p] with g the piece of 4x4 taps in row i and column j of pieces of the kernel from input
//           channel 4q+k of the group to the r-th output channel of the block, and p the position in the 7x7 result of F(4x4, 4x4),
//           row by row. Taps and channels that do not exist are zero.
// Layout    w: channels x Cin/groups x KH x KW, the rows of this dispatch's blocks from word weight_offset on; u: blocks x 49 x
//           ceil(KH/4) x ceil(KW/4) x ceil(Cin/groups/4) x ROWS x 4, if FOUR_ROWS x 4 x ROWS.
// Bindings  0 params; 1 w; 2 u.
// Overrides KH, KW, ROWS, rows of a block; FOUR_ROWS; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation transforms one piece of one kernel, in the order of u, but for p. `kernels` have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every element of u, once.
// Order     Along each row of g, then along each column of the result.
// Uses      common/index.wgsl, conv2d/winograd_kernels.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_pieces_output
//
// G is that of Cook and Toom for the points 0, 1, -1, 2, -2, 1/4 and infinity (reference/minimal_filtering.rs).

override KH: u32;
override KW: u32;
override WORKGROUP: u32 = 64;

// G g for one row or column g.
fn transform(g: vec4<f32>) -> array<f32, 7> {
    let even = g.x + g.z;
    let odd = g.y + g.w;
    let wide_even = fma(4.0, g.z, g.x);
    let wide_odd = fma(4.0, g.w, g.y);
    let narrow = fma(0.25, fma(0.0625, g.w, g.y), fma(0.0625, g.z, g.x));
    return array(
        -g.x,
        (even + odd) * (-2.0 / 9.0),
        (even - odd) * (2.0 / 15.0),
        fma(2.0, wide_odd, wide_even) * (1.0 / 42.0),
        fma(-2.0, wide_odd, wide_even) * (-1.0 / 54.0),
        narrow * (1024.0 / 945.0),
        g.w,
    );
}

// Tap v, u of the kernel that starts at w[at], if there is one.
fn tap(at: u32, v: u32, u: u32) -> f32 {
    let inside = v < KH && u < KW;
    return select(0.0, w[at + select(0, v * KW + u, inside)], inside);
}

fn row(at: u32, v: u32, u: u32) -> array<f32, 7> {
    return transform(vec4(tap(at, v, u), tap(at, v, u + 1), tap(at, v, u + 2), tap(at, v, u + 3)));
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
    let piece_columns = (KW + 3) / 4;
    let step = (KH + 3) / 4 * piece_columns * quads * ROWS * 4;
    let block = i / step;
    let first = block * 49 * step + i % step;
    let piece = i % step / (quads * ROWS * 4);
    let c = channel_of(i, quads);
    let group = (params.first_block + block) / params.group_blocks;
    let within = (params.first_block + block) % params.group_blocks * ROWS + row_of(i);
    if c >= params.group_inputs || within >= params.group_outputs {
        for (var p = 0u; p < 49; p++) {
            u[first + p * step] = 0.0;
        }
        return;
    }
    let channel = group * params.group_outputs + within - params.first_channel;
    let at = params.weight_offset + (channel * params.group_inputs + c) * KH * KW;
    let v0 = piece / piece_columns * 4;
    let u0 = piece % piece_columns * 4;
    var r0 = row(at, v0, u0);
    var r1 = row(at, v0 + 1, u0);
    var r2 = row(at, v0 + 2, u0);
    var r3 = row(at, v0 + 3, u0);
    for (var j = 0u; j < 7; j++) {
        var column = transform(vec4(r0[j], r1[j], r2[j], r3[j]));
        for (var p = 0u; p < 7; p++) {
            u[first + (p * 7 + j) * step] = column[p];
        }
    }
}
