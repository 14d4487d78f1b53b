// Lines of memory in their order, for kernels of CPU drivers that go through windows row by row. These alternate between two rows of
// the larger map, and a processor does not fetch ahead as it does for what is read in the order of memory. So a word of every line of
// the upper row is read before its windows: no line is asked for before the one in front of it. For kernels that bring `vector_at`,
// the larger map's, and WORKGROUP.

// Vectors of a line of 64 bytes.
const LINE: u32 = 4;

// Reads the lines of the upper row, and gives 0: what nobody uses would not be read.
fn read_upper_row(row: Row, invocation: u32) -> u32 {
    var words = 0u;
    for (var k = LINE * invocation; k < params.row_pairs; k += LINE * WORKGROUP) {
        words |= quad_words(vector_at(row.vector + k)).x;
    }
    return words & params.zero;
}
