// Computes  y[n,c,p,q] = b[c] + sum_{u,v} x[n,c,i,j] * w[c,0,u,v] over the taps for which i * SY + u = p + top and j * SX + v =
//           q + left have solutions in x, two a side at most; negative ones made zero if RELU. One channel a group: what
//           bilinear upsampling is.
// Layout    x: N x C x H x W; w: C x 1 x KH x KW; b: C; y: N x C x OH x OW. Or x and y in f16, two channels a word.
// Bindings  0 params; 1 x; 2 w; 3 b, read if BIAS; 4 y; 5 overflow, where y is f16.
// Overrides KH KW SY SX (kernel, stride); BIAS, RELU; ROWS, phases of rows that an invocation computes, and COLUMNS, of columns,
//           which divide SX; TILE_COLUMNS (1, 2 or 4), columns of the four cells that it computes at once; WHOLE, whether all
//           of them have four taps always: KH = 2*SY, KW = 2*SX and tiles that divide SX; WORKGROUP, the invocations of a
//           workgroup.
// Dispatch  An invocation computes ROWS by COLUMNS cells (words of two channels) between the same four cells of x: on CPU
//           drivers all SX columns, so that the invocations of a workgroup share the weights that they read; on GPUs few, so
//           that they write neighbouring cells. A workgroup computes such a strip of one plane and row; then strips of a row,
//           rows, planes; `tiles` workgroups have work. Folded.
// Limits    KH <= 2*SY, KW <= 2*SX, dilation 1. Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of y, once.
// Order     One f32 accumulator: the four taps as in `blend`, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, conv_transpose2d/blend.wgsl, conv_transpose2d/corner_f32.wgsl,
//           conv_transpose2d/strip_f32.wgsl or convert/half_word.wgsl, conv_transpose2d/corner_half.wgsl,
//           conv_transpose2d/strip_half.wgsl
// Oracle    reference::conv_transpose2d

struct Params {
    channels: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    pad_top: u32,
    pad_left: u32,
    // Workgroups along a row, strips of rows of a plane, workgroups in all.
    column_tiles: u32,
    strips: u32,
    tiles: u32,
}

override BIAS: bool;
override ROWS: u32;
override COLUMNS: u32;
override WORKGROUP: u32 = 8;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;

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
    let number = tile % params.column_tiles * WORKGROUP + invocation;
    let j = number / (SX / COLUMNS);
    let first_v = number % (SX / COLUMNS) * COLUMNS;
    let strip = tile / params.column_tiles % params.strips;
    let plane = tile / params.column_tiles / params.strips;
    // Rows p + top from first_row on, all of them between the same rows of x.
    let first_row = strip * ROWS;
    let i = first_row / SY;
    let first_u = first_row % SY;
    let own = strip_of(plane, i, j);

    for (var k = 0u; k < ROWS; k += 4 / TILE_COLUMNS) {
        for (var v = first_v; v < first_v + COLUMNS; v += TILE_COLUMNS) {
            let taps = taps_from(first_u + k, v);
            let values = weigh(own, taps);
            let kept = kept_cells(plane, i, j, first_u + ROWS, taps);
            if kept.stored.x { put(kept.at.x, values.x); }
            if kept.stored.y { put(kept.at.y, values.y); }
            if kept.stored.z { put(kept.at.z, values.z); }
            if kept.stored.w { put(kept.at.w, values.w); }
        }
    }
}
