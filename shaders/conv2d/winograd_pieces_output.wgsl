// Computes  z[n,o] = b[o] + A^T m[.,o,t] A for the 4x4 cells of each tile t, as many as there are, negative ones made
//           zero if RELU: the end of F(4x4, 4x4). y is z, or its maxima over 2x2 windows of step 2 (conv2d/maxima).
// Layout    m: 49 x channels x tiles; in a row of tile_columns tiles, element k of vector v is the tile of column
//           v + k * tile_columns / 4; b: Cout; z: N x Cout x OH x OW; y: as z, or N x Cout x PH x PW, and switches like it.
// Bindings  0 params; 1 m; 2 b, read if BIAS; 3 y; with conv2d/maxima 4 switches, written if SWITCHES.
// Overrides BIAS, RELU; with conv2d/maxima SWITCHES, COMPACT; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation makes one tile of one channel; tiles vary fastest. count * out_channels have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of y that lies in this dispatch's tiles, once.
// Order     Along each row of m, then along each column of the result, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/rank.wgsl, conv2d/inverse.wgsl, conv2d/cells.wgsl,
//           conv2d/maxima.wgsl
// Oracle    reference::conv2d
//
// A^T is that of Cook and Toom for the points 0, 1, -1, 2, -2, 1/4 and infinity (reference/minimal_filtering.rs).

override WORKGROUP: u32 = 64;

// A^T m for one row or column m.
fn transform(m: array<f32, 7>) -> vec4<f32> {
    let a = m[1] + m[2];
    let b = m[1] - m[2];
    let c = m[3] + m[4];
    let d = m[3] - m[4];
    return vec4(
        m[0] + a + (c + m[5]),
        fma(0.25, m[5], fma(2.0, d, b)),
        fma(0.0625, m[5], fma(4.0, c, a)),
        fma(8.0, d, b) + fma(0.015625, m[5], m[6]),
    );
}

// The transform of row i; `at` is m[0, o, t].
fn row(at: u32, i: u32) -> vec4<f32> {
    let step = params.channels * params.tiles;
    let first = at + 7 * i * step;
    return transform(array(
        m[first], m[first + step], m[first + 2 * step], m[first + 3 * step],
        m[first + 4 * step], m[first + 5 * step], m[first + 6 * step],
    ));
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let i = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if i >= params.count * params.out_channels {
        return;
    }
    let o = i / params.count;
    let row_of_m = o / params.group_outputs * params.group_rows + o % params.group_outputs;
    let at = row_of_m * params.tiles + i % params.count;
    let tile = params.first_tile + i % params.count;
    let within = tile % params.image_tiles;
    let y0 = within / params.tile_columns * 4;
    let x0 = (within % params.tile_columns / 4 + within % 4 * (params.tile_columns / 4)) * 4;
    let plane = tile / params.image_tiles * params.out_channels + o;
    let offset = vec2(bias(o));
    let r0 = row(at, 0);
    let r1 = row(at, 1);
    let r2 = row(at, 2);
    let r3 = row(at, 3);
    let r4 = row(at, 4);
    let r5 = row(at, 5);
    let r6 = row(at, 6);
    let c0 = transform(array(r0.x, r1.x, r2.x, r3.x, r4.x, r5.x, r6.x));
    let c1 = transform(array(r0.y, r1.y, r2.y, r3.y, r4.y, r5.y, r6.y));
    let c2 = transform(array(r0.z, r1.z, r2.z, r3.z, r4.z, r5.z, r6.z));
    let c3 = transform(array(r0.w, r1.w, r2.w, r3.w, r4.w, r5.w, r6.w));
    store_block(plane, y0, x0, vec2(c0.x, c1.x) + offset, vec2(c0.y, c1.y) + offset);
    store_block(plane, y0, x0 + 2, vec2(c2.x, c3.x) + offset, vec2(c2.y, c3.y) + offset);
    store_block(plane, y0 + 2, x0, vec2(c0.z, c1.z) + offset, vec2(c0.w, c1.w) + offset);
    store_block(plane, y0 + 2, x0 + 2, vec2(c2.z, c3.z) + offset, vec2(c2.w, c3.w) + offset);
}
