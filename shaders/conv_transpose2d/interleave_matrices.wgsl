// Sums of matrices on their way to a map in f32, where output channels are phases of y. As conv2d/cooperative_store has it for
// channels.

override BIAS: bool;

@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// The lanes of a subgroup store the two matrices of sums that it left at `first`, whose first output channel of the group and cell
// (row and column) these are.
fn finish(first: u32, lane: u32, plane: u32, first_channel: u32, within: u32, first_cell: vec2<u32>) {
    let group_channel = first_channel / params.group_outputs * params.y_group;
    let group_plane = plane / params.out_channels * params.y_channels + group_channel;
    for (var e = lane; e < 2 * TILE * TILE; e += LANES) {
        let to = interleaved(within + e / TILE % TILE);
        let cell = first_cell + vec2(e / (TILE * TILE), e % TILE);
        // A row or column before the first wraps around to a number beyond the last.
        let row = cell.x * PY + to.row - params.cut_top;
        let column = cell.y * PX + to.column - params.cut_left;
        let exists = to.channel < params.y_group && cell.x < params.out_h && cell.y < params.out_w;
        if exists && row < params.y_h && column < params.y_w {
            var value = sums[first + e];
            if BIAS {
                value += b[group_channel + to.channel];
            }
            y[((group_plane + to.channel) * params.y_h + row) * params.y_w + column] = activate(value);
        }
    }
}
