// A matrix product in register tiles whose operands a workgroup stages in its memory, eight terms of the sums at a time. For
// kernels with common/tile, and with conv2d/stages_words or conv2d/stages_vectors, which say what the memory is made of.
//
// A workgroup of ROWS/8 x CELLS/8 invocations computes ROWS rows of CELLS cells, an invocation eight rows of two fours of
// cells, the second half of the workgroup's cells after the first. There are two buffers: while one is multiplied the other is
// filled, so that one barrier a stage is enough.
//
// Why: four vectors that are read serve 64 multiply-adds of an invocation, and a word that comes from memory all invocations of
// a row or column of the workgroup. Runs of 32 invocations, a GPU's subgroup, read the vectors of 4 x 8 groups, which lie in
// banks of their own. The stage is multiplied in one place, in a loop: where a driver does not inline a function, what it
// points to leaves the registers.

// 64 or 128.
override ROWS: u32;
override CELLS: u32;

// Terms of a stage, and fours of them.
const TERMS = 8u;
const STAGE = 2u;

// The groups of eight rows and of eight cells that are an invocation's.
struct Place {
    row_group: u32,
    column_group: u32,
}

fn place_of(invocation: u32) -> Place {
    let run = invocation / 32;
    let lane = invocation % 32;
    return Place(run / (CELLS / 64) * 4 + lane / 8, run % (CELLS / 64) * 8 + lane % 8);
}

// What an invocation stages: four terms of a row and of a cell, and, where that does not fill the stage, the four after them.
fn staged_row(invocation: u32) -> u32 {
    return invocation % ROWS;
}

fn row_quad(invocation: u32) -> u32 {
    return invocation / ROWS;
}

fn staged_cell(invocation: u32) -> u32 {
    return invocation % CELLS;
}

fn cell_quad(invocation: u32) -> u32 {
    return invocation / CELLS;
}

fn put_row(buffer: u32, quad: u32, row: u32, terms: vec4<f32>) {
    let at = (buffer * TERMS + 4 * quad) * (ROWS / 4) + row / 4;
    set_row(at, row % 4, terms.x);
    set_row(at + ROWS / 4, row % 4, terms.y);
    set_row(at + ROWS / 2, row % 4, terms.z);
    set_row(at + ROWS / 4 * 3, row % 4, terms.w);
}

fn put_cell(buffer: u32, quad: u32, cell: u32, terms: vec4<f32>) {
    let at = (buffer * TERMS + 4 * quad) * (CELLS / 4) + cell / 4;
    set_cell(at, cell % 4, terms.x);
    set_cell(at + CELLS / 4, cell % 4, terms.y);
    set_cell(at + CELLS / 2, cell % 4, terms.z);
    set_cell(at + CELLS / 4 * 3, cell % 4, terms.w);
}

// Adds the terms of a buffer's stage to the two tiles of this place, two terms a round.
fn multiply_stage(left: ptr<function, Tile>, right: ptr<function, Tile>, buffer: u32, place: Place) {
    var row = buffer * TERMS * (ROWS / 4) + 2 * place.row_group;
    var cell = buffer * TERMS * (CELLS / 4) + place.column_group;
    for (var term = 0u; term < TERMS; term += 2) {
        let u0 = rows_of(row);
        let v0 = rows_of(row + 1);
        let a0 = cells_of(cell);
        let b0 = cells_of(cell + CELLS / 8);
        (*left).r0 = fma(vec4(u0.x), a0, (*left).r0);
        (*left).r1 = fma(vec4(u0.y), a0, (*left).r1);
        (*left).r2 = fma(vec4(u0.z), a0, (*left).r2);
        (*left).r3 = fma(vec4(u0.w), a0, (*left).r3);
        (*left).r4 = fma(vec4(v0.x), a0, (*left).r4);
        (*left).r5 = fma(vec4(v0.y), a0, (*left).r5);
        (*left).r6 = fma(vec4(v0.z), a0, (*left).r6);
        (*left).r7 = fma(vec4(v0.w), a0, (*left).r7);
        (*right).r0 = fma(vec4(u0.x), b0, (*right).r0);
        (*right).r1 = fma(vec4(u0.y), b0, (*right).r1);
        (*right).r2 = fma(vec4(u0.z), b0, (*right).r2);
        (*right).r3 = fma(vec4(u0.w), b0, (*right).r3);
        (*right).r4 = fma(vec4(v0.x), b0, (*right).r4);
        (*right).r5 = fma(vec4(v0.y), b0, (*right).r5);
        (*right).r6 = fma(vec4(v0.z), b0, (*right).r6);
        (*right).r7 = fma(vec4(v0.w), b0, (*right).r7);
        let u1 = rows_of(row + ROWS / 4);
        let v1 = rows_of(row + ROWS / 4 + 1);
        let a1 = cells_of(cell + CELLS / 4);
        let b1 = cells_of(cell + CELLS / 4 + CELLS / 8);
        (*left).r0 = fma(vec4(u1.x), a1, (*left).r0);
        (*left).r1 = fma(vec4(u1.y), a1, (*left).r1);
        (*left).r2 = fma(vec4(u1.z), a1, (*left).r2);
        (*left).r3 = fma(vec4(u1.w), a1, (*left).r3);
        (*left).r4 = fma(vec4(v1.x), a1, (*left).r4);
        (*left).r5 = fma(vec4(v1.y), a1, (*left).r5);
        (*left).r6 = fma(vec4(v1.z), a1, (*left).r6);
        (*left).r7 = fma(vec4(v1.w), a1, (*left).r7);
        (*right).r0 = fma(vec4(u1.x), b1, (*right).r0);
        (*right).r1 = fma(vec4(u1.y), b1, (*right).r1);
        (*right).r2 = fma(vec4(u1.z), b1, (*right).r2);
        (*right).r3 = fma(vec4(u1.w), b1, (*right).r3);
        (*right).r4 = fma(vec4(v1.x), b1, (*right).r4);
        (*right).r5 = fma(vec4(v1.y), b1, (*right).r5);
        (*right).r6 = fma(vec4(v1.z), b1, (*right).r6);
        (*right).r7 = fma(vec4(v1.w), b1, (*right).r7);
        row += ROWS / 2;
        cell += CELLS / 2;
    }
}
