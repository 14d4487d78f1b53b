// Computes  d[p,c,t] = (B^T z B)[p] for each tile t, with z the 7x7 cells of x[n,c] from which F(4x4, 4x4) makes 4x4 cells
//           of the output, zero outside x, and p the position in the 7x7 result, row by row.
// Layout    x: N x Cin x H x W; d: 49 x channels x rows x width x 4, each group with whole fours of channels, those past its last
//           zero; in a row of tiles, element k of vector v is the tile of column v + k * quarter.
// Bindings  0 params; 1 x; 2 d.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation transforms one tile of one channel; tiles vary fastest. tiles * channels have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every element of d, once.
// Order     Along each row of z, then along each column of the result.
// Uses      common/index.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_pieces_output
//
// Why: the pieces of a kernel are as far apart as tiles are, so that a piece reads, for the tile of row i and column j, the transformed
// tile of row i + its row and column j + its column. With the layout above the next column is the next vector, for all four elements.
//
// B^T is that of Cook and Toom for the points 0, 1, -1, 2, -2, 1/4 and infinity (reference/minimal_filtering.rs).

struct Params {
    in_channels: u32,
    in_h: u32,
    in_w: u32,
    pad_top: u32,
    pad_left: u32,
    // Vectors of a row of tiles; columns from one element of a vector to the next.
    width: u32,
    quarter: u32,
    // Rows of tiles of an image.
    image_rows: u32,
    // This dispatch's tiles: the first row, counted over the whole batch, and how many.
    first_row: u32,
    tiles: u32,
    // Channels of d; a group's, in x and in d, where they are a multiple of four.
    channels: u32,
    group_inputs: u32,
    group_channels: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> d: array<f32>;

// B^T z for one row or column z: that of F(4x4, 3x3) over the six differences z[i+1] - z[i] / 4, in whose polynomials the point 1/4
// is a root, and between its last two the one polynomial without that root.
fn transform(z: array<f32, 7>) -> array<f32, 7> {
    let s0 = fma(-0.25, z[0], z[1]);
    let s1 = fma(-0.25, z[1], z[2]);
    let s2 = fma(-0.25, z[2], z[3]);
    let s3 = fma(-0.25, z[3], z[4]);
    let s4 = fma(-0.25, z[4], z[5]);
    let s5 = fma(-0.25, z[5], z[6]);
    let a = fma(-4.0, s2, s4);
    let b = fma(-4.0, s1, s3);
    let c = s4 - s2;
    let e = 2.0 * (s3 - s1);
    return array(
        fma(4.0, s0, fma(-5.0, s2, s4)), a + b, a - b, c + e, c - e,
        fma(4.0, z[1], fma(-5.0, z[3], z[5])), fma(4.0, s1, fma(-5.0, s3, s5)),
    );
}

// A row or column before the first wraps around to a number beyond the last.
fn cell(plane: u32, row: u32, column: u32) -> f32 {
    let inside = row < params.in_h && column < params.in_w;
    return select(0.0, x[plane + select(0, row * params.in_w + column, inside)], inside);
}

fn row(plane: u32, y: u32, x: u32) -> array<f32, 7> {
    return transform(array(
        cell(plane, y, x), cell(plane, y, x + 1), cell(plane, y, x + 2), cell(plane, y, x + 3),
        cell(plane, y, x + 4), cell(plane, y, x + 5), cell(plane, y, x + 6),
    ));
}

// Stores the transform of column j at positions j, j + 7, and so on; `at` is d[0, c, t].
fn store(at: u32, j: u32, z: array<f32, 7>) {
    let step = params.channels * params.tiles;
    let column = transform(z);
    d[at + j * step] = column[0];
    d[at + (j + 7) * step] = column[1];
    d[at + (j + 14) * step] = column[2];
    d[at + (j + 21) * step] = column[3];
    d[at + (j + 28) * step] = column[4];
    d[at + (j + 35) * step] = column[5];
    d[at + (j + 42) * step] = column[6];
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
        for (var p = 0u; p < 49; p++) {
            d[at + p * params.channels * params.tiles] = 0.0;
        }
        return;
    }
    let vector = at % params.tiles / 4;
    let tile_row = params.first_row + vector / params.width;
    let tile_column = vector % params.width + at % 4 * params.quarter;
    let y0 = tile_row % params.image_rows * 4 - params.pad_top;
    let x0 = tile_column * 4 - params.pad_left;
    let channel = c / params.group_channels * params.group_inputs + within_group;
    let plane = (tile_row / params.image_rows * params.in_channels + channel) * params.in_h * params.in_w;
    let r0 = row(plane, y0, x0);
    let r1 = row(plane, y0 + 1, x0);
    let r2 = row(plane, y0 + 2, x0);
    let r3 = row(plane, y0 + 3, x0);
    let r4 = row(plane, y0 + 4, x0);
    let r5 = row(plane, y0 + 5, x0);
    let r6 = row(plane, y0 + 6, x0);
    store(at, 0, array(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0], r6[0]));
    store(at, 1, array(r0[1], r1[1], r2[1], r3[1], r4[1], r5[1], r6[1]));
    store(at, 2, array(r0[2], r1[2], r2[2], r3[2], r4[2], r5[2], r6[2]));
    store(at, 3, array(r0[3], r1[3], r2[3], r3[3], r4[3], r5[3], r6[3]));
    store(at, 4, array(r0[4], r1[4], r2[4], r3[4], r4[4], r5[4], r6[4]));
    store(at, 5, array(r0[5], r1[5], r2[5], r3[5], r4[5], r5[5], r6[5]));
    store(at, 6, array(r0[6], r1[6], r2[6], r3[6], r4[6], r5[6], r6[6]));
}
