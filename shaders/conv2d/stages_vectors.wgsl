// The memory of conv2d/stages in vectors, which are read by one load, and written a component each by four invocations: only for
// devices where that is no race (Caps::writes_components).

// Vectors: 4*ROWS, 4*CELLS; see conv2d/stages_words.
override STAGED_ROWS: u32;
override STAGED_CELLS: u32;

// [buffer][term][row] and [buffer][term][cell], four a vector.
var<workgroup> staged_rows: array<vec4<f32>, STAGED_ROWS>;
var<workgroup> staged_cells: array<vec4<f32>, STAGED_CELLS>;

// The i-th four.
fn rows_of(i: u32) -> vec4<f32> {
    return staged_rows[i];
}

fn cells_of(i: u32) -> vec4<f32> {
    return staged_cells[i];
}

// The k-th of the i-th four.
fn set_row(i: u32, k: u32, term: f32) {
    staged_rows[i][k] = term;
}

fn set_cell(i: u32, k: u32, term: f32) {
    staged_cells[i][k] = term;
}
