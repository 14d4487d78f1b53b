// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], negative ones
//           made zero if RELU; cells outside x count as zero, and are not visited.
// Layout    x: N x Cin x H x W; w: channels x Cin/groups x KH x KW; b: Cout; y: N x Cout x OH x OW.
// Bindings  0 params; 1 x; 2 w, the rows of this dispatch's channels from word weight_offset on; 3 b, read if BIAS; 4 y.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU; WORKGROUP, the invocations of a workgroup.
// Dispatch  A workgroup computes WORKGROUP cells of 4 output channels of one image, an invocation one cell of all 4. Cells
//           vary fastest, then channels, then images; `tiles` workgroups have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's channels, once.
// Order     One f32 accumulator a channel: c, then u, then v ascending, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl
// Oracle    reference::conv2d

struct Params {
    in_channels: u32,
    in_h: u32,
    in_w: u32,
    out_channels: u32,
    out_h: u32,
    out_w: u32,
    pad_top: u32,
    pad_left: u32,
    // Channels a group: read and written.
    group_inputs: u32,
    group_outputs: u32,
    // What this dispatch covers: groups from first_group on, group_outputs channels each, from first_channel on.
    first_group: u32,
    first_channel: u32,
    weight_offset: u32,
    // Workgroups along the cells of a plane, along the channels of a group, along all channels, and in all.
    cell_tiles: u32,
    group_tiles: u32,
    channel_tiles: u32,
    tiles: u32,
}

override KH: u32;
override KW: u32;
override SY: u32;
override SX: u32;
override DY: u32;
override DX: u32;
override BIAS: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// Taps [x, y) of a window at `start` (in cells of the padded axis) that lie inside: before <= start + tap*dilation < end.
fn inside(start: u32, before: u32, end: u32, dilation: u32, taps: u32) -> vec2<u32> {
    let first = (max(before, start) - start + dilation - 1) / dilation;
    let last = (max(end, start) - start + dilation - 1) / dilation;
    return vec2(min(first, taps), min(last, taps));
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let tile = flat_workgroup(workgroup, workgroups);
    let cell = tile % params.cell_tiles * WORKGROUP + invocation;
    if tile >= params.tiles || cell >= params.out_h * params.out_w {
        return;
    }
    let channel_tile = tile / params.cell_tiles % params.channel_tiles;
    let n = tile / params.cell_tiles / params.channel_tiles;
    let group = channel_tile / params.group_tiles;
    let within = channel_tile % params.group_tiles * 4;
    let channels = min(params.group_outputs - within, 4u);

    let row = cell / params.out_w * SY;
    let column = cell % params.out_w * SX;
    let rows = inside(row, params.pad_top, params.pad_top + params.in_h, DY, KH);
    let columns = inside(column, params.pad_left, params.pad_left + params.in_w, DX, KW);

    // Channels past the group's last repeat it, so that the loop needs no test; they are not stored.
    let row_words = params.group_inputs * KH * KW;
    let first_row = group * params.group_outputs + within;
    let w0 = params.weight_offset + first_row * row_words;
    let w1 = w0 + min(1u, channels - 1) * row_words;
    let w2 = w0 + min(2u, channels - 1) * row_words;
    let w3 = w0 + min(3u, channels - 1) * row_words;

    var sum = vec4<f32>();
    for (var c = 0u; c < params.group_inputs; c++) {
        let plane = n * params.in_channels + (params.first_group + group) * params.group_inputs + c;
        for (var u = rows.x; u < rows.y; u++) {
            let x_row = (plane * params.in_h + row + u * DY - params.pad_top) * params.in_w + column - params.pad_left;
            let w_row = (c * KH + u) * KW;
            for (var v = columns.x; v < columns.y; v++) {
                let tap = w_row + v;
                sum += x[x_row + v * DX] * vec4(w[w0 + tap], w[w1 + tap], w[w2 + tap], w[w3 + tap]);
            }
        }
    }

    let first = params.first_channel + first_row;
    for (var k = 0u; k < channels; k++) {
        var value = sum[k];
        if BIAS {
            value += b[first + k];
        }
        y[((n * params.out_channels + first + k) * params.out_h) * params.out_w + cell] = activate(value);
    }
}
