// Sums of matrices on their way to a map in f16, two channels a word; a group's channels begin with a word of their own.

// The lanes of a subgroup store the two matrices of sums that it left at `first`, whose first channel of the group and cell (row and
// column) these are; `plane` is that of the image's first channel.
fn finish(first: u32, lane: u32, plane: u32, first_channel: u32, within: u32, first_cell: vec2<u32>) {
    let plane_cells = params.out_h * params.out_w;
    let pairs = plane / params.out_channels * ((params.out_channels + 1) / 2);
    // A pair of channels of both matrices, then the next.
    for (var e = lane; e < TILE * TILE; e += LANES) {
        let pair_within = e / (2 * TILE);
        let channel = within + 2 * pair_within;
        let row = first_cell.x + e / TILE % 2;
        let column = first_cell.y + e % TILE;
        if channel < params.group_outputs && row < params.out_h && column < params.out_w {
            let at = first + (e / TILE % 2 * TILE + 2 * pair_within) * TILE + e % TILE;
            let both = channel + 1 < params.group_outputs;
            let pair = first_channel + channel;
            let value = word(sums[at], sums[at + TILE], offsets(pair, both), both);
            y[(pairs + pair / 2) * plane_cells + row * params.out_w + column] = value;
        }
    }
}
