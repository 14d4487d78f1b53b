// The end of sums in f16 four of whose cells are a 2x2 window: stores the maximum of each of four channels, two a word, and where
// it was. Cells are rounded first and compared as max_pool2d compares them, so that results are those of the pooling
// of a map that was stored. Switches are flat positions in a plane of the map or, if COMPACT, two bits each, added to words that
// are zero before (max_pool2d/compact says where).

override SWITCHES: bool;
override COMPACT: bool;

@group(0) @binding(6) var<storage, read_write> switches: array<atomic<u32>>;

// The window's words of a pair of channels, in raster order.
fn window_words(channel: u32, even: vec4<f32>, odd: vec4<f32>, both: bool) -> vec4<u32> {
    let offset = offsets(channel, both);
    return vec4(
        word(even.x, odd.x, offset, both),
        word(even.y, odd.y, offset, both),
        word(even.z, odd.z, offset, both),
        word(even.w, odd.w, offset, both),
    );
}

// Stores which cell of its window the maximum of a channel is.
fn store_switch(window: u32, plane: u32, cell: u32) {
    let extent = windows();
    let row = window / extent.y;
    let column = window % extent.y;
    // A cell past the map repeats its neighbour.
    let exists = select(1u, 3u, 2 * row + 1 < params.out_h) & select(2u, 3u, 2 * column + 1 < params.out_w);
    let found = cell & exists;
    if COMPACT {
        let first = (plane * extent.x + row) * ((extent.y + 15) / 16);
        atomicOr(&switches[first + column / 16], found << (2 * (column % 16)));
    } else {
        let at = (2 * row + found / 2) * params.out_w + 2 * column + found % 2;
        atomicStore(&switches[plane * extent.x * extent.y + window], at);
    }
}

// Stores four channels from `channel` on, an even one, as many as there are. `plane` is that of the image's first channel.
fn store_maxima(window: u32, plane: u32, channel: u32, left: u32, r0: vec4<f32>, r1: vec4<f32>, r2: vec4<f32>, r3: vec4<f32>) {
    let first = window_words(channel, r0, r1, left > 1);
    var second = vec4<u32>();
    if left > 2 {
        second = window_words(channel + 2, r2, r3, left > 3);
    }
    // Both pairs' windows side by side.
    let best = maxima(vec4(first.xy, second.xy), vec4(first.zw, second.zw));
    let extent = windows();
    let pairs = plane / params.out_channels * ((params.out_channels + 1) / 2) + channel / 2;
    y[pairs * extent.x * extent.y + window] = best.words.x;
    if left > 2 {
        y[(pairs + 1) * extent.x * extent.y + window] = best.words.y;
    }
    if SWITCHES {
        store_switch(window, plane + channel, best.cells.x);
        if left > 1 { store_switch(window, plane + channel + 1, best.second_cells.x); }
        if left > 2 { store_switch(window, plane + channel + 2, best.cells.y); }
        if left > 3 { store_switch(window, plane + channel + 3, best.second_cells.y); }
    }
}
