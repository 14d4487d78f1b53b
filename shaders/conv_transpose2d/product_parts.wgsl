// Computes  y[n,o,p,q] = b[o] + sum_c x[n,c,0,0] * w[c,o,u,v] where u * DY = p + top and v * DX = q + left have solutions,
//           negative ones made zero if RELU: as conv_transpose2d/product, with each sum in parts.
// Layout    x: N x Cin; p: weights as conv_transpose2d/pack leaves them; b: Cout; y: N x Cout x OH x OW. Or x and p in f16: two
//           channels a word, weights as conv_transpose2d/pack_half leaves them.
// Bindings  0 params; 1 x; 2 p, this dispatch's blocks; 3 b, read if BIAS; 4 y.
// Overrides KH KW DY DX (kernel, dilation); BIAS, RELU; ROWS (8, 16, 24 or 32), output channels of a block; WORKGROUP, the
//           invocations of a workgroup: a multiple of eight, at least ROWS.
// Dispatch  A workgroup computes the ROWS channels of a block at one cell of one image: invocation 8 s + r takes channels r, r + 8,
//           ... over every WORKGROUP/8-th four input channels from the s-th on. Cells vary fastest, then blocks, images; `tiles`
//           workgroups have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's blocks, once.
// Order     Four f32 accumulators a channel and invocation, one for every fourth c, ascending; their sum; then those of the
//           invocations, ascending; the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, conv_transpose2d/product_f32.wgsl or conv_transpose2d/product_half.wgsl,
//           conv_transpose2d/product_cell.wgsl
// Oracle    reference::conv_transpose2d
//
// Why: each weight is used once an image, so that the memory's speed is the limit, and a GPU's memory answers at that speed
// only where megabytes of loads are under way. A lane that sums all input channels by itself has one four of them under way;
// sixteen lanes have sixteen. Neighbours read neighbouring weights.

override WORKGROUP: u32 = 128;

// The sums of each invocation, up to four channels.
var<workgroup> parts: array<vec4<f32>, WORKGROUP>;

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
    let cell = cell_at(tile);
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    var s2 = vec4<f32>();
    var s3 = vec4<f32>();
    if cell.reached {
        let first = cell.weights + invocation % 8;
        for (var q = invocation / 8; q < cell.quads; q += WORKGROUP / 8) {
            let value = inputs_at(cell.n, cell.group, q);
            let i = first + q * ROWS;
            s0 = fma(weights_at(i), value, s0);
            if ROWS > 8 { s1 = fma(weights_at(i + 8), value, s1); }
            if ROWS > 16 { s2 = fma(weights_at(i + 16), value, s2); }
            if ROWS > 24 { s3 = fma(weights_at(i + 24), value, s3); }
        }
    }
    let one = vec4(1.0);
    parts[invocation] = vec4(dot(s0, one), dot(s1, one), dot(s2, one), dot(s3, one));
    workgroupBarrier();

    // The first ROWS invocations add up a channel each.
    if invocation >= ROWS {
        return;
    }
    var sum = 0.0;
    for (var part = invocation % 8; part < WORKGROUP; part += 8u) {
        sum += parts[part][invocation / 8];
    }
    store(cell, invocation, sum);
}
