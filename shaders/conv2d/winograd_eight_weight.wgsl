// Computes  u[block,p,q,r][k] = (G g G^T)[p] with g the KH x KW kernel from input channel 4q+k of the group to the r-th output channel
//           of the block, and p the position in the 8x8 result of F(9-KH x 9-KW, KH x KW), row by row. Channels that do not exist
//           are zero.
// Layout    w: channels x Cin/groups x KH x KW, the rows of this dispatch's blocks from word weight_offset on; u: blocks x 64 x
//           ceil(Cin/groups/4) x ROWS x 4, if FOUR_ROWS x 4 x ROWS.
// Bindings  0 params; 1 w; 2 u.
// Overrides KH, KW (2 to 7); ROWS, rows of a block; FOUR_ROWS; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation transforms one kernel; in the order of u, but for p. `kernels` have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every element of u, once.
// Order     Along each row of g, then along each column of the result; even and odd powers apart, the highest first.
// Uses      common/index.wgsl, conv2d/winograd_kernels.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_eight_output
//
// G is that of Cook and Toom for the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity (reference/minimal_filtering/matrices.rs): a row is
// the kernel as a polynomial, at a point, over a divisor that depends on the points alone.

override KH: u32;
override KW: u32;
override WORKGROUP: u32 = 64;

// G g for one row or column g, whose last tap is g[taps - 1]; those beyond are zero.
fn transform(g: array<f32, 7>, taps: u32) -> array<f32, 8> {
    var powers = g;
    let even_1 = g[0] + (g[2] + (g[4] + g[6]));
    let odd_1 = g[1] + (g[3] + g[5]);
    let even_2 = fma(4.0, fma(4.0, fma(4.0, g[6], g[4]), g[2]), g[0]);
    let odd_2 = fma(4.0, fma(4.0, g[5], g[3]), g[1]);
    let even_half = fma(0.25, fma(0.25, fma(0.25, g[6], g[4]), g[2]), g[0]);
    let odd_half = fma(0.25, fma(0.25, g[5], g[3]), g[1]);
    return array(
        g[0],
        (even_1 + odd_1) * (-2.0 / 9.0),
        (even_1 - odd_1) * (-2.0 / 9.0),
        fma(2.0, odd_2, even_2) * (1.0 / 90.0),
        fma(-2.0, odd_2, even_2) * (1.0 / 90.0),
        fma(0.5, odd_half, even_half) * (32.0 / 45.0),
        fma(-0.5, odd_half, even_half) * (32.0 / 45.0),
        powers[taps - 1],
    );
}

// Tap v, u of the kernel that starts at w[at], if there is one.
fn tap(at: u32, v: u32, u: u32) -> f32 {
    if v < KH && u < KW {
        return w[at + v * KW + u];
    }
    return 0.0;
}

fn row(at: u32, v: u32) -> array<f32, 8> {
    return transform(
        array(
            tap(at, v, 0), tap(at, v, 1), tap(at, v, 2), tap(at, v, 3),
            tap(at, v, 4), tap(at, v, 5), tap(at, v, 6),
        ),
        KW,
    );
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
    let step = quads * ROWS * 4;
    let block = i / step;
    let first = block * 64 * step + i % step;
    let c = channel_of(i, quads);
    let group = (params.first_block + block) / params.group_blocks;
    let within = (params.first_block + block) % params.group_blocks * ROWS + row_of(i);
    if c >= params.group_inputs || within >= params.group_outputs {
        for (var p = 0u; p < 64; p++) {
            u[first + p * step] = 0.0;
        }
        return;
    }
    let channel = group * params.group_outputs + within - params.first_channel;
    let at = params.weight_offset + (channel * params.group_inputs + c) * KH * KW;
    var r0 = row(at, 0);
    var r1 = row(at, 1);
    var r2 = row(at, 2);
    var r3 = row(at, 3);
    var r4 = row(at, 4);
    var r5 = row(at, 5);
    var r6 = row(at, 6);
    for (var j = 0u; j < 8; j++) {
        var column = transform(array(r0[j], r1[j], r2[j], r3[j], r4[j], r5[j], r6[j]), KH);
        for (var p = 0u; p < 8; p++) {
            u[first + (p * 8 + j) * step] = column[p];
        }
    }
}
