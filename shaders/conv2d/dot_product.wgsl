// Computes  y[n,o] = b[o] + sum_k x[n,g,k] * w[o,k], negative ones made zero if RELU: the convolution by a kernel that covers its
//           map, which has one cell. k runs over the input channels, rows and columns of o's group g.
// Layout    x: N x groups x row_terms; w: the rows of Cout x row_terms that this dispatch binds, from word weight_offset on; b:
//           Cout; y: N x Cout. Or x and w in f16, of one group: two channels a word, weights as conv2d/pack_half leaves them with
//           one row a block, of which a term is four channels.
// Bindings  0 params; 1 x; 2 w; 3 b, read if BIAS; 4 y.
// Overrides BIAS, RELU; WORKGROUP, the invocations of a workgroup.
// Dispatch  A workgroup makes eight channels of a group, or what is left of it, of one image; its invocations take every
//           WORKGROUP-th term. Images vary fastest, then eights of channels, then groups; `tiles` workgroups have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every element of y whose channel's row is bound, once.
// Order     An accumulator an invocation and channel, k ascending; then those of the invocations, ascending; the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, conv2d/dot_product_f32.wgsl or conv2d/dot_product_half.wgsl
// Oracle    reference::conv2d
//
// Why: each weight is used once an image, so that the memory's speed is the limit. Neighbours read neighbouring words, and rows
// are read from their first word to their last, in f32 as they lie in a file: nothing is packed. A barrier costs a CPU driver all lanes'
// state, but here only once for thousands of products.

struct Params {
    // Terms of a sum.
    row_terms: u32,
    weight_offset: u32,
    images: u32,
    // Words of x: an image's and a group's.
    image_words: u32,
    group_words: u32,
    // Cells of x's map.
    plane: u32,
    out_channels: u32,
    // Channels of a group in this dispatch, and eights of them.
    group_rows: u32,
    group_tiles: u32,
    // This dispatch's first group and channel.
    first_group: u32,
    first_channel: u32,
    tiles: u32,
}

override BIAS: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// The sums of each invocation, four channels a vector.
var<workgroup> low: array<vec4<f32>, WORKGROUP>;
var<workgroup> high: array<vec4<f32>, WORKGROUP>;

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
    let n = tile % params.images;
    let row = tile / params.images % params.group_tiles * 8;
    let group = tile / params.images / params.group_tiles;

    // Rows past the group's last repeat it.
    let rows = group * params.group_rows + min(row + vec4(0u, 1u, 2u, 3u), vec4(params.group_rows - 1));
    let more = group * params.group_rows + min(row + vec4(4u, 5u, 6u, 7u), vec4(params.group_rows - 1));
    let i = params.weight_offset + rows * params.row_terms;
    let j = params.weight_offset + more * params.row_terms;
    let first = n * params.image_words + (params.first_group + group) * params.group_words;
    var s = vec4<f32>();
    var t = vec4<f32>();
    for (var k = invocation; k < params.row_terms; k += WORKGROUP) {
        let value = value_at(first, k);
        s = add(s, i + k, value);
        t = add(t, j + k, value);
    }
    low[invocation] = s;
    high[invocation] = t;
    workgroupBarrier();

    // The first eight invocations add up a channel each.
    if invocation >= 8 || row + invocation >= params.group_rows {
        return;
    }
    var sum = 0.0;
    for (var lane = 0u; lane < WORKGROUP; lane++) {
        sum += select(high[lane], low[lane], invocation < 4)[invocation % 4];
    }
    let o = params.first_channel + group * params.group_rows + row + invocation;
    if BIAS {
        sum += b[o];
    }
    y[n * params.out_channels + o] = activate(sum);
}
