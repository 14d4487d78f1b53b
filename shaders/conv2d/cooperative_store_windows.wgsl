// Sums of matrices on their way to maxima of 2x2 windows, of two cells of a matrix and the two below them, of the next.

// A window of a channel in raster order, whose first cell's sum is left at `i`; a cell past the map repeats its neighbour, of which
// `right` and `down` are the distances.
fn window_at(i: u32, right: u32, down: u32) -> vec4<f32> {
    return vec4(sums[i], sums[i + right], sums[i + down], sums[i + down + right]);
}

// The lanes of a subgroup store the maxima of the two matrices of sums that it left at `first`, whose first channel of the group and
// cell (row and column, even ones) these are; `plane` is that of the image's first channel. A lane has four channels of a window at a
// time.
fn finish(first: u32, lane: u32, plane: u32, first_channel: u32, within: u32, first_cell: vec2<u32>) {
    let extent = windows();
    for (var e = lane; e < TILE / 4 * (TILE / 2); e += LANES) {
        let channel = within + e / (TILE / 2) * 4;
        let column = first_cell.y + e % (TILE / 2) * 2;
        if channel < params.group_outputs && first_cell.x / 2 < extent.x && column / 2 < extent.y {
            let right = select(0u, 1u, column + 1 < params.out_w);
            let down = select(0u, TILE * TILE, first_cell.x + 1 < params.out_h);
            let at = first + e / (TILE / 2) * 4 * TILE + e % (TILE / 2) * 2;
            store_maxima(
                first_cell.x / 2 * extent.y + column / 2,
                plane,
                first_channel + channel,
                params.group_outputs - channel,
                window_at(at, right, down),
                window_at(at + TILE, right, down),
                window_at(at + 2 * TILE, right, down),
                window_at(at + 3 * TILE, right, down),
            );
        }
    }
}
