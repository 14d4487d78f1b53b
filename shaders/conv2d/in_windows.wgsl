// Which cells an implicit matrix product computes: those of 2x2 windows, window after window, each in raster order, of which
// only the maxima are stored.

// Whether windows that reach past the map count.
override PARTIAL: bool;

struct Four {
    row: vec4<u32>,
    column: vec4<u32>,
    // What `Cells` calls them: all of them their window.
    at: vec4<u32>,
}

// Rows and columns of windows.
fn windows() -> vec2<u32> {
    return (vec2(params.out_h, params.out_w) + select(0u, 1u, PARTIAL)) / 2;
}

// Cells that are computed in a plane.
fn computed_cells() -> u32 {
    return 4 * windows().x * windows().y;
}

// Row and column of the i-th. Past the map, and past the last window, they repeat the last of their row and column.
fn cell_at(i: u32) -> vec2<u32> {
    let columns = windows().y;
    let window = i / 4;
    let cell = 2 * vec2(window / columns, window % columns) + vec2(i % 4 / 2, i % 2);
    return min(cell, vec2(params.out_h, params.out_w) - 1);
}

// The four from `first` on, a window, an invocation's of a register tile. They repeat as `cell_at` does.
fn four_cells(first: u32) -> Four {
    let columns = windows().y;
    let window = first / 4;
    let row = min(2 * (window / columns) + vec4(0u, 0u, 1u, 1u), vec4(params.out_h - 1));
    let column = min(2 * (window % columns) + vec4(0u, 1u, 0u, 1u), vec4(params.out_w - 1));
    return Four(row, column, vec4(window));
}
