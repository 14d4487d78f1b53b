// The end of a register tile in f16 whose output channels are phases of y: as conv_transpose2d/interleave has it in f32, two
// channels of y a word. PAIR is 2, and a group's channels begin with a word of their own.

override BIAS: bool;

@group(0) @binding(4) var<storage, read_write> y: array<u32>;
@group(0) @binding(5) var<storage, read_write> overflow: array<atomic<u32>>;

// The cells of an invocation: where they lie in the convolution's plane, and how many there are. Those past the last repeat it.
struct Cells {
    at: vec4<u32>,
    count: u32,
}

// Where phase 0 of four cells lies in y, the image's first plane of words, and the group's first channel.
struct Corner {
    row: vec4<u32>,
    column: vec4<u32>,
    exists: vec4<bool>,
    plane: u32,
    channel: u32,
}

fn word(even: f32, odd: f32, offset: vec2<f32>, both: bool) -> u32 {
    let value = vec2(activate(even + offset.x), activate(odd + offset.y));
    return narrow(select(vec2(value.x, 0.0), value, both));
}

// Stores the sums of two rows of the group's weight, those that lie inside y; the upper half of the words is 0 unless there are
// both channels.
fn store_pair(corner: Corner, within: u32, even: vec4<f32>, odd: vec4<f32>) {
    let to = interleaved(within);
    let both = to.channel + 1 < params.y_group;
    let channel = corner.channel + to.channel;
    // A row or column before the first wraps around to a number beyond the last.
    let row = corner.row + to.row;
    let column = corner.column + to.column;
    let inside = corner.exists & (row < vec4(params.y_h)) & (column < vec4(params.y_w));
    let at = ((corner.plane + channel / 2) * params.y_h + row) * params.y_w + column;
    var offset = vec2<f32>();
    if BIAS {
        offset = vec2(b[channel], b[channel + u32(both)]);
    }
    if inside.x { y[at.x] = word(even.x, odd.x, offset, both); }
    if inside.y { y[at.y] = word(even.y, odd.y, offset, both); }
    if inside.z { y[at.z] = word(even.z, odd.z, offset, both); }
    if inside.w { y[at.w] = word(even.w, odd.w, offset, both); }
}

// Stores eight output channels of the convolution from `channel` on, an even one, as many as the group has left. `plane` is that
// of the image's first.
fn store_tile(cells: Cells, plane: u32, channel: u32, left: u32, tile: Tile) {
    let within = channel % params.group_outputs;
    let corner = Corner(
        cells.at / params.out_w * PY - params.cut_top,
        cells.at % params.out_w * PX - params.cut_left,
        vec4(0u, 1u, 2u, 3u) < vec4(cells.count),
        plane / params.out_channels * ((params.y_channels + 1) / 2),
        channel / params.group_outputs * params.y_group,
    );
    if left > 0 { store_pair(corner, within, tile.r0, tile.r1); }
    if left > 2 { store_pair(corner, within + 2, tile.r2, tile.r3); }
    if left > 4 { store_pair(corner, within + 4, tile.r4, tile.r5); }
    if left > 6 { store_pair(corner, within + 6, tile.r6, tile.r7); }
}
