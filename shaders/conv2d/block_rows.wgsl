// The weights of a block of ROWS rows. For kernels with conv2d/rows_loaded or conv2d/rows_gathered.

// Eight rows each, as far as ROWS says.
struct BlockRows {
    r0: EightRows,
    r8: EightRows,
    r16: EightRows,
    r24: EightRows,
}

// Those from the i-th vector on: all of them before any is used, so that gathers are under way at once.
fn block_rows(i: u32, invocation: u32) -> BlockRows {
    return BlockRows(
        eight_rows(i, invocation),
        eight_rows(i + select(0u, 8u, ROWS > 8), invocation),
        eight_rows(i + select(0u, 16u, ROWS > 16), invocation),
        eight_rows(i + select(0u, 24u, ROWS > 24), invocation),
    );
}
