// A matrix product in register tiles whose operands a workgroup stages in its memory, 16 terms of the sums at a time. For kernels
// with common/tile.
//
// A workgroup computes ROWS rows of CELLS cells: an invocation SIDE rows of SIDE cells, eight by two fours, the second half of the
// workgroup's cells after the first, or four by one four.
//
// Why: two vectors that are read serve 16 multiply-adds, or four 64, and a word that comes from memory all invocations of a row or column
// of the workgroup. A GPU reads vectors of four words for a subgroup of 32 in four goes of eight lanes each, and, it seems, two of them
// at once where neighbours, or lanes two apart, read the same: so neighbours have the same rows, and lanes two apart the same cells
// (`place_of`). The stage is multiplied written out: by rounds, even of four terms, operands are waited for in each.

// 32, 64 or 128.
override ROWS: u32;
override CELLS: u32;
// 4 or 8.
override SIDE: u32;
// Whether the last stage may reach past the last channel, where there are zeros: not where all stages are full.
override TAIL: bool;
// Vectors of a stage: 4*ROWS, 4*CELLS. (Naga 30 takes a size from an override, from an expression of one it does not.)
override STAGED_ROWS: u32;
override STAGED_CELLS: u32;

// Terms of a stage.
const TERMS = 16u;

// [term][row] and [term][cell], four a vector.
var<workgroup> staged_rows: array<vec4<f32>, STAGED_ROWS>;
var<workgroup> staged_cells: array<vec4<f32>, STAGED_CELLS>;

// The groups of SIDE rows and of SIDE cells that are an invocation's.
struct Place {
    row_group: u32,
    column_group: u32,
}

fn place_of(invocation: u32) -> Place {
    let columns = CELLS / SIDE / 8;
    let run = invocation / 32;
    let lane = invocation % 32;
    return Place(run / columns * 4 + lane / 2 % 4, run % columns * 8 + lane % 2 + lane / 8 * 2);
}

// Invocations of a workgroup.
fn invocations() -> u32 {
    return ROWS * CELLS / (SIDE * SIDE);
}

// Vectors of rows, and of cells, that an invocation stages, and the term that the i-th is of: vector number invocation + i *
// invocations() of all. So all of an invocation's are of the same four rows, and of the same four cells.
fn row_vectors() -> u32 {
    return 4 * SIDE * SIDE / CELLS;
}

fn cell_vectors() -> u32 {
    return 4 * SIDE * SIDE / ROWS;
}

fn row_term(invocation: u32, i: u32) -> u32 {
    return invocation / (ROWS / 4) + i * (4 * CELLS / (SIDE * SIDE));
}

fn cell_term(invocation: u32, i: u32) -> u32 {
    return invocation / (CELLS / 4) + i * (4 * ROWS / (SIDE * SIDE));
}

// Whether the c-th channel is one of those before `end`, and what is loaded for it: the last where it is not.
fn exists(c: u32, end: u32) -> bool {
    return !TAIL || c < end;
}

fn existing(c: u32, end: u32) -> u32 {
    return select(c, min(c, end - 1), TAIL);
}

// Adds the terms of the stage to an invocation's tiles: with SIDE 4 to the upper half of the left one.
fn multiply_stage(left: ptr<function, Tile>, right: ptr<function, Tile>, place: Place) {
    let row = SIDE / 4 * place.row_group;
    let cell = place.column_group;
    for (var term = 0u; term < 16; term++) { // unrolled
        let u = staged_rows[term * (ROWS / 4) + row];
        let a = staged_cells[term * (CELLS / 4) + cell];
        (*left).r0 = fma(vec4(u.x), a, (*left).r0);
        (*left).r1 = fma(vec4(u.y), a, (*left).r1);
        (*left).r2 = fma(vec4(u.z), a, (*left).r2);
        (*left).r3 = fma(vec4(u.w), a, (*left).r3);
        if SIDE == 8 {
            let v = staged_rows[term * (ROWS / 4) + row + 1];
            let b = staged_cells[term * (CELLS / 4) + cell + CELLS / 8];
            (*left).r4 = fma(vec4(v.x), a, (*left).r4);
            (*left).r5 = fma(vec4(v.y), a, (*left).r5);
            (*left).r6 = fma(vec4(v.z), a, (*left).r6);
            (*left).r7 = fma(vec4(v.w), a, (*left).r7);
            (*right).r0 = fma(vec4(u.x), b, (*right).r0);
            (*right).r1 = fma(vec4(u.y), b, (*right).r1);
            (*right).r2 = fma(vec4(u.z), b, (*right).r2);
            (*right).r3 = fma(vec4(u.w), b, (*right).r3);
            (*right).r4 = fma(vec4(v.x), b, (*right).r4);
            (*right).r5 = fma(vec4(v.y), b, (*right).r5);
            (*right).r6 = fma(vec4(v.z), b, (*right).r6);
            (*right).r7 = fma(vec4(v.w), b, (*right).r7);
        }
    }
}
