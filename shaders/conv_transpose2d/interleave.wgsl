// The end of a register tile in f32 whose output channels are phases of y: four cells of eight of them, with what follows the
// sum. As conv2d/store has it for channels. For kernels that bind b: array<f32> and y: array<f32>.

override BIAS: bool;
override ACCUMULATE: bool;

// The cells of an invocation: where they lie in the convolution's plane, and how many there are. Those past the last repeat it.
struct Cells {
    at: vec4<u32>,
    count: u32,
}

// Where phase 0 of four cells lies in y, and the group's first plane and channel there.
struct Corner {
    row: vec4<u32>,
    column: vec4<u32>,
    exists: vec4<bool>,
    plane: u32,
    channel: u32,
}

fn put(at: u32, sum: f32, offset: f32) {
    var value = sum;
    if ACCUMULATE {
        value += y[at];
    }
    y[at] = activate(value + offset);
}

// Stores the sums of a row of the group's weight, those that lie inside y.
fn store(corner: Corner, within: u32, sums: vec4<f32>) {
    let to = interleaved(within);
    if to.channel >= params.y_group {
        return;
    }
    // A row or column before the first wraps around to a number beyond the last.
    let row = corner.row + to.row;
    let column = corner.column + to.column;
    let inside = corner.exists & (row < vec4(params.y_h)) & (column < vec4(params.y_w));
    let at = ((corner.plane + to.channel) * params.y_h + row) * params.y_w + column;
    var offset = 0.0;
    if BIAS {
        offset = b[corner.channel + to.channel];
    }
    if inside.x { put(at.x, sums.x, offset); }
    if inside.y { put(at.y, sums.y, offset); }
    if inside.z { put(at.z, sums.z, offset); }
    if inside.w { put(at.w, sums.w, offset); }
}

// Stores eight output channels of the convolution from `channel` on, as many as the group has left. `plane` is that of the
// image's first.
fn store_tile(cells: Cells, plane: u32, channel: u32, left: u32, tile: Tile) {
    let first = channel / params.group_outputs * params.y_group;
    let within = channel % params.group_outputs;
    let corner = Corner(
        cells.at / params.out_w * PY - params.cut_top,
        cells.at % params.out_w * PX - params.cut_left,
        vec4(0u, 1u, 2u, 3u) < vec4(cells.count),
        plane / params.out_channels * params.y_channels + first,
        first,
    );
    if left > 0 { store(corner, within, tile.r0); }
    if left > 1 { store(corner, within + 1, tile.r1); }
    if left > 2 { store(corner, within + 2, tile.r2); }
    if left > 3 { store(corner, within + 3, tile.r3); }
    if left > 4 { store(corner, within + 4, tile.r4); }
    if left > 5 { store(corner, within + 5, tile.r5); }
    if left > 6 { store(corner, within + 6, tile.r6); }
    if left > 7 { store(corner, within + 7, tile.r7); }
}
