// Computes  d[p,c,t] = (B^T z B)[p] for each tile t, with z the 8x8 cells of x[n,c] from which F(MH x MW, KH x KW) makes MH x MW
//           cells of the output, KH = 9 - MH and KW = 9 - MW, zero outside x, and p the position in the 8x8 result, row by row.
// Layout    x: N x Cin x H x W; d: 64 x channels x tiles, each group with whole fours of channels, those past its last zero.
// Bindings  0 params; 1 x; 2 d.
// Overrides MH, MW, output cells of a tile along each axis (2 to 7); WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation transforms one tile of one channel; tiles vary fastest. tiles * channels have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every element of d, once; tiles past last_tile repeat it.
// Order     Along each row of z, then along each column of the result.
// Uses      common/index.wgsl, conv2d/winograd_cells.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_eight_output
//
// B^T is that of Cook and Toom for the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity (reference/minimal_filtering/matrices.rs). It
// depends on the points alone, so that one kernel serves all sizes of the convolution's kernel.

override MH: u32;
override MW: u32;
override WORKGROUP: u32 = 64;

// B^T z for one row or column z: two points of opposite signs share what is even and what is odd in them.
fn transform(z: array<f32, 8>) -> array<f32, 8> {
    let even_1 = fma(-4.25, z[4], z[2] + z[6]);
    let odd_1 = fma(-4.25, z[3], z[1] + z[5]);
    let even_2 = fma(0.25, z[2], fma(-1.25, z[4], z[6]));
    let odd_2 = fma(0.5, z[1], fma(-2.5, z[3], 2.0 * z[5]));
    let even_half = fma(4.0, z[2], fma(-5.0, z[4], z[6]));
    let odd_half = fma(2.0, z[1], fma(-2.5, z[3], 0.5 * z[5]));
    return array(
        fma(5.25, z[4] - z[2], z[0] - z[6]),
        even_1 + odd_1, even_1 - odd_1,
        even_2 + odd_2, even_2 - odd_2,
        even_half + odd_half, even_half - odd_half,
        fma(5.25, z[3] - z[5], z[7] - z[1]),
    );
}

fn row(plane: u32, y: u32, x: u32) -> array<f32, 8> {
    return transform(array(
        cell(plane, y, x), cell(plane, y, x + 1), cell(plane, y, x + 2), cell(plane, y, x + 3),
        cell(plane, y, x + 4), cell(plane, y, x + 5), cell(plane, y, x + 6), cell(plane, y, x + 7),
    ));
}

// Stores the transform of column j at positions j, j + 8, and so on; `at` is d[0, c, t].
fn store(at: u32, j: u32, z: array<f32, 8>) {
    let step = params.channels * params.tiles;
    let column = transform(z);
    d[at + j * step] = column[0];
    d[at + (j + 8) * step] = column[1];
    d[at + (j + 16) * step] = column[2];
    d[at + (j + 24) * step] = column[3];
    d[at + (j + 32) * step] = column[4];
    d[at + (j + 40) * step] = column[5];
    d[at + (j + 48) * step] = column[6];
    d[at + (j + 56) * step] = column[7];
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let at = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if at >= params.tiles * params.channels {
        return;
    }
    let c = at / params.tiles;
    let within_group = c % params.group_channels;
    if within_group >= params.group_inputs {
        for (var p = 0u; p < 64; p++) {
            d[at + p * params.channels * params.tiles] = 0.0;
        }
        return;
    }
    let tile = min(params.first_tile + at % params.tiles, params.last_tile);
    let within = tile % params.image_tiles;
    let y0 = within / params.tile_columns * MH - params.pad_top;
    let x0 = within % params.tile_columns * MW - params.pad_left;
    let channel = c / params.group_channels * params.group_inputs + within_group;
    let plane = (tile / params.image_tiles * params.in_channels + channel) * params.in_h * params.in_w;
    let r0 = row(plane, y0, x0);
    let r1 = row(plane, y0 + 1, x0);
    let r2 = row(plane, y0 + 2, x0);
    let r3 = row(plane, y0 + 3, x0);
    let r4 = row(plane, y0 + 4, x0);
    let r5 = row(plane, y0 + 5, x0);
    let r6 = row(plane, y0 + 6, x0);
    let r7 = row(plane, y0 + 7, x0);
    store(at, 0, array(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0], r6[0], r7[0]));
    store(at, 1, array(r0[1], r1[1], r2[1], r3[1], r4[1], r5[1], r6[1], r7[1]));
    store(at, 2, array(r0[2], r1[2], r2[2], r3[2], r4[2], r5[2], r6[2], r7[2]));
    store(at, 3, array(r0[3], r1[3], r2[3], r3[3], r4[3], r5[3], r6[3], r7[3]));
    store(at, 4, array(r0[4], r1[4], r2[4], r3[4], r4[4], r5[4], r6[4], r7[4]));
    store(at, 5, array(r0[5], r1[5], r2[5], r3[5], r4[5], r5[5], r6[5], r7[5]));
    store(at, 6, array(r0[6], r1[6], r2[6], r3[6], r4[6], r5[6], r6[6], r7[6]));
    store(at, 7, array(r0[7], r1[7], r2[7], r3[7], r4[7], r5[7], r6[7], r7[7]));
}
