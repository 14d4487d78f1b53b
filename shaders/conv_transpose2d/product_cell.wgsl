// A cell of the transposed convolution of a map of one cell, by a block of output channels: the tap that reaches it, and
// where its sums go. For kernels that bring `inputs_at` and `weights_at`.

struct Params {
    in_channels: u32,
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
    // Cells times blocks times images.
    tiles: u32,
}

override KH: u32;
override KW: u32;
override DY: u32;
override DX: u32;
override BIAS: bool;
override ROWS: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

struct Cell {
    n: u32,
    group: u32,
    // The block, counted within its group.
    block: u32,
    cell: u32,
    // Whether a tap reaches the cell, and if so where its weights for the block begin, in vectors.
    reached: bool,
    weights: u32,
    // Fours of input channels.
    quads: u32,
}

// Cells vary fastest, then blocks, then images.
fn cell_at(tile: u32) -> Cell {
    let cells = params.out_h * params.out_w;
    let cell = tile % cells;
    let local_block = tile / cells % params.blocks;
    let block = params.first_block + local_block;
    let row = cell / params.out_w + params.pad_top;
    let column = cell % params.out_w + params.pad_left;
    let reached = row % DY == 0 && row / DY < KH && column % DX == 0 && column / DX < KW;
    let quads = (params.group_inputs + 3) / 4;
    return Cell(
        tile / cells / params.blocks,
        block / params.group_blocks,
        block % params.group_blocks,
        cell,
        reached,
        ((local_block * KH + row / DY) * KW + column / DX) * quads * ROWS,
        quads,
    );
}

// Stores a channel of the block, if there is one.
fn store(to: Cell, row: u32, sum: f32) {
    let channel = to.block * ROWS + row;
    if channel >= params.group_outputs {
        return;
    }
    let o = to.group * params.group_outputs + channel;
    var value = sum;
    if BIAS {
        value += b[o];
    }
    y[(to.n * params.out_channels + o) * params.out_h * params.out_w + to.cell] = activate(value);
}
