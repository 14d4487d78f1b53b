// What becomes of the sums of windows, the output cells between the same four cells of x: the end of the kernels for phases that share
// cells. With conv_transpose2d/row.

@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// The first cells of four windows: rows and columns of the output, and offsets in its plane. Those before the first wrap around to numbers
// beyond the last.
struct Windows {
    p: vec4<u32>,
    q: vec4<u32>,
    at: vec4<u32>,
}

// Window (i, j) lies between rows i - 1 and i, columns j - 1 and j of x.
fn windows_at(i: vec4<u32>, j: vec4<u32>) -> Windows {
    let p = i * SY - params.pad_top;
    let q = j * SX - params.pad_left;
    return Windows(p, q, p * params.out_w + q);
}

// The first plane of y and the first channel of a group.
struct Planes {
    plane: u32,
    channel: u32,
}

// Stores eight rows from `first` on, as many as there are; the row after them.
fn store_rows(windows: Windows, planes: Planes, first: Row, tile: Tile) -> Row {
    let r1 = store_row(windows, planes, first, tile.r0);
    let r2 = store_row(windows, planes, r1, tile.r1);
    let r3 = store_row(windows, planes, r2, tile.r2);
    let r4 = store_row(windows, planes, r3, tile.r3);
    let r5 = store_row(windows, planes, r4, tile.r4);
    let r6 = store_row(windows, planes, r5, tile.r5);
    let r7 = store_row(windows, planes, r6, tile.r6);
    return store_row(windows, planes, r7, tile.r7);
}

fn store_row(windows: Windows, planes: Planes, row: Row, sums: vec4<f32>) -> Row {
    if row.channel < params.group_outputs {
        var offset = 0.0;
        if BIAS {
            offset = b[planes.channel + row.channel];
        }
        let values = vec4(
            activate(sums.x + offset),
            activate(sums.y + offset),
            activate(sums.z + offset),
            activate(sums.w + offset),
        );
        store_cells(windows, row, planes.plane + row.channel, values);
    }
    return row_after(row);
}

// Stores the four windows' cells of one phase into a plane of y.
fn store_cells(windows: Windows, row: Row, plane: u32, values: vec4<f32>) {
    let stored = (windows.q + row.v < vec4(params.out_w)) & (windows.p + row.u < vec4(params.out_h));
    let at = windows.at + ((plane * params.out_h + row.u) * params.out_w + row.v);
    if stored.x { y[at.x] = values.x; }
    if stored.y { y[at.y] = values.y; }
    if stored.z { y[at.z] = values.z; }
    if stored.w { y[at.w] = values.w; }
}

// Stores a block of four windows, rows from `first` on.
fn finish(windows: Windows, planes: Planes, n: u32, first: Row, t0: Tile, t1: Tile, t2: Tile, t3: Tile) {
    if ARGMAX {
        let classes = params.group_outputs;
        var best = best_of_tile(no_class(), 0, classes, t0);
        if ROWS > 8 && classes > 8 { best = best_of_tile(best, 8, classes - 8, t1); }
        if ROWS > 16 && classes > 16 { best = best_of_tile(best, 16, classes - 16, t2); }
        if ROWS > 24 && classes > 24 { best = best_of_tile(best, 24, classes - 24, t3); }
        store_cells(windows, first, n, vec4<f32>(best.labels));
        return;
    }
    let second = store_rows(windows, planes, first, t0);
    if ROWS > 8 {
        let third = store_rows(windows, planes, second, t1);
        if ROWS > 16 {
            let fourth = store_rows(windows, planes, third, t2);
            if ROWS > 24 {
                let end = store_rows(windows, planes, fourth, t3);
            }
        }
    }
}
