// Sums of matrices on their way to a map in f16, two channels a word; a group's channels begin with a word of their own.

// The lanes of a subgroup store the sum that it left at `first`, whose first channel of the group and cell these are; `plane` is
// that of the image's first channel.
fn finish(first: u32, lane: u32, plane: u32, first_channel: u32, within: u32, first_cell: u32) {
    let plane_cells = params.out_h * params.out_w;
    let pairs = plane / params.out_channels * ((params.out_channels + 1) / 2);
    for (var e = lane; e < TILE * TILE / 2; e += LANES) {
        let channel = within + e / TILE * 2;
        let cell = first_cell + e % TILE;
        if channel < params.group_outputs && cell < plane_cells {
            let at = first + e / TILE * 2 * TILE + e % TILE;
            let both = channel + 1 < params.group_outputs;
            let pair = first_channel + channel;
            let value = word(sums[at], sums[at + TILE], offsets(pair, both), both);
            y[(pairs + pair / 2) * plane_cells + cell] = value;
        }
    }
}
