// The end of a register tile in f16: four cells of eight output channels, with what follows the sum, two channels a word. As
// conv2d/store has it in f32; a group's channels begin with a word of their own.

// Stores a pair of channels' sums, plus the bias if BIAS; the upper half of the words is 0 unless there are both.
fn store_pair(cells: Cells, n: u32, channel: u32, even: vec4<f32>, odd: vec4<f32>, both: bool) {
    let offset = offsets(channel, both);
    let at = (n * ((params.out_channels + 1) / 2) + channel / 2) * params.out_h * params.out_w + cells.at;
    y[at.x] = word(even.x, odd.x, offset, both);
    if cells.count > 1 {
        y[at.y] = word(even.y, odd.y, offset, both);
    }
    if cells.count > 2 {
        y[at.z] = word(even.z, odd.z, offset, both);
    }
    if cells.count > 3 {
        y[at.w] = word(even.w, odd.w, offset, both);
    }
}

// Stores eight channels from `channel` on, an even one, as many as the group has left. `plane` is that of the image's first
// channel.
fn store_tile(cells: Cells, plane: u32, channel: u32, left: u32, tile: Tile) {
    let n = plane / params.out_channels;
    if left > 0 { store_pair(cells, n, channel, tile.r0, tile.r1, left > 1); }
    if left > 2 { store_pair(cells, n, channel + 2, tile.r2, tile.r3, left > 3); }
    if left > 4 { store_pair(cells, n, channel + 4, tile.r4, tile.r5, left > 5); }
    if left > 6 { store_pair(cells, n, channel + 6, tile.r6, tile.r7, left > 7); }
}
