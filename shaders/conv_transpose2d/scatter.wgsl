// Computes  y[n,o, i*SY + u*DY - top, j*SX + v*DX - left] += sum_c x[n,c,i,j] * w[c,o,u,v] for every cell of x and every tap
//           whose target lies inside y.
// Layout    x: N x Cin x H x W; w: Cin x Cout/groups x KH x KW; y: N x Cout x OH x OW.
// Bindings  0 params; 1 x; 2 w, the rows of this dispatch's input channels from word weight_offset on; 3 y, of zeros or
//           of what other dispatches added.
// Overrides KH KW SY SX DY DX (kernel, stride, dilation); CHANNELS, how many an invocation computes; WORKGROUP, the
//           invocations of a workgroup.
// Dispatch  A workgroup scatters WORKGROUP cells of one image to CHANNELS output channels, an invocation one cell to all
//           CHANNELS. Cells vary fastest, then channels, then images; `tiles` workgroups have work. Folded.
// Limits    CHANNELS is 1 to MOST_CHANNELS. Each operand has fewer than 2^31 elements.
// Writes    Adds to the cells of this dispatch's groups; cells that no tap reaches stay as they are.
// Order     For one cell and tap, c ascending in one f32 accumulator; the additions to y in any order, so that two runs may
//           differ in rounding.
// Uses      common/index.wgsl, common/taps.wgsl, and conv_transpose2d/add_float.wgsl or conv_transpose2d/add_exchange.wgsl
// Oracle    reference::conv_transpose2d, after conv_transpose2d/finish

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
    // Workgroups along the cells of a plane of x, the channels of a group, all channels; and in all.
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
override CHANNELS: u32;
override WORKGROUP: u32 = 64;

// Length of the private arrays; the host's constant of this name is compared with it.
const MOST_CHANNELS = 8u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let tile = flat_workgroup(workgroup, workgroups);
    let cells = params.in_h * params.in_w;
    let cell = tile % params.cell_tiles * WORKGROUP + invocation;
    if tile >= params.tiles || cell >= cells {
        return;
    }
    let channel_tile = tile / params.cell_tiles % params.channel_tiles;
    let n = tile / params.cell_tiles / params.channel_tiles;
    let group = channel_tile / params.group_tiles;
    let channel = channel_tile % params.group_tiles * CHANNELS;
    let channels = min(params.group_outputs - channel, CHANNELS);

    // The window of y that this cell reaches, clipped.
    let row = cell / params.in_w * SY;
    let column = cell % params.in_w * SX;
    let rows = taps_inside(row, row, params.pad_top, params.out_h, DY, KH);
    let columns = taps_inside(column, column, params.pad_left, params.out_w, DX, KW);

    let first_x = (n * params.in_channels + params.first_input + group * params.group_inputs) * cells + cell;
    let first_w = params.weight_offset + (group * params.group_inputs * params.group_outputs + channel) * KH * KW;
    let out_channel = (params.first_group + group) * params.group_outputs + channel;
    for (var u = rows.x; u < rows.y; u++) {
        for (var v = columns.x; v < columns.y; v++) {
            var sums = array<f32, MOST_CHANNELS>();
            for (var c = 0u; c < params.group_inputs; c++) {
                let value = x[first_x + c * cells];
                let tap = first_w + (c * params.group_outputs * KH + u) * KW + v;
                // Channels past the group's last read the last one's weights, and are not added.
                for (var k = 0u; k < CHANNELS; k++) {
                    sums[k] += value * w[tap + min(k, channels - 1) * KH * KW];
                }
            }
            let out_row = row + u * DY - params.pad_top;
            let out_column = column + v * DX - params.pad_left;
            for (var k = 0u; k < CHANNELS; k++) {
                if k < channels {
                    let plane = n * params.out_channels + out_channel + k;
                    add((plane * params.out_h + out_row) * params.out_w + out_column, sums[k]);
                }
            }
        }
    }
}
