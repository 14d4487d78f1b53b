// What conv2d/tiled, conv2d/staged and conv2d/cooperative have in common: uniforms, overrides and operands of an implicit
// matrix product, weights times the columns that im2col would write.

struct Params {
    in_channels: u32,
    in_h: u32,
    in_w: u32,
    out_channels: u32,
    out_h: u32,
    out_w: u32,
    pad_top: u32,
    pad_left: u32,
    // Channels a group: read and written; blocks a group.
    group_inputs: u32,
    group_outputs: u32,
    group_blocks: u32,
    // The first block of this dispatch, counted over all groups, and how many.
    first_block: u32,
    blocks: u32,
    // Workgroups along the cells of a plane, in all, and of a part of the sums.
    cell_tiles: u32,
    tiles: u32,
    part_tiles: u32,
    // Fours of a group's input channels that this dispatch sums over: the first, and the one after the last.
    first_quad: u32,
    end_quad: u32,
    // How many of them a part of the sums has; parts are stored one after the other, each like y.
    part_quads: u32,
    // What y is, where output channels are phases of it (conv_transpose2d/interleaved): channels, channels a group, rows,
    // columns, and rows and columns of its first phases that are cut off.
    y_channels: u32,
    y_group: u32,
    y_h: u32,
    y_w: u32,
    cut_top: u32,
    cut_left: u32,
}

override KH: u32;
override KW: u32;
override SY: u32;
override SX: u32;
override DY: u32;
override DX: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> b: array<f32>;
