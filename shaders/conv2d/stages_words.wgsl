// The memory of conv2d/stages in words, of which each has one writer a stage, as WGSL wants it: the write of a component may
// write the whole vector again (Metal and Direct3D do).

// Words: 16*ROWS, 16*CELLS. No more, for memory decides how many workgroups a multiprocessor has. (Naga 30 takes a size from an
// override, from an expression of one it does not.)
override STAGED_ROWS: u32;
override STAGED_CELLS: u32;

// [buffer][term][row] and [buffer][term][cell].
var<workgroup> staged_rows: array<f32, STAGED_ROWS>;
var<workgroup> staged_cells: array<f32, STAGED_CELLS>;

// The i-th four.
fn rows_of(i: u32) -> vec4<f32> {
    let at = 4 * i;
    return vec4(staged_rows[at], staged_rows[at + 1], staged_rows[at + 2], staged_rows[at + 3]);
}

fn cells_of(i: u32) -> vec4<f32> {
    let at = 4 * i;
    return vec4(staged_cells[at], staged_cells[at + 1], staged_cells[at + 2], staged_cells[at + 3]);
}

// The k-th of the i-th four.
fn set_row(i: u32, k: u32, term: f32) {
    staged_rows[4 * i + k] = term;
}

fn set_cell(i: u32, k: u32, term: f32) {
    staged_cells[4 * i + k] = term;
}
