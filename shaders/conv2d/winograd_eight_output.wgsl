// Computes  z[n,o] = b[o] + A^T m[.,o,t] A for the MH x MW cells of each tile t, as many as there are, negative ones made zero
//           if RELU: the end of F(MH x MW, KH x KW) with KH = 9 - MH and KW = 9 - MW. y is z, or its maxima over 2x2 windows of
//           step 2 (conv2d/maxima), of which a tile of even extent holds whole ones.
// Layout    m: 64 x channels x tiles; b: Cout; z: N x Cout x OH x OW; y: as z, or N x Cout x PH x PW, and switches like it.
// Bindings  0 params; 1 m; 2 b, read if BIAS; 3 y; with conv2d/maxima 4 switches, written if SWITCHES.
// Overrides MH, MW, output cells of a tile along each axis (2 to 7); BIAS, RELU; with conv2d/maxima SWITCHES, COMPACT;
//           WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation makes one tile of one channel; tiles vary fastest. count * out_channels have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of y that lies in this dispatch's tiles, once.
// Order     Along each row of m, then along each column of the result, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/rank.wgsl, conv2d/inverse.wgsl, conv2d/cells.wgsl,
//           conv2d/winograd_eight_inverse.wgsl, conv2d/winograd_eight_cells.wgsl, conv2d/maxima.wgsl,
//           conv2d/winograd_eight_windows.wgsl
// Oracle    reference::conv2d

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let i = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if i < params.count * params.out_channels {
        make(tile_at(i));
    }
}
