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

// Rows of a block, and whether a vector has four of them of one channel rather than four channels of one row.
override ROWS: u32;
override FOUR_ROWS: bool;

// Row of its block and input channel of the i-th transformed kernel of a block or of a piece of one, with so many fours of channels.
fn row_of(i: u32) -> u32 {
    return select(i / 4 % ROWS, i % ROWS, FOUR_ROWS);
}

fn channel_of(i: u32, quads: u32) -> u32 {
    return i / 4 / ROWS % quads * 4 + select(i % 4, i / ROWS % 4, FOUR_ROWS);
}
