// Computes  m[p,o,t] = sum_i sum_j sum_c u[o,p,i,j,c] * d[p,c,t+(i,j)]: one matrix product for each position p of a transformed
//           tile and each group, over the group's channels and the pieces of the kernel, in rows i and columns j of pieces;
//           t+(i,j) is the tile that lies i rows and j columns on.
// Layout    d: positions x channels x source_tiles; u: blocks x positions x piece_rows x piece_columns x group_channels/4 x
//           ROWS x 4, as conv2d/winograd_*_weight leave it; m: positions x rows x tiles, rows the channels of all blocks. Four
//           tiles are a vector; those of d and of m lie in rows, in which the next vector has the next columns.
// Bindings  0 params; 1 d; 2 p, u of this dispatch's blocks; 3 m.
// Overrides ROWS (8, 16, 24 or 32), output channels of a block; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation computes ROWS channels of four tiles in a row, a workgroup 4*WORKGROUP tiles. Tiles vary fastest,
//           then blocks, then positions; `groups` workgroups have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every element of this dispatch's blocks, once.
// Order     One f32 accumulator an element: i, j, c ascending.
// Uses      common/index.wgsl, common/tile.wgsl, conv2d/winograd_operands.wgsl, conv2d/winograd_store.wgsl,
//           conv2d/weights.wgsl or common/words_u64.wgsl, conv2d/weights_u64.wgsl, conv2d/rows_loaded.wgsl, conv2d/one_tile.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_*_output
//
// Why: as conv2d/tiled.

override ROWS: u32;
override WORKGROUP: u32 = 8;

@group(0) @binding(1) var<storage, read> d: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let flat = flat_workgroup(workgroup, workgroups);
    let step = params.tiles / 4;
    let column = flat % params.tile_groups * WORKGROUP + invocation;
    if flat >= params.groups || column >= step {
        return;
    }
    let block = flat / params.tile_groups % params.blocks;
    let position = flat / params.tile_groups / params.blocks;
    let quads = params.group_channels / 4;
    let group = (params.first_block + block) / params.group_blocks;
    let source_step = params.source_tiles / 4;
    let first = (position * params.channels + group * params.group_channels) * source_step
        + column / params.width * params.source_width + column % params.width;
    var i = (block * params.positions + position) * params.piece_rows * params.piece_columns * quads * ROWS;
    var t0: Tile;
    var t1: Tile;
    var t2: Tile;
    var t3: Tile;
    for (var piece_row = 0u; piece_row < params.piece_rows; piece_row++) {
        for (var piece_column = 0u; piece_column < params.piece_columns; piece_column++) {
            var source = first + piece_row * params.source_width + piece_column;
            for (var q = 0u; q < quads; q++) {
                let columns = mat4x4(
                    d[source],
                    d[source + source_step],
                    d[source + 2 * source_step],
                    d[source + 3 * source_step],
                );
                multiply_add_at(&t0, columns, i);
                if ROWS > 8 { multiply_add_at(&t1, columns, i + 8); }
                if ROWS > 16 { multiply_add_at(&t2, columns, i + 16); }
                if ROWS > 24 { multiply_add_at(&t3, columns, i + 24); }
                source += 4 * source_step;
                i += ROWS;
            }
        }
    }
    let to = (position * params.rows + (params.first_block + block) * ROWS) * step + column;
    store_rows(to, step, t0, t1, t2, t3);
}
