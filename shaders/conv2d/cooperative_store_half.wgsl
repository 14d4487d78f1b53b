// Sums of matrices on their way to a map in f16, two channels a word; a group's channels begin with a word of their own.

override BIAS: bool;

@group(0) @binding(4) var<storage, read_write> y: array<u32>;
@group(0) @binding(5) var<storage, read_write> overflow: array<atomic<u32>>;

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
            var value = vec2(sums[at], sums[at + TILE]);
            if BIAS {
                value += vec2(b[first_channel + channel], b[first_channel + channel + u32(both)]);
            }
            value = vec2(activate(value.x), select(0.0, activate(value.y), both));
            y[(pairs + (first_channel + channel) / 2) * plane_cells + cell] = narrow(value);
        }
    }
}
