// What the transforms of weights of minimal filtering have in common: uniforms and operands.

struct Params {
    weight_offset: u32,
    // Channels a group: read and written; blocks a group.
    group_inputs: u32,
    group_outputs: u32,
    group_blocks: u32,
    // The first block of this dispatch, counted over all groups, and the first channel; kernels in all, those that do not
    // exist included.
    first_block: u32,
    first_channel: u32,
    kernels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> u: array<f32>;
