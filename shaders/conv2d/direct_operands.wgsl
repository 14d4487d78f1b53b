// Uniforms and operands, but for the maps, of the kernels that compute a convolution by its definition.

struct Params {
    in_channels: u32,
    in_h: u32,
    in_w: u32,
    out_channels: u32,
    out_h: u32,
    out_w: u32,
    pad_top: u32,
    pad_left: u32,
    // What this dispatch covers: groups from first_group on, of which it computes group_outputs channels each, from
    // first_channel on; every one of them sums over inputs first_input to end_input of its group's group_inputs.
    group_inputs: u32,
    first_input: u32,
    end_input: u32,
    group_outputs: u32,
    first_group: u32,
    first_channel: u32,
    weight_offset: u32,
    // Workgroups along the cells of a plane, the channels of a group, all channels; and in all.
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
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
