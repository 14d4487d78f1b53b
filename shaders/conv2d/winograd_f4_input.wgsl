// Computes  d[p,c,t] = (B^T z B)[p] for each tile t, with z the 6x6 cells of x[n,c] from which F(4x4, 3x3) makes 4x4 cells
//           of the output, zero outside x, and p the position in the 6x6 result, row by row.
// Layout    x: N x Cin x H x W; d: 36 x channels x tiles, each group with whole fours of channels, those past its last zero.
// Bindings  0 params; 1 x; 2 d.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation transforms one tile of one channel; tiles vary fastest. tiles * channels have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every element of d, once; tiles past last_tile repeat it.
// Order     Along each row of z, then along each column of the result.
// Uses      common/index.wgsl, conv2d/winograd_cells.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_f4_output
//
// B^T is that of Lavin and Gray, "Fast algorithms for convolutional neural networks" (2015), section 4.1.

override WORKGROUP: u32 = 64;

// B^T z for one row or column z.
fn transform(z: array<f32, 6>) -> array<f32, 6> {
    let a = fma(-4.0, z[2], z[4]);
    let b = fma(-4.0, z[1], z[3]);
    let c = z[4] - z[2];
    let e = 2.0 * (z[3] - z[1]);
    return array(
        fma(4.0, z[0], fma(-5.0, z[2], z[4])), a + b, a - b, c + e, c - e, fma(4.0, z[1], fma(-5.0, z[3], z[5])),
    );
}

fn row(plane: u32, y: u32, x: u32) -> array<f32, 6> {
    return transform(array(
        cell(plane, y, x), cell(plane, y, x + 1), cell(plane, y, x + 2),
        cell(plane, y, x + 3), cell(plane, y, x + 4), cell(plane, y, x + 5),
    ));
}

// Stores the transform of column j at positions j, j + 6, and so on; `at` is d[0, c, t].
fn store(at: u32, j: u32, z: array<f32, 6>) {
    let step = params.channels * params.tiles;
    let column = transform(z);
    d[at + j * step] = column[0];
    d[at + (j + 6) * step] = column[1];
    d[at + (j + 12) * step] = column[2];
    d[at + (j + 18) * step] = column[3];
    d[at + (j + 24) * step] = column[4];
    d[at + (j + 30) * step] = column[5];
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
        for (var p = 0u; p < 36; p++) {
            d[at + p * params.channels * params.tiles] = 0.0;
        }
        return;
    }
    let tile = min(params.first_tile + at % params.tiles, params.last_tile);
    let within = tile % params.image_tiles;
    let y0 = within / params.tile_columns * 4 - params.pad_top;
    let x0 = within % params.tile_columns * 4 - params.pad_left;
    let channel = c / params.group_channels * params.group_inputs + within_group;
    let plane = (tile / params.image_tiles * params.in_channels + channel) * params.in_h * params.in_w;
    let r0 = row(plane, y0, x0);
    let r1 = row(plane, y0 + 1, x0);
    let r2 = row(plane, y0 + 2, x0);
    let r3 = row(plane, y0 + 3, x0);
    let r4 = row(plane, y0 + 4, x0);
    let r5 = row(plane, y0 + 5, x0);
    store(at, 0, array(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0]));
    store(at, 1, array(r0[1], r1[1], r2[1], r3[1], r4[1], r5[1]));
    store(at, 2, array(r0[2], r1[2], r2[2], r3[2], r4[2], r5[2]));
    store(at, 3, array(r0[3], r1[3], r2[3], r3[3], r4[3], r5[3]));
    store(at, 4, array(r0[4], r1[4], r2[4], r3[4], r4[4], r5[4]));
    store(at, 5, array(r0[5], r1[5], r2[5], r3[5], r4[5], r5[5]));
}
