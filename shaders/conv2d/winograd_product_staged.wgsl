// Computes  m[p,o,t] = sum_i sum_j sum_c u[o,p,i,j,c] * d[p,c,t+(i,j)] as conv2d/winograd_product does.
// Layout    As there, with blocks of ROWS channels, u by FOUR_ROWS.
// Bindings  0 params; 1 d; 2 p, u of this dispatch's blocks; 3 m.
// Overrides ROWS, CELLS (32, 64 or 128), a workgroup's channels and tiles; SIDE (4 or 8), an invocation's; TAIL.
// Dispatch  A workgroup computes a block, ROWS channels, of CELLS tiles, an invocation SIDE channels of SIDE tiles, by
//           fours in a row. Tiles vary fastest, then blocks, then positions; `groups` workgroups have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. 12 KiB of workgroup memory.
// Writes    Every element of this dispatch's blocks, once.
// Order     One f32 accumulator an element: i, j, c ascending.
// Uses      conv2d/stages.wgsl, common/index.wgsl, common/tile.wgsl, conv2d/winograd_operands.wgsl, conv2d/weights.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_*_output
//
// Why: as conv2d/staged.

@group(0) @binding(1) var<storage, read> d: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4<f32>>;

// Stores an invocation's rows of a tile from m[i] on, `step` vectors apart.
fn store_tile(i: u32, step: u32, tile: Tile) {
    m[i] = tile.r0;
    m[i + step] = tile.r1;
    m[i + 2 * step] = tile.r2;
    m[i + 3 * step] = tile.r3;
    if SIDE == 8 {
        m[i + 4 * step] = tile.r4;
        m[i + 5 * step] = tile.r5;
        m[i + 6 * step] = tile.r6;
        m[i + 7 * step] = tile.r7;
    }
}

@compute @workgroup_size(ROWS * CELLS / (SIDE * SIDE))
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    // All of a workgroup or none: the barriers below are met by all of it.
    if flat >= params.groups {
        return;
    }
    let columns = params.tiles / 4;
    let first_column = flat % params.tile_groups * (CELLS / 4);
    let block = flat / params.tile_groups % params.blocks;
    let position = flat / params.tile_groups / params.blocks;
    let channels = params.group_channels;
    let group = (params.first_block + block) / params.group_blocks;

    // What this invocation stages: a channel's weights for four rows, and a vector of tiles. Vectors past the last repeat it; they are
    // not stored.
    let own_column = min(first_column + invocation % (CELLS / 4), columns - 1);
    let plane_vectors = params.source_tiles / 4;
    let own_plane = (position * params.channels + group * channels) * plane_vectors;
    let own_source = own_plane + own_column / params.width * params.source_width + own_column % params.width;
    let pieces = params.piece_rows * params.piece_columns;
    let own_weights = (block * params.positions + position) * pieces * channels * (ROWS / 4) + invocation % (ROWS / 4);

    let place = place_of(invocation);
    var left: Tile;
    var right: Tile;
    var rows: array<vec4<f32>, 4>;
    var cells: array<vec4<f32>, 4>;
    var piece = 0u;
    var first = 0u;
    var source = own_source;
    for (var i = 0u; i < 4; i++) { // unrolled
        let row_channel = existing(row_term(invocation, i), channels);
        let cell_channel = existing(cell_term(invocation, i), channels);
        if i < row_vectors() { rows[i] = weights_at(own_weights + row_channel * (ROWS / 4)); }
        if i < cell_vectors() { cells[i] = d[source + cell_channel * plane_vectors]; }
    }
    let stages = pieces * ((channels + TERMS - 1) / TERMS);
    for (var round = 0u; round < stages; round++) {
        for (var i = 0u; i < 4; i++) { // unrolled
            let at = invocation + i * invocations();
            if i < row_vectors() {
                staged_rows[at] = select(vec4<f32>(), rows[i], exists(first + row_term(invocation, i), channels));
            }
            if i < cell_vectors() {
                staged_cells[at] = select(vec4<f32>(), cells[i], exists(first + cell_term(invocation, i), channels));
            }
        }
        workgroupBarrier();
        // The next stage, or the last again, is under way while this one is multiplied; what uses it would wait for it.
        if first + TERMS < channels {
            first += TERMS;
        } else if piece + 1 < pieces {
            first = 0;
            piece++;
            source = own_source + piece / params.piece_columns * params.source_width + piece % params.piece_columns;
        }
        let weights = own_weights + piece * channels * (ROWS / 4);
        for (var i = 0u; i < 4; i++) { // unrolled
            let row_channel = existing(first + row_term(invocation, i), channels);
            let cell_channel = existing(first + cell_term(invocation, i), channels);
            if i < row_vectors() { rows[i] = weights_at(weights + row_channel * (ROWS / 4)); }
            if i < cell_vectors() { cells[i] = d[source + cell_channel * plane_vectors]; }
        }
        multiply_stage(&left, &right, place);
        workgroupBarrier();
    }

    let row = position * params.rows + (params.first_block + block) * ROWS + SIDE * place.row_group;
    let left_column = first_column + place.column_group;
    let right_column = left_column + CELLS / 8;
    if left_column < columns {
        store_tile(row * columns + left_column, columns, left);
    }
    if SIDE == 8 && right_column < columns {
        store_tile(row * columns + right_column, columns, right);
    }
}
