// The rows of a transposed convolution whose kernel is twice the stride: a row is one phase (u of SY, v of SX) of one output
// channel, counted within its group. A block has ROWS of them: the phases of a channel one after another, so that
// neighbouring rows are neighbouring cells of the output; or, if ARGMAX, all channels of one phase. Rows past the last
// have channels past the last.
override SY: u32;
override SX: u32;
override ROWS: u32;
override ARGMAX: bool;

struct Row {
    channel: u32,
    u: u32,
    v: u32,
}

fn row_of(block: u32, r: u32) -> Row {
    if ARGMAX {
        return Row(r, block / SX, block % SX);
    }
    let k = block * ROWS + r;
    return Row(k / (SY * SX), k / SX % SY, k % SX);
}

// The next row, without a division.
fn row_after(row: Row) -> Row {
    if ARGMAX {
        return Row(row.channel + 1, row.u, row.v);
    }
    let last_v = row.v + 1 == SX;
    let last_u = last_v && row.u + 1 == SY;
    return Row(
        row.channel + select(0u, 1u, last_u),
        select(select(row.u, row.u + 1, last_v), 0u, last_u),
        select(row.v + 1, 0u, last_v),
    );
}
