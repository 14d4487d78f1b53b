// Sums of matrices on their way to maxima of 2x2 windows: four cells of a row of a matrix are a window, in raster order.

// A window of a channel, whose first cell's sum is left at `i`.
fn window_at(i: u32) -> vec4<f32> {
    return vec4(sums[i], sums[i + 1], sums[i + 2], sums[i + 3]);
}

// The lanes of a subgroup store the maxima of the sum that it left at `first`, whose first channel of the group and cell these
// are; `plane` is that of the image's first channel. A lane has four channels of a window at a time.
fn finish(first: u32, lane: u32, plane: u32, first_channel: u32, within: u32, first_cell: u32) {
    const WINDOWS = TILE / 4;
    for (var e = lane; e < TILE / 4 * WINDOWS; e += LANES) {
        let channel = within + e / WINDOWS * 4;
        let cell = first_cell + e % WINDOWS * 4;
        if channel < params.group_outputs && cell < computed_cells() {
            let at = first + (e / WINDOWS * TILE + e % WINDOWS) * 4;
            store_maxima(
                cell / 4,
                plane,
                first_channel + channel,
                params.group_outputs - channel,
                window_at(at),
                window_at(at + TILE),
                window_at(at + 2 * TILE),
                window_at(at + 3 * TILE),
            );
        }
    }
}
