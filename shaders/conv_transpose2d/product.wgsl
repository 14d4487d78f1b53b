// Computes  y[n,o,p,q] = b[o] + sum_c x[n,c,0,0] * w[c,o,u,v] where u * DY = p + top and v * DX = q + left have solutions,
//           negative ones made zero if RELU: the transposed convolution of one cell, a product of x with the weight as a
//           matrix of input channels by all else.
// Layout    x: N x Cin; p: weights as conv_transpose2d/pack leaves them; b: Cout; y: N x Cout x OH x OW. Or x and p in f16: two
//           channels a word, weights as conv_transpose2d/pack_half leaves them.
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y.
// Overrides KH KW DY DX (kernel, dilation); BIAS, RELU; ROWS (8, 16, 24 or 32), output channels of a block; WORKGROUP, the
//           invocations of a workgroup.
// Dispatch  Eight invocations compute the ROWS channels of a block at one cell of one image: the r-th does channels r, r + 8,
//           ... They vary fastest, then cells, blocks, images. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's blocks, once.
// Order     Four f32 accumulators a channel and cell, one for every fourth c, ascending; their sum, then the bias.
// Uses      common/index.wgsl, common/activation.wgsl, conv_transpose2d/product_f32.wgsl or conv_transpose2d/product_half.wgsl,
//           conv_transpose2d/product_cell.wgsl
// Oracle    reference::conv_transpose2d
//
// Why: each weight is used once an image, so that the memory's speed is the limit. The weights of a block and tap are one run
// of p, which eight neighbours read from its first word to its last; all lanes share x. For CPU drivers, which a barrier costs
// more than it saves; see product_parts.wgsl.

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index / 8 >= params.tiles {
        return;
    }
    let lane = index % 8;
    let cell = cell_at(index / 8);
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    var s2 = vec4<f32>();
    var s3 = vec4<f32>();
    if cell.reached {
        let first = cell.weights + lane;
        for (var q = 0u; q < cell.quads; q++) {
            let value = inputs_at(cell.n, cell.group, q);
            let i = first + q * ROWS;
            s0 = fma(weights_at(i), value, s0);
            if ROWS > 8 { s1 = fma(weights_at(i + 8), value, s1); }
            if ROWS > 16 { s2 = fma(weights_at(i + 16), value, s2); }
            if ROWS > 24 { s3 = fma(weights_at(i + 24), value, s3); }
        }
    }
    store(cell, lane, dot(s0, vec4(1.0)));
    if ROWS > 8 { store(cell, lane + 8, dot(s1, vec4(1.0))); }
    if ROWS > 16 { store(cell, lane + 16, dot(s2, vec4(1.0))); }
    if ROWS > 24 { store(cell, lane + 24, dot(s3, vec4(1.0))); }
}
