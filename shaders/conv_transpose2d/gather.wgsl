// Computes  y[n,o,p,q] = b[o] + sum_{c,u,v} x[n,c,i,j] * w[c,o,u,v] over the taps for which i * SY + u * DY = p + top and
//           j * SX + v * DX = q + left have solutions in x; negative ones made zero if RELU. If ACCUMULATE, the sums
//           start from what y holds.
// Layout    x: N x Cin x H x W; w: Cin x Cout/groups x KH x KW; b: Cout; y: N x Cout x OH x OW.
// Bindings  0 params; 1 x; 2 w, the rows of this dispatch's input channels from word weight_offset on; 3 b, read if BIAS;
//           4 y.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation); GY GX, the greatest common divisors of stride and dilation; IY IX,
//           the inverses of DY/GY modulo SY/GY and of DX/GX modulo SX/GX; BIAS, RELU, ACCUMULATE; CHANNELS, how many an
//           invocation computes; WORKGROUP, the invocations of a workgroup.
// Dispatch  A workgroup computes WORKGROUP cells of one phase (p mod SY, q mod SX) of CHANNELS output channels of one image,
//           an invocation one cell of all CHANNELS. Cells vary fastest, then phases, channels, images; `tiles` workgroups
//           have work. Folded.
// Limits    CHANNELS is 1 to MOST_CHANNELS. Each operand has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's groups, once.
// Order     One f32 accumulator a channel: c ascending, then u, then v descending, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/taps.wgsl, conv_transpose2d/phase.wgsl
// Oracle    reference::conv_transpose2d

struct Params {
    in_channels: u32,
    in_h: u32,
    in_w: u32,
    out_channels: u32,
    out_h: u32,
    out_w: u32,
    pad_top: u32,
    pad_left: u32,
    // What this dispatch covers: groups from first_group on, all their group_outputs, summed over group_inputs channels of
    // each, from input channel first_input on.
    group_inputs: u32,
    group_outputs: u32,
    first_group: u32,
    first_input: u32,
    weight_offset: u32,
    // Phases that the output has.
    phases_h: u32,
    phases_w: u32,
    // Workgroups along the cells of a phase, the channels of a group, all channels; and in all.
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
override GY: u32;
override GX: u32;
override IY: u32;
override IX: u32;
override BIAS: bool;
override ACCUMULATE: bool;
override CHANNELS: u32;
override WORKGROUP: u32 = 64;

// Length of the private arrays; the host's constant of this name is compared with it.
const MOST_CHANNELS = 8u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

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
    let cell_tile = tile % params.cell_tiles;
    let phases = params.phases_h * params.phases_w;
    let phase = tile / params.cell_tiles % phases;
    let channel_tile = tile / params.cell_tiles / phases % params.channel_tiles;
    let n = tile / params.cell_tiles / phases / params.channel_tiles;
    let group = channel_tile / params.group_tiles;
    let channel = channel_tile % params.group_tiles * CHANNELS;
    let channels = min(params.group_outputs - channel, CHANNELS);

    // The phase: its rows and columns in y, and its convolution.
    let phase_row = phase / params.phases_w;
    let phase_column = phase % params.phases_w;
    let phase_h = (params.out_h - phase_row + SY - 1) / SY;
    let phase_w = (params.out_w - phase_column + SX - 1) / SX;
    let vertical = phase_of(phase_row + params.pad_top, KH, SY, DY, GY, IY);
    let horizontal = phase_of(phase_column + params.pad_left, KW, SX, DX, GX, IX);

    // The workgroup's cells, and the taps that any of them has inside x. The loops run over these, so that their counters
    // and the weights are the same for all invocations; each then skips the taps that its own window has outside.
    let cells = phase_h * phase_w;
    let first_cell = cell_tile * WORKGROUP;
    if first_cell >= cells {
        return;
    }
    let last_cell = min(first_cell + WORKGROUP, cells) - 1;
    let first_row = vertical.start + first_cell / phase_w;
    let last_row = vertical.start + last_cell / phase_w;
    let one_row = first_row == last_row;
    let first_column = horizontal.start + select(0u, first_cell % phase_w, one_row);
    let last_column = horizontal.start + select(phase_w - 1, last_cell % phase_w, one_row);
    let rows = taps_inside(first_row, last_row, vertical.before, params.in_h, DY / GY, vertical.taps);
    let columns = taps_inside(first_column, last_column, horizontal.before, params.in_w, DX / GX, horizontal.taps);

    let cell = first_cell + invocation;
    if cell >= cells {
        return;
    }
    let row = vertical.start + cell / phase_w;
    let column = horizontal.start + cell % phase_w;
    let own_rows = taps_inside(row, row, vertical.before, params.in_h, DY / GY, vertical.taps);
    let own_columns = taps_inside(column, column, horizontal.before, params.in_w, DX / GX, horizontal.taps);

    // Where each channel's weights start in a row of w, and its sum so far. Channels past the group's last repeat it, and are
    // not stored.
    let out_channel = (params.first_group + group) * params.group_outputs + channel;
    let out_plane = params.out_h * params.out_w;
    let out_row = phase_row + cell / phase_w * SY;
    let out_column = phase_column + cell % phase_w * SX;
    let first_word = (n * params.out_channels + out_channel) * out_plane + out_row * params.out_w + out_column;
    var weights: array<u32, MOST_CHANNELS>;
    var sums: array<f32, MOST_CHANNELS>;
    for (var k = 0u; k < CHANNELS; k++) {
        let present = min(k, channels - 1);
        weights[k] = (channel + present) * KH * KW;
        if ACCUMULATE {
            sums[k] = y[first_word + present * out_plane];
        }
    }

    let first_plane = n * params.in_channels + params.first_input + group * params.group_inputs;
    for (var c = 0u; c < params.group_inputs; c++) {
        let w_row = params.weight_offset + (group * params.group_inputs + c) * params.group_outputs * KH * KW;
        for (var t = rows.x; t < rows.y; t++) {
            if t < own_rows.x || t >= own_rows.y {
                continue;
            }
            let in_row = (first_plane + c) * params.in_h + row + t * (DY / GY) - vertical.before;
            let u = vertical.last - t * (SY / GY);
            for (var s = columns.x; s < columns.y; s++) {
                if s < own_columns.x || s >= own_columns.y {
                    continue;
                }
                let value = x[in_row * params.in_w + column + s * (DX / GX) - horizontal.before];
                let tap = w_row + u * KW + horizontal.last - s * (SX / GX);
                for (var k = 0u; k < CHANNELS; k++) {
                    sums[k] += value * w[weights[k] + tap];
                }
            }
        }
    }

    for (var k = 0u; k < CHANNELS; k++) {
        if k < channels {
            var sum = sums[k];
            if BIAS {
                sum += b[out_channel + k];
            }
            y[first_word + k * out_plane] = activate(sum);
        }
    }
}
