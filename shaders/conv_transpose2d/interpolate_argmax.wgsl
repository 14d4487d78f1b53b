// Computes  y[n,p,q] = the first c with the largest z[n,c,p,q], z being what conv_transpose2d/interpolate gives; NaNs are below all
//           numbers; 0 if all are NaN. So z, which is as many times larger as there are channels, is never written.
// Layout    x: N x C x H x W, or in f16, two channels a word; w: C x 1 x KH x KW; b: C; y: N x OH x OW, a whole number a
//           pixel, as f32.
// Bindings  0 params; 1 x; 2 w; 3 b, read if BIAS; 4 y.
// Overrides KH KW SY SX (kernel, stride); BIAS, RELU; ROWS, phases of rows that an invocation computes; TILE_COLUMNS (1, 2 or
//           4), columns of the four cells that it computes at once; WHOLE, whether all of them have four taps always: KH =
//           2*SY, KW = 2*SX and tiles that divide SX; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation classifies ROWS by SX pixels, those that lie between the same four cells of x, sixteen at a time. A
//           workgroup does such a strip of one image and row, so that its invocations share the weights that they read; then
//           strips of a row, rows, images; `tiles` workgroups have work. Folded.
// Limits    KH <= 2*SY, KW <= 2*SX, dilation 1; at most 256 channels. Each operand fits one binding and has fewer than 2^31
//           elements.
// Writes    Every pixel of y, once.
// Order     Scores as conv_transpose2d/interpolate, c ascending.
// Uses      common/index.wgsl, common/activation.wgsl, common/rank.wgsl, argmax_channels/best.wgsl, conv_transpose2d/blend.wgsl,
//           conv_transpose2d/corner_f32.wgsl or conv_transpose2d/corner_half.wgsl
// Oracle    reference::argmax_channels of reference::conv_transpose2d

struct Params {
    channels: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    pad_top: u32,
    pad_left: u32,
    // Workgroups along a row of cells of x, strips of rows of an image, workgroups in all.
    column_tiles: u32,
    strips: u32,
    tiles: u32,
}

override BIAS: bool;
override ROWS: u32;
override WORKGROUP: u32 = 8;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let tile = flat_workgroup(workgroup, workgroups);
    if tile >= params.tiles {
        return;
    }
    let j = tile % params.column_tiles * WORKGROUP + invocation;
    let strip = tile / params.column_tiles % params.strips;
    let n = tile / params.column_tiles / params.strips;
    let i = strip * ROWS / SY;
    let first_u = strip * ROWS % SY;

    let tile_rows = 4 / TILE_COLUMNS;
    for (var u = first_u; u < first_u + ROWS; u += 4 * tile_rows) {
        for (var v = 0u; v < SX; v += TILE_COLUMNS) {
            var best0 = no_class();
            var best1 = no_class();
            var best2 = no_class();
            var best3 = no_class();
            for (var c = 0u; c < params.channels; c++) {
                let corner = channel_corner(n, c, i, j);
                best0 = after_channel(best0, scores(corner, c, taps_from(u, v)), c);
                best1 = after_channel(best1, scores(corner, c, taps_from(u + tile_rows, v)), c);
                best2 = after_channel(best2, scores(corner, c, taps_from(u + 2 * tile_rows, v)), c);
                best3 = after_channel(best3, scores(corner, c, taps_from(u + 3 * tile_rows, v)), c);
            }
            let end = first_u + ROWS;
            store(kept_cells(n, i, j, end, taps_from(u, v)), best0.labels);
            store(kept_cells(n, i, j, end, taps_from(u + tile_rows, v)), best1.labels);
            store(kept_cells(n, i, j, end, taps_from(u + 2 * tile_rows, v)), best2.labels);
            store(kept_cells(n, i, j, end, taps_from(u + 3 * tile_rows, v)), best3.labels);
        }
    }
}

fn scores(corner: Corner, channel: u32, taps: Taps) -> vec4<f32> {
    let sums = blend(corner, channel, taps);
    var offset = 0.0;
    if BIAS {
        offset = b[channel];
    }
    return vec4(
        activate(sums.x + offset),
        activate(sums.y + offset),
        activate(sums.z + offset),
        activate(sums.w + offset),
    );
}

fn store(kept: Kept, labels: vec4<u32>) {
    let values = vec4<f32>(labels);
    if kept.stored.x { y[kept.at.x] = values.x; }
    if kept.stored.y { y[kept.at.y] = values.y; }
    if kept.stored.z { y[kept.at.z] = values.z; }
    if kept.stored.w { y[kept.at.w] = values.w; }
}
