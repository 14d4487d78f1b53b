// Computes  y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*SY + u*DY - top, j*SX + v*DX - left] * w[o,c,u,v], negative ones
//           made zero if RELU; cells outside x count as zero, and are not visited. If ACCUMULATE, the sums start from what y holds.
// Layout    x: N x Cin x H x W; w: channels x Cin/groups x KH x KW; b: Cout; y: N x Cout x OH x OW.
// Bindings  0 params; 1 x; 2 w, the rows of this dispatch's channels from word weight_offset on; 3 b, read if BIAS; 4 y.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation), BIAS, RELU, ACCUMULATE; CHANNELS, how many an invocation
//           computes; WORKGROUP, the invocations of a workgroup.
// Dispatch  A workgroup computes WORKGROUP cells of CHANNELS output channels of one image, an invocation one cell of all
//           CHANNELS. Cells vary fastest, then channels, then images; `tiles` workgroups have work. Folded.
// Limits    CHANNELS is 1 to MOST_CHANNELS. Each operand has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's channels, once.
// Order     One f32 accumulator a channel: c, then u, then v ascending, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, common/taps.wgsl, conv2d/direct_operands.wgsl, conv2d/operands_f32.wgsl,
//           conv2d/result_f32.wgsl
// Oracle    reference::conv2d

override BIAS: bool;
override ACCUMULATE: bool;
override CHANNELS: u32;

// Length of the private arrays; the host's constant of this name is compared with it.
const MOST_CHANNELS = 8u;

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

    // The workgroup's cells, and the taps that any of them has inside x. The loops run over these, so that their counters
    // and the weights are the same for all invocations; each then skips the taps that its own window has outside.
    let cells = params.out_h * params.out_w;
    let first_cell = tile % params.cell_tiles * WORKGROUP;
    let last_cell = min(first_cell + WORKGROUP, cells) - 1;
    let first_row = first_cell / params.out_w;
    let last_row = last_cell / params.out_w;
    let one_row = first_row == last_row;
    let first_column = select(0u, first_cell % params.out_w, one_row);
    let last_column = select(params.out_w - 1, last_cell % params.out_w, one_row);
    let rows = taps_inside(first_row * SY, last_row * SY, params.pad_top, params.in_h, DY, KH);
    let columns = taps_inside(first_column * SX, last_column * SX, params.pad_left, params.in_w, DX, KW);

    let cell = first_cell + invocation;
    if cell >= cells {
        return;
    }
    let row = cell / params.out_w * SY;
    let column = cell % params.out_w * SX;
    let own_rows = taps_inside(row, row, params.pad_top, params.in_h, DY, KH);
    let own_columns = taps_inside(column, column, params.pad_left, params.in_w, DX, KW);

    // Where each channel's weights start, and its sum so far. Channels past the group's last repeat it, and are not stored.
    let first_weights = group * params.group_outputs + channel;
    let out_channel = params.first_channel + first_weights;
    let first_word = (n * params.out_channels + out_channel) * cells + cell;
    var weights: array<u32, MOST_CHANNELS>;
    var sums: array<f32, MOST_CHANNELS>;
    for (var k = 0u; k < CHANNELS; k++) {
        let present = min(k, channels - 1);
        weights[k] = params.weight_offset + (first_weights + present) * params.group_inputs * KH * KW;
        if ACCUMULATE {
            sums[k] = y[first_word + present * cells];
        }
    }

    let first_plane = n * params.in_channels + (params.first_group + group) * params.group_inputs;
    for (var c = params.first_input; c < params.end_input; c++) {
        for (var u = rows.x; u < rows.y; u++) {
            if u < own_rows.x || u >= own_rows.y {
                continue;
            }
            let in_row = (first_plane + c) * params.in_h + row + u * DY - params.pad_top;
            for (var v = columns.x; v < columns.y; v++) {
                if v < own_columns.x || v >= own_columns.y {
                    continue;
                }
                let value = x[in_row * params.in_w + column + v * DX - params.pad_left];
                let tap = (c * KH + u) * KW + v;
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
            y[first_word + k * cells] = activate(sum);
        }
    }
}
