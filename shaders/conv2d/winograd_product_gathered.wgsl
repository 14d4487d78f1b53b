// Computes  m[p,o,t] = sum_c u[o,p,c] * d[p,c,t]: one matrix product for each position p of a transformed tile and each group, as
//           conv2d/winograd_product, for kernels of one piece.
// Layout    As there: one row of vectors.
// Bindings  0 params; 1 d; 2 p, u of this dispatch's blocks; 3 m.
// Overrides ROWS (8, 16, 24 or 32), output channels of a block; WORKGROUP, LANES invocations.
// Dispatch  An invocation computes ROWS channels of two vectors of tiles, LANES apart, a workgroup 64 tiles. Tiles vary fastest, then
//           blocks, then positions; `groups` workgroups have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. Subgroups have LANES invocations.
// Writes    Every element of this dispatch's blocks, once.
// Order     One f32 accumulator an element: c ascending.
// Uses      common/index.wgsl, common/tile.wgsl, conv2d/winograd_operands.wgsl, conv2d/winograd_store.wgsl, conv2d/rows_gathered.wgsl,
//           conv2d/block_rows.wgsl, conv2d/two_tiles.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_*_output
//
// Why: where a gather takes little, tiles come straight from memory, and weights eight at a time (conv2d/rows_gathered). By words:
// eight lanes of 64 bits are a register of 512, beside which an Intel processor has fewer units for those of 256.

override ROWS: u32;
override WORKGROUP: u32 = 8;

@group(0) @binding(1) var<storage, read> d: array<vec4<f32>>;

// Four terms of the tiles of d[source].
fn columns(source: u32, step: u32) -> mat4x4<f32> {
    return mat4x4(d[source], d[source + step], d[source + 2 * step], d[source + 3 * step]);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    invocation: Invocation,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    if flat >= params.groups {
        return;
    }
    let lane = invocation.index;
    let step = params.tiles / 4;
    let column = flat % params.tile_groups * 2 * LANES + lane;
    let block = flat / params.tile_groups % params.blocks;
    let position = flat / params.tile_groups / params.blocks;
    let quads = params.group_channels / 4;
    let group = (params.first_block + block) / params.group_blocks;
    // Tiles past the last repeat it and are not stored: every lane has weights that the others need.
    let first = (position * params.channels + group * params.group_channels) * step;
    var left_source = first + min(column, step - 1);
    var right_source = first + min(column + LANES, step - 1);
    var i = (block * params.positions + position) * quads * ROWS;
    var a0: Tile;
    var a1: Tile;
    var a2: Tile;
    var a3: Tile;
    var b0: Tile;
    var b1: Tile;
    var b2: Tile;
    var b3: Tile;
    for (var q = 0u; q < quads; q++) {
        let rows = block_rows(i, lane);
        let left = columns(left_source, step);
        let right = columns(right_source, step);
        multiply_add_two(&a0, &b0, left, right, rows.r0);
        if ROWS > 8 { multiply_add_two(&a1, &b1, left, right, rows.r8); }
        if ROWS > 16 { multiply_add_two(&a2, &b2, left, right, rows.r16); }
        if ROWS > 24 { multiply_add_two(&a3, &b3, left, right, rows.r24); }
        left_source += 4 * step;
        right_source += 4 * step;
        i += ROWS;
    }
    let to = (position * params.rows + (params.first_block + block) * ROWS) * step + column;
    if column < step { store_rows(to, step, a0, a1, a2, a3); }
    if column + LANES < step { store_rows(to + LANES, step, b0, b1, b2, b3); }
}
