// The end of a register tile: four cells of eight output channels, with what follows the sum. For kernels that bind
// b: array<f32> and y: array<f32>, whose params say out_h and out_w.

override BIAS: bool;
override ACCUMULATE: bool;

// The cells of an invocation: where they lie in a plane of y, and how many there are. Those past the last repeat it.
struct Cells {
    at: vec4<u32>,
    count: u32,
}

// Stores a channel's sums, added to what y holds if ACCUMULATE, plus the bias if BIAS.
fn store(cells: Cells, plane: u32, channel: u32, sums: vec4<f32>) {
    var value = sums;
    let at = (plane + channel) * params.out_h * params.out_w + cells.at;
    if ACCUMULATE {
        value += vec4(y[at.x], y[at.y], y[at.z], y[at.w]);
    }
    var offset = 0.0;
    if BIAS {
        offset = b[channel];
    }
    y[at.x] = activate(value.x + offset);
    if cells.count > 1 {
        y[at.y] = activate(value.y + offset);
    }
    if cells.count > 2 {
        y[at.z] = activate(value.z + offset);
    }
    if cells.count > 3 {
        y[at.w] = activate(value.w + offset);
    }
}

// Stores eight channels from `channel` on, as many as the group has left.
fn store_tile(cells: Cells, plane: u32, channel: u32, left: u32, tile: Tile) {
    if left > 0 { store(cells, plane, channel, tile.r0); }
    if left > 1 { store(cells, plane, channel + 1, tile.r1); }
    if left > 2 { store(cells, plane, channel + 2, tile.r2); }
    if left > 3 { store(cells, plane, channel + 3, tile.r3); }
    if left > 4 { store(cells, plane, channel + 4, tile.r4); }
    if left > 5 { store(cells, plane, channel + 5, tile.r5); }
    if left > 6 { store(cells, plane, channel + 6, tile.r6); }
    if left > 7 { store(cells, plane, channel + 7, tile.r7); }
}
