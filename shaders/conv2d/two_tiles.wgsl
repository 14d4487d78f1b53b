// Products with two vectors of cells, so that a weight serves eight. For kernels with common/tile and conv2d/rows_loaded or
// conv2d/rows_gathered.

// Adds four terms to two tiles of registers.
fn multiply_add_two(a: ptr<function, Tile>, b: ptr<function, Tile>, left: mat4x4<f32>, right: mat4x4<f32>, rows: EightRows) {
    let w0 = row_0(rows);
    (*a).r0 = four_terms((*a).r0, w0, left);
    (*b).r0 = four_terms((*b).r0, w0, right);
    let w1 = row_1(rows);
    (*a).r1 = four_terms((*a).r1, w1, left);
    (*b).r1 = four_terms((*b).r1, w1, right);
    let w2 = row_2(rows);
    (*a).r2 = four_terms((*a).r2, w2, left);
    (*b).r2 = four_terms((*b).r2, w2, right);
    let w3 = row_3(rows);
    (*a).r3 = four_terms((*a).r3, w3, left);
    (*b).r3 = four_terms((*b).r3, w3, right);
    let w4 = row_4(rows);
    (*a).r4 = four_terms((*a).r4, w4, left);
    (*b).r4 = four_terms((*b).r4, w4, right);
    let w5 = row_5(rows);
    (*a).r5 = four_terms((*a).r5, w5, left);
    (*b).r5 = four_terms((*b).r5, w5, right);
    let w6 = row_6(rows);
    (*a).r6 = four_terms((*a).r6, w6, left);
    (*b).r6 = four_terms((*b).r6, w6, right);
    let w7 = row_7(rows);
    (*a).r7 = four_terms((*a).r7, w7, left);
    (*b).r7 = four_terms((*b).r7, w7, right);
}
