// Sums of matrices on their way to a map in f32.

override BIAS: bool;

@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// The lanes of a subgroup store the sum that it left at `first`, whose first channel of the group and cell these are.
fn finish(first: u32, lane: u32, plane: u32, first_channel: u32, within: u32, first_cell: u32) {
    let plane_cells = params.out_h * params.out_w;
    for (var e = lane; e < TILE * TILE; e += LANES) {
        let channel = within + e / TILE;
        let cell = first_cell + e % TILE;
        if channel < params.group_outputs && cell < plane_cells {
            var value = sums[first + e];
            if BIAS {
                value += b[first_channel + channel];
            }
            y[(plane + first_channel + channel) * plane_cells + cell] = activate(value);
        }
    }
}
