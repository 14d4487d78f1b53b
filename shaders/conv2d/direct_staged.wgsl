// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], negative ones
//           made zero if RELU; cells outside x count as zero, and a window that lies outside is not visited.
// Layout    x: N x Cin x H x W; w: channels x Cin/groups x KH x KW; b: Cout; y: N x Cout x OH x OW. Or x, or x and y, in f16, two
//           channels a word.
// Bindings  0 params; 1 x; 2 w, the rows of this dispatch's channels from word weight_offset on; 3 b, read if BIAS; 4 y; 5 overflow,
//           where y is f16.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; PIECE, the input channels whose weights are staged at a time;
//           STAGED, 4 * PIECE * KH * KW; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation computes CHANNELS output channels of two cells, one below the other. Along a pair of rows invocations
//           vary fastest, then pairs of rows; of these a workgroup has WORKGROUP. Then channels, then images; `tiles` workgroups
//           have work. Folded.
// Limits    The weights of a piece fit workgroup memory. Where x is f16 a piece but the last has an even number of channels, and where y
//           is, first_channel is even. Each operand has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's channels, once; overflow if one is too large for f16.
// Order     One f32 accumulator a channel and cell: c, then u, then v ascending, the bias last. In f16 c by pairs, in which it varies
//           faster than u and v.
// Uses      common/index.wgsl, common/activation.wgsl, common/taps.wgsl, conv2d/direct_operands.wgsl, conv2d/operands_f32.wgsl,
//           conv2d/direct_cells.wgsl or conv2d/operands_half.wgsl, conv2d/direct_cells_half.wgsl, conv2d/result_f32.wgsl,
//           conv2d/direct_store.wgsl or convert/half_word.wgsl, conv2d/result_half.wgsl, conv2d/direct_store_half.wgsl
// Oracle    reference::conv2d
//
// Why: for GPUs, and few input channels, where a convolution is mostly its stores: neighbours store side by side, and a sum takes few
// registers. FCN-8s' conv1_1 takes 69 us so on an H200, whose memory takes 45 for what it stores; by conv2d/tiled, where neighbours'
// cells lie four apart, 142.

override PIECE: u32;
override STAGED: u32;

// Output channels of an invocation; the host's constant of this name is compared with it.
const CHANNELS = 16u;

// Weights of a piece, term by term: four vectors of four channels each.
var<workgroup> staged: array<vec4<f32>, STAGED>;

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
    let channel_tile = tile / params.cell_tiles % params.channel_tiles;
    let n = tile / params.cell_tiles / params.channel_tiles;
    let group = channel_tile / params.group_tiles;
    let channel = channel_tile % params.group_tiles * CHANNELS;
    let channels = min(params.group_outputs - channel, CHANNELS);
    let first_weights = group * params.group_outputs + channel;

    // Cells (i, j) and (i + 1, j). An invocation past the last computes those of the last, and stores nothing.
    let number = tile % params.cell_tiles * WORKGROUP + invocation;
    let numbers = (params.out_h + 1) / 2 * params.out_w;
    let own = min(number, numbers - 1);
    let i = own / params.out_w * 2;
    let j = own % params.out_w;
    let rows = taps_inside(i * SY, (i + 1) * SY, params.pad_top, params.in_h, DY, KH);
    let columns = taps_inside(j * SX, j * SX, params.pad_left, params.in_w, DX, KW);
    let is_inside = rows.x < rows.y && columns.x < columns.y;

    // Rows and a column of x under the first tap. Those before the first wrap around to numbers beyond the last.
    let first_rows = vec2(i * SY, (i + 1) * SY) - params.pad_top;
    let first_column = j * SX - params.pad_left;
    let in_plane = params.in_h * params.in_w;
    let first_plane = group_planes(n, params.first_group + group);
    var s0: mat4x2<f32>;
    var s1: mat4x2<f32>;
    var s2: mat4x2<f32>;
    var s3: mat4x2<f32>;
    for (var begin = params.first_input; begin < params.end_input; begin += PIECE) {
        let inputs = min(PIECE, params.end_input - begin);
        workgroupBarrier();
        stage(invocation, first_weights, channels, begin, inputs);
        workgroupBarrier();
        if is_inside {
            for (var c = 0u; c < inputs; c += WORD_CHANNELS) {
                let plane = first_plane + (begin + c) / WORD_CHANNELS * in_plane;
                for (var u = 0u; u < KH; u++) {
                    let row = first_rows + u * DY;
                    for (var v = 0u; v < KW; v++) {
                        let column = first_column + v * DX;
                        let inside = (row < vec2(params.in_h)) & vec2(column < params.in_w);
                        let at = plane + select(vec2<u32>(), row * params.in_w + column, inside);
                        let cells = channels_of(select(Words(0), vec2(x[at.x], x[at.y]), inside));
                        let term = 4 * ((c * KH + u) * KW + v);
                        s0 = four_channels(s0, staged[term], cells[0]);
                        s1 = four_channels(s1, staged[term + 1], cells[0]);
                        s2 = four_channels(s2, staged[term + 2], cells[0]);
                        s3 = four_channels(s3, staged[term + 3], cells[0]);
                        if WORD_CHANNELS == 2 && c + 1 < inputs {
                            let next = term + 4 * KH * KW;
                            s0 = four_channels(s0, staged[next], cells[1]);
                            s1 = four_channels(s1, staged[next + 1], cells[1]);
                            s2 = four_channels(s2, staged[next + 2], cells[1]);
                            s3 = four_channels(s3, staged[next + 3], cells[1]);
                        }
                    }
                }
            }
        }
    }
    if number >= numbers {
        return;
    }
    let out_channel = params.first_channel + first_weights;
    let first_word = result_planes(n, out_channel) * params.out_h * params.out_w + i * params.out_w + j;
    let place = Place(out_channel, channels, first_word, i + 1 < params.out_h);
    store_four(place, 0, s0);
    store_four(place, 4, s1);
    store_four(place, 8, s2);
    store_four(place, 12, s3);
}

// Stages the weights over so many input channels from `begin` on. Output channels past the last are the last once more, and are not
// stored. Neighbours read neighbouring terms.
fn stage(invocation: u32, first_weights: u32, channels: u32, begin: u32, inputs: u32) {
    let terms = inputs * KH * KW;
    let row_terms = params.group_inputs * KH * KW;
    for (var k = invocation; k < 4 * terms; k += WORKGROUP) {
        let four = k / terms;
        let term = k % terms;
        let rows = first_weights + min(4 * four + vec4(0u, 1u, 2u, 3u), vec4(channels - 1));
        let at = params.weight_offset + rows * row_terms + begin * KH * KW + term;
        staged[4 * term + four] = vec4(w[at.x], w[at.y], w[at.z], w[at.w]);
    }
}

// One term more of four channels' sums, a column each, for two cells.
fn four_channels(sums: mat4x2<f32>, weights: vec4<f32>, cells: vec2<f32>) -> mat4x2<f32> {
    return mat4x2(
        fma(vec2(weights.x), cells, sums[0]),
        fma(vec2(weights.y), cells, sums[1]),
        fma(vec2(weights.z), cells, sums[2]),
        fma(vec2(weights.w), cells, sums[3]),
    );
}

// Where an invocation stores: its first channel and how many it has, the word of the upper cell there, and whether there is a lower one.
struct Place {
    channel: u32,
    channels: u32,
    first_word: u32,
    has_lower: bool,
}
