// Unpooling of windows in a row, 16 of which have their compact switches in one word a channel, for kernels that bring
// `two_of_row` and `store_four`.

struct Params {
    // WINDOWS windows each, over all rows of windows of y; blocks of 16 windows in one row.
    invocations: u32,
    row_blocks: u32,
    // Rows of windows that it takes to cover a plane of y.
    window_rows: u32,
    // Channels of an image.
    channels: u32,
    // Rows and columns of a plane of x, and of y.
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
}

override WINDOWS: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> switches: array<u32>;

// Writes the cells of an invocation's windows, a part of a block. Windows that pooling left out, at odd extents, have no value:
// their cells are 0.
fn unpool_part(index: u32) {
    let parts = 16 / WINDOWS;
    let window_row = index / parts / params.row_blocks;
    let block = index / parts % params.row_blocks;
    let begin = index % parts * WINDOWS;
    let plane = window_row / params.window_rows;
    let i = window_row % params.window_rows;
    let pooled = i < params.in_h;
    let in_row = min(i, params.in_h - 1);
    let row_words = (params.in_w + 15) / 16;
    let word_of_row = min(block, row_words - 1);
    let first = first_channel(plane, params.channels);
    let second = second_channel(plane, params.channels);
    let first_cells = switches[(first * params.in_h + in_row) * row_words + word_of_row];
    var second_cells = 0u;
    if CHANNELS_A_WORD == 2 {
        second_cells = switches[(second * params.in_h + in_row) * row_words + word_of_row];
    }
    let values_row = (plane * params.in_h + in_row) * params.in_w;
    let upper_row = (plane * params.out_h + 2 * i) * params.out_w;
    let has_lower = 2 * i + 1 < params.out_h;

    for (var k = begin; k < begin + WINDOWS; k += 2) {
        let window = 16 * block + k;
        let column = 2 * window;
        if column < params.out_w {
            let owned = (vec2(window, window + 1) < vec2(params.in_w)) & vec2(pooled);
            let values = select(vec2<u32>(), two_of_row(values_row, window), owned).xxyy;
            let bits = vec4(2 * k, 2 * k, 2 * k + 2, 2 * k + 2);
            let cells = (vec4(first_cells) >> bits) & vec4(3u);
            var upper = select(vec4<u32>(), vec4(FIRST_OF_WORD), cells == vec4(0u, 1u, 0u, 1u));
            var lower = select(vec4<u32>(), vec4(FIRST_OF_WORD), cells == vec4(2u, 3u, 2u, 3u));
            if CHANNELS_A_WORD == 2 {
                let cells = (vec4(second_cells) >> bits) & vec4(3u);
                upper |= select(vec4<u32>(), vec4(SECOND_OF_WORD), cells == vec4(0u, 1u, 0u, 1u));
                lower |= select(vec4<u32>(), vec4(SECOND_OF_WORD), cells == vec4(2u, 3u, 2u, 3u));
            }
            store_four(upper_row, column, values & upper);
            if has_lower {
                store_four(upper_row + params.out_w, column, values & lower);
            }
        }
    }
}
