// Computes  d[p,c,t] = (B^T z B)[p] for each tile t, with z the 4x4 cells of x[n,c] from which F(2x2, 3x3) makes 2x2 cells
//           of the output, zero outside x, and p the position in the 4x4 result, row by row.
// Layout    x: N x Cin x H x W; d: 16 x channels x tiles, each group with whole fours of channels, those past its last zero.
// Bindings  0 params; 1 x; 2 d.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation transforms one tile of one channel; tiles vary fastest. tiles * channels have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every element of d, once; tiles past last_tile repeat it.
// Order     Along each row of z, then along each column of the result.
// Uses      common/index.wgsl, conv2d/winograd_cells.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_f2_output
//
// B^T is that of Lavin and Gray, "Fast algorithms for convolutional neural networks" (2015), section 4.1.

override WORKGROUP: u32 = 64;

// B^T z for one row or column z.
fn transform(z: vec4<f32>) -> vec4<f32> {
    return vec4(z.x - z.z, z.y + z.z, z.z - z.y, z.y - z.w);
}

fn row(plane: u32, y: u32, x: u32) -> vec4<f32> {
    return transform(vec4(cell(plane, y, x), cell(plane, y, x + 1), cell(plane, y, x + 2), cell(plane, y, x + 3)));
}

// Stores the transform of column j at positions j, j + 4, and so on; `at` is d[0, c, t].
fn store(at: u32, j: u32, z: vec4<f32>) {
    let step = params.channels * params.tiles;
    let column = transform(z);
    d[at + j * step] = column.x;
    d[at + (j + 4) * step] = column.y;
    d[at + (j + 8) * step] = column.z;
    d[at + (j + 12) * step] = column.w;
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
        for (var p = 0u; p < 16; p++) {
            d[at + p * params.channels * params.tiles] = 0.0;
        }
        return;
    }
    let tile = min(params.first_tile + at % params.tiles, params.last_tile);
    let within = tile % params.image_tiles;
    let y0 = within / params.tile_columns * 2 - params.pad_top;
    let x0 = within % params.tile_columns * 2 - params.pad_left;
    let channel = c / params.group_channels * params.group_inputs + within_group;
    let plane = (tile / params.image_tiles * params.in_channels + channel) * params.in_h * params.in_w;
    let r0 = row(plane, y0, x0);
    let r1 = row(plane, y0 + 1, x0);
    let r2 = row(plane, y0 + 2, x0);
    let r3 = row(plane, y0 + 3, x0);
    store(at, 0, vec4(r0.x, r1.x, r2.x, r3.x));
    store(at, 1, vec4(r0.y, r1.y, r2.y, r3.y));
    store(at, 2, vec4(r0.z, r1.z, r2.z, r3.z));
    store(at, 3, vec4(r0.w, r1.w, r2.w, r3.w));
}
