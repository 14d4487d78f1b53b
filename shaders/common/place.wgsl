// Where the element at a flat NCHW position is: its plane (n * channels + c), row and column.
struct Place {
    plane: u32,
    row: u32,
    column: u32,
}

fn place(index: u32, h: u32, w: u32) -> Place {
    let rows = index / w;
    return Place(rows / h, rows % h, index % w);
}
