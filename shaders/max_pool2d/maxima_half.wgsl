// Infinity as bits in the upper half of a word whose lower half is 0: so channels are compared one after the other.
const INFINITY: u32 = 0x7c000000;

// The maxima of two 2x2 windows side by side of two channels in f16, as words, and where they are.
struct Maxima {
    words: vec2<u32>,
    // Which of its window's cells each is, 0 to 3 in raster order, by channel.
    cells: vec2<u32>,
    second_cells: vec2<u32>,
}

// Maxima of two rows of four words, the first two of each being the left window's.
fn maxima(upper: vec4<u32>, lower: vec4<u32>) -> Maxima {
    let first = best_of(upper << vec4(16u), lower << vec4(16u));
    let second = best_of(upper & vec4(SECOND_OF_WORD), lower & vec4(SECOND_OF_WORD));
    return Maxima((first.bits >> vec2(16u)) | second.bits, first.cells, second.cells);
}
