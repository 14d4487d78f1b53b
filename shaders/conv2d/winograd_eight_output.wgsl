// Computes  z[n,o] = b[o] + A^T m[.,o,t] A for the MH x MW cells of each tile t, as many as there are, negative ones made
//           zero if RELU: the end of F(MH x MW, KH x KW) with KH = 9 - MH and KW = 9 - MW. y is z, or its maxima over 2x2 windows of
//           step 2 (conv2d/maxima), of which a tile of even extent holds whole ones.
// Layout    m: 64 x channels x tiles; b: Cout; z: N x Cout x OH x OW; y: as z, or N x Cout x PH x PW, and switches like it.
// Bindings  0 params; 1 m; 2 b, read if BIAS; 3 y; with conv2d/maxima 4 switches, written if SWITCHES.
// Overrides MH, MW, output cells of a tile along each axis (2 to 7); BIAS, RELU; with conv2d/maxima SWITCHES, COMPACT; WORKGROUP, the
//           invocations of a workgroup.
// Dispatch  An invocation makes one tile of one channel; tiles vary fastest. count * out_channels have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of y that lies in this dispatch's tiles, once.
// Order     Along each row of m, then along each column of the result, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/rank.wgsl, conv2d/inverse.wgsl, conv2d/cells.wgsl,
//           conv2d/winograd_eight_inverse.wgsl, conv2d/winograd_eight_cells.wgsl, conv2d/maxima.wgsl, conv2d/winograd_eight_windows.wgsl
// Oracle    reference::conv2d

override WORKGROUP: u32 = 64;

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
    let y0 = within / params.tile_columns * MH;
    let x0 = within % params.tile_columns * MW;
    let plane = tile / params.image_tiles * params.out_channels + o;
    let offset = bias(o);
    let r0 = row(at, 0);
    let r1 = row(at, 1);
    let r2 = row(at, 2);
    let r3 = row(at, 3);
    let r4 = row(at, 4);
    let r5 = row(at, 5);
    let r6 = row(at, 6);
    let r7 = row(at, 7);
    let c0 = transform(array(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0], r6[0], r7[0]), MH);
    let c1 = transform(array(r0[1], r1[1], r2[1], r3[1], r4[1], r5[1], r6[1], r7[1]), MH);
    store_columns(plane, y0, x0, c0, c1, 0, offset);
    if MW > 2 {
        let c2 = transform(array(r0[2], r1[2], r2[2], r3[2], r4[2], r5[2], r6[2], r7[2]), MH);
        let c3 = transform(array(r0[3], r1[3], r2[3], r3[3], r4[3], r5[3], r6[3], r7[3]), MH);
        store_columns(plane, y0, x0, c2, c3, 2, offset);
    }
    if MW > 4 {
        let c4 = transform(array(r0[4], r1[4], r2[4], r3[4], r4[4], r5[4], r6[4], r7[4]), MH);
        let c5 = transform(array(r0[5], r1[5], r2[5], r3[5], r4[5], r5[5], r6[5], r7[5]), MH);
        store_columns(plane, y0, x0, c4, c5, 4, offset);
    }
    if MW > 6 {
        let c6 = transform(array(r0[6], r1[6], r2[6], r3[6], r4[6], r5[6], r6[6], r7[6]), MH);
        store_columns(plane, y0, x0, c6, c6, 6, offset);
    }
}
