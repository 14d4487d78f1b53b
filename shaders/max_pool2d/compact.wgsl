// Pooling of 16 windows in a row, whose compact switches are one word a channel, for kernels that bring `four_of_row` and
// `store_pair`.

struct Params {
    // Blocks of 16 windows over all rows of y, and such blocks in one row.
    blocks: u32,
    row_blocks: u32,
    // Channels of an image.
    channels: u32,
    // Rows and columns of a plane of x, and of y.
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> switches: array<u32>;

// Stores the maxima of a block's windows, and their switches.
fn pool_block(index: u32) {
    let row = index / params.row_blocks;
    let block = index % params.row_blocks;
    let plane = row / params.out_h;
    let row_of_plane = row % params.out_h;
    let upper_row = (plane * params.in_h + 2 * row_of_plane) * params.in_w;
    // A window that reaches past the plane has its own cells again in place of those that it lacks.
    let has_lower = 2 * row_of_plane + 1 < params.in_h;
    let lower_row = upper_row + select(0, params.in_w, has_lower);

    var first_word = 0u;
    var second_word = 0u;
    for (var k = 0u; k < 16; k += 2) {
        let window = 16 * block + k;
        if window < params.out_w {
            let best = maxima(four_of_row(upper_row, 2 * window), four_of_row(lower_row, 2 * window));
            store_pair(row * params.out_w + window, best.words, window + 1 < params.out_w);
            first_word |= (best.cells.x | (best.cells.y << 2)) << (2 * k);
            second_word |= (best.second_cells.x | (best.second_cells.y << 2)) << (2 * k);
        }
    }

    // Bits of windows that there are; of cells that there are.
    let windows = min(params.out_w - 16 * block, 16u);
    var mask = 0xffffffffu >> (32 - 2 * windows);
    mask &= select(0x55555555u, 0xffffffffu, has_lower);
    if 16 * block + windows == params.out_w && 2 * params.out_w > params.in_w {
        mask &= ~(1u << (2 * windows - 2));
    }
    let first = first_channel(plane, params.channels);
    let second = second_channel(plane, params.channels);
    switches[(first * params.out_h + row_of_plane) * params.row_blocks + block] = first_word & mask;
    // Beside a last odd channel there is no second one.
    if CHANNELS_A_WORD == 2 && second != first {
        switches[(second * params.out_h + row_of_plane) * params.row_blocks + block] = second_word & mask;
    }
}
