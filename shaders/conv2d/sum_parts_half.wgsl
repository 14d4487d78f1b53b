// Computes  y[n,o,i,j] = b[o] + sum_k z[k,n,o,i,j], negative ones made zero if RELU, rounded to f16: the end of sums that were
//           taken in parts.
// Layout    z: parts x N x Cout x OH x OW; b: Cout; y: N x ceil(Cout/2) x OH x OW, two channels a word, 0 beside a last odd one.
// Bindings  0 params; 1 z; 2 b, read if BIAS; 3 y; 4 overflow.
// Overrides BIAS, RELU; WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a word of y, folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every word of y, once; overflow if an element is too large.
// Order     Parts ascending, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, conv2d/parts.wgsl, conv2d/parts_scalars.wgsl, convert/half_word.wgsl
// Oracle    reference::conv2d_half_operands

@group(0) @binding(3) var<storage, read_write> y: array<u32>;
@group(0) @binding(4) var<storage, read_write> overflow: array<atomic<u32>>;

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
    let pairs = (params.channels + 1) / 2;
    let pair = index / params.plane_cells;
    let channel = pair % pairs * 2;
    let first = (pair / pairs * params.channels + channel) * params.plane_cells + index % params.plane_cells;
    // A last odd channel beside itself, which is cleared below.
    let both = channel + 1 < params.channels;
    let second = first + select(0u, params.plane_cells, both);
    var sum = vec2<f32>();
    for (var k = 0u; k < params.parts; k++) {
        sum += vec2(z[k * params.elements + first], z[k * params.elements + second]);
    }
    if BIAS {
        sum += vec2(b[channel], b[channel + u32(both)]);
    }
    y[index] = narrow(vec2(activate(sum.x), select(0.0, activate(sum.y), both)));
}
