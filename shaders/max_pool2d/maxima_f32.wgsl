// Infinity as bits.
const INFINITY: u32 = 0x7f800000;

// The maxima of two 2x2 windows side by side of f32, as words, and where they are.
struct Maxima {
    words: vec2<u32>,
    // Which of its window's cells each is, 0 to 3 in raster order; of the second channel, where words hold two.
    cells: vec2<u32>,
    second_cells: vec2<u32>,
}

// Maxima of two rows of four words, the first two of each being the left window's.
fn maxima(upper: vec4<u32>, lower: vec4<u32>) -> Maxima {
    let best = best_of(upper, lower);
    return Maxima(best.bits, best.cells, vec2<u32>());
}
