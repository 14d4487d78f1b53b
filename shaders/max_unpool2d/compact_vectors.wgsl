// Computes  y[n,c, 2i + s/2, 2j + s%2] = x[n,c,i,j] with s = switches[n,c,i,j]; 0 elsewhere.
// Layout    x: planes of words, f32 or two channels in f16, as bits; switches: NCHW, two bits each, 16 of a row in a word, the
//           first in its lowest bits, rows of whole words; y like x, rows of whole fours, twice the rows and columns or one
//           more or fewer.
// Bindings  0 params; 1 x; 2 switches; 3 y.
// Overrides WINDOWS, those of an invocation: 16, or 2, so that neighbours write neighbouring cells; WORKGROUP, the invocations of
//           a workgroup.
// Dispatch  One invocation two rows of y under WINDOWS windows, whose switches are in one word a channel; folded.
// Limits    Every switch names a cell inside y; fewer than 2^31 elements.
// Writes    Every word of y, once: no clearing pass.
// Order     Any: windows do not overlap.
// Uses      common/index.wgsl, common/planes_f32.wgsl, common/planes_half.wgsl, common/vectors.wgsl, common/vectors_u64.wgsl,
//           max_unpool2d/compact.wgsl
// Oracle    reference::max_unpool2d

override WORKGROUP: u32 = 64;

@group(0) @binding(1) var<storage, read> x: array<Pair>;
@group(0) @binding(3) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index < params.invocations {
        unpool_part(index);
    }
}

// Two words from this window on of the row of x that begins at `row`.
fn two_of_row(row: u32, window: u32) -> vec2<u32> {
    return pair_words(x[(row + window) / 2]);
}

fn store_four(row: u32, column: u32, values: vec4<u32>) {
    y[(row + column) / 4] = to_quad(values);
}
