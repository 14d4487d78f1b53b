// Uniforms and operands of the kernels for phases that share cells.

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
    // Runs of windows along a row, and of an image.
    row_runs: u32,
    runs: u32,
    // Workgroups along the runs, and in all.
    run_tiles: u32,
    tiles: u32,
}

override BIAS: bool;
override WORKGROUP: u32 = 8;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
