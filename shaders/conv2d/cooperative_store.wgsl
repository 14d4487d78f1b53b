// Sums of matrices on their way to a map in f32.

override BIAS: bool;

@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// The lanes of a subgroup store the two matrices of sums that it left at `first`, whose first channel of the group and cell (row and
// column) these are; `plane` is that of the image's first channel.
fn finish(first: u32, lane: u32, plane: u32, first_channel: u32, within: u32, first_cell: vec2<u32>) {
    let plane_cells = params.out_h * params.out_w;
    for (var e = lane; e < 2 * TILE * TILE; e += LANES) {
        let channel = within + e / TILE % TILE;
        let row = first_cell.x + e / (TILE * TILE);
        let column = first_cell.y + e % TILE;
        if channel < params.group_outputs && row < params.out_h && column < params.out_w {
            var value = sums[first + e];
            if BIAS {
                value += b[first_channel + channel];
            }
            y[(plane + first_channel + channel) * plane_cells + row * params.out_w + column] = activate(value);
        }
    }
}
