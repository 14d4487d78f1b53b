// Computes  y[n,o,i,j] = b[o] + sum_k z[k,n,o,i,j], negative ones made zero if RELU: the end of sums that were taken in parts.
// Layout    z: parts x N x Cout x OH x OW; b: Cout; y: N x Cout x OH x OW.
// Bindings  0 params; 1 z; 2 b, read if BIAS; 3 y.
// Overrides BIAS, RELU; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation an element of y, or four in a row, folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. For fours the cells of a plane are a multiple of four.
// Writes    Every element of y, once.
// Order     Parts ascending, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, conv2d/parts.wgsl, conv2d/parts_scalars.wgsl or conv2d/parts_vectors.wgsl
// Oracle    reference::conv2d

@group(0) @binding(3) var<storage, read_write> y: array<Sums>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index >= params.words {
        return;
    }
    var sum = Sums();
    for (var k = 0u; k < params.parts; k++) {
        sum += z[k * params.elements + index];
    }
    if BIAS {
        sum += b[index / params.plane_cells % params.channels];
    }
    y[index] = activated(sum);
}
