// Sums of matrices on their way to a map in f16, two channels a word, where output channels are phases of y. As
// conv2d/cooperative_store_half has it for channels. PAIR is 2, and a group's channels begin with a word of their own.

override BIAS: bool;

@group(0) @binding(4) var<storage, read_write> y: array<u32>;
@group(0) @binding(5) var<storage, read_write> overflow: array<atomic<u32>>;

// The lanes of a subgroup store the two matrices of sums that it left at `first`, whose first output channel of the group and cell
// (row and column) these are.
fn finish(first: u32, lane: u32, plane: u32, first_channel: u32, within: u32, first_cell: vec2<u32>) {
    let group_channel = first_channel / params.group_outputs * params.y_group;
    let pairs = plane / params.out_channels * ((params.y_channels + 1) / 2);
    for (var e = lane; e < TILE * TILE; e += LANES) {
        let pair = e / (2 * TILE);
        let to = interleaved(within + 2 * pair);
        let cell = first_cell + vec2(e / TILE % 2, e % TILE);
        // A row or column before the first wraps around to a number beyond the last.
        let row = cell.x * PY + to.row - params.cut_top;
        let column = cell.y * PX + to.column - params.cut_left;
        let exists = to.channel < params.y_group && cell.x < params.out_h && cell.y < params.out_w;
        if exists && row < params.y_h && column < params.y_w {
            let at = first + (e / TILE % 2 * TILE + 2 * pair) * TILE + e % TILE;
            let both = to.channel + 1 < params.y_group;
            let channel = group_channel + to.channel;
            var value = vec2(sums[at], sums[at + TILE]);
            if BIAS {
                value += vec2(b[channel], b[channel + u32(both)]);
            }
            value = vec2(activate(value.x), select(0.0, activate(value.y), both));
            y[((pairs + channel / 2) * params.y_h + row) * params.y_w + column] = narrow(value);
        }
    }
}
