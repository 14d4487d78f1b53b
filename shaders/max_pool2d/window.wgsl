// The search that both variants of max_pool2d share: the first cell in raster order with the largest value, or the last
// NaN. It visits a window's cells inside x and no others; MaxPool2d::output_shape refuses a window that has none.

struct Params {
    // Elements of y.
    elements: u32,
    // Rows and columns of a plane of x, and of y.
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    // Border above and to the left.
    pad_top: u32,
    pad_left: u32,
}

override KH: u32;
override KW: u32;
override SY: u32;
override SX: u32;
override DY: u32;
override DX: u32;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;

struct Maximum {
    bits: u32,
    // Where it is in its plane: row * in_w + column.
    cell: u32,
}

// The maximum of the window at `row`, `column` of the output, over the plane of x that begins at `plane`.
fn window_maximum(plane: u32, row: u32, column: u32) -> Maximum {
    // Tap u is at start_y + u*DY of the padded rows, inside x if pad_top <= start_y + u*DY < pad_top + in_h.
    let start_y = row * SY;
    let start_x = column * SX;
    let first_u = taps_before(start_y, params.pad_top, DY);
    let first_v = taps_before(start_x, params.pad_left, DX);
    let end_u = min(KH, taps_before(start_y, params.pad_top + params.in_h, DY));
    let end_v = min(KW, taps_before(start_x, params.pad_left + params.in_w, DX));

    var best = Maximum(0, 0);
    var best_rank = RANK_BELOW_ALL;
    for (var u = first_u; u < end_u; u++) {
        let cells = (start_y + u * DY - params.pad_top) * params.in_w;
        for (var v = first_v; v < end_v; v++) {
            let cell = cells + start_x + v * DX - params.pad_left;
            let bits = x[plane + cell];
            let bits_rank = rank(bits);
            if bits_rank > best_rank || bits_rank == RANK_OF_NAN {
                best = Maximum(bits, cell);
                best_rank = bits_rank;
            }
        }
    }
    return best;
}

// How many taps of a window at `start` come before `edge`: ceil((edge - start) / dilation).
fn taps_before(start: u32, edge: u32, dilation: u32) -> u32 {
    return (max(edge, start) - start + dilation - 1) / dilation;
}
