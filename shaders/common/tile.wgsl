// A register tile of a matrix product: eight rows by four cells, in eight vectors that never leave an invocation. Naga
// does not unroll loops and drivers need not, so the rows are written out; a kernel of more rows holds several tiles.
struct Tile {
    r0: vec4<f32>,
    r1: vec4<f32>,
    r2: vec4<f32>,
    r3: vec4<f32>,
    r4: vec4<f32>,
    r5: vec4<f32>,
    r6: vec4<f32>,
    r7: vec4<f32>,
}

// sum + w.x * x.x + w.y * x.y + w.z * x.z + w.w * x.w: four terms of the sum for one cell.
fn cell_terms(sum: f32, w: vec4<f32>, x: vec4<f32>) -> f32 {
    let first = fma(w.x, x.x, sum);
    let second = fma(w.y, x.y, first);
    let third = fma(w.z, x.z, second);
    return fma(w.w, x.w, third);
}

// row + w.x * x[0] + w.y * x[1] + w.z * x[2] + w.w * x[3]: four terms of the sum for one row. Cell by cell, so that a compiler that keeps
// to this order needs registers for one sum at a time.
fn four_terms(row: vec4<f32>, w: vec4<f32>, x: mat4x4<f32>) -> vec4<f32> {
    return vec4(
        cell_terms(row.x, w, vec4(x[0].x, x[1].x, x[2].x, x[3].x)),
        cell_terms(row.y, w, vec4(x[0].y, x[1].y, x[2].y, x[3].y)),
        cell_terms(row.z, w, vec4(x[0].z, x[1].z, x[2].z, x[3].z)),
        cell_terms(row.w, w, vec4(x[0].w, x[1].w, x[2].w, x[3].w)),
    );
}

// Adds the products of a vector of weights for each row and the four cells of four terms, one column of x a term.
fn multiply_add(
    tile: ptr<function, Tile>,
    x: mat4x4<f32>,
    w0: vec4<f32>,
    w1: vec4<f32>,
    w2: vec4<f32>,
    w3: vec4<f32>,
    w4: vec4<f32>,
    w5: vec4<f32>,
    w6: vec4<f32>,
    w7: vec4<f32>,
) {
    (*tile).r0 = four_terms((*tile).r0, w0, x);
    (*tile).r1 = four_terms((*tile).r1, w1, x);
    (*tile).r2 = four_terms((*tile).r2, w2, x);
    (*tile).r3 = four_terms((*tile).r3, w3, x);
    (*tile).r4 = four_terms((*tile).r4, w4, x);
    (*tile).r5 = four_terms((*tile).r5, w5, x);
    (*tile).r6 = four_terms((*tile).r6, w6, x);
    (*tile).r7 = four_terms((*tile).r7, w7, x);
}
