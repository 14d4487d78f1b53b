// Computes  m[p,o,t] = sum_i sum_j sum_c u[o,p,i,j,c] * d[p,c,t+(i,j)] as conv2d/winograd_product does.
// Layout    As there, with blocks of ROWS channels.
// Bindings  0 params; 1 d; 2 p, u of this dispatch's blocks; 3 m.
// Overrides ROWS, CELLS (64 or 128), a workgroup's channels and tiles.
// Dispatch  A workgroup computes a block, ROWS channels, of CELLS tiles, an invocation 8 channels of two times four
//           tiles in a row. Tiles vary fastest, then blocks, then positions; `groups` workgroups have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. 16 KiB of workgroup memory.
// Writes    Every element of this dispatch's blocks, once.
// Order     One f32 accumulator an element: i, j, c ascending.
// Uses      conv2d/stages.wgsl, conv2d/stages_words.wgsl or conv2d/stages_vectors.wgsl, common/index.wgsl, common/tile.wgsl,
//           conv2d/winograd_operands.wgsl, conv2d/weights.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_*_output
//
// Why: as conv2d/staged.

@group(0) @binding(1) var<storage, read> d: array<f32>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4<f32>>;

// The q-th four channels of a transformed tile, from their first on; past the last quad they repeat it.
fn four_channels(first: u32, q: u32, quads: u32) -> vec4<f32> {
    let i = first + 4 * min(q, quads - 1) * params.source_tiles;
    let step = params.source_tiles;
    return vec4(d[i], d[i + step], d[i + 2 * step], d[i + 3 * step]);
}

// Stores eight rows from m[i] on, `step` vectors apart.
fn store_tile(i: u32, step: u32, tile: Tile) {
    m[i] = tile.r0;
    m[i + step] = tile.r1;
    m[i + 2 * step] = tile.r2;
    m[i + 3 * step] = tile.r3;
    m[i + 4 * step] = tile.r4;
    m[i + 5 * step] = tile.r5;
    m[i + 6 * step] = tile.r6;
    m[i + 7 * step] = tile.r7;
}

@compute @workgroup_size(ROWS * CELLS / 64)
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
    let quads = params.group_channels / 4;
    let group = (params.first_block + block) / params.group_blocks;

    // What this invocation stages. Tiles past the last repeat it; they are not stored.
    let block_row = staged_row(invocation);
    let own_tile = staged_cell(invocation);
    let own_column = min(first_column + own_tile / 4, columns - 1);
    let own_source = own_column / params.width * params.source_width + own_column % params.width;
    let channel = position * params.channels + group * params.group_channels;
    let own_cell = channel * params.source_tiles + 4 * own_source + own_tile % 4;
    let pieces = params.piece_rows * params.piece_columns;
    let own_row = (block * params.positions + position) * pieces * quads * ROWS + block_row;
    let w_quad = row_quad(invocation);
    let c_quad = cell_quad(invocation);

    let place = place_of(invocation);
    var left: Tile;
    var right: Tile;
    var piece = 0u;
    var q = 0u;
    var source = own_cell;
    let stages = pieces * ((quads + STAGE - 1) / STAGE);
    // Each round loads a stage and multiplies the one before it.
    for (var round = 0u; round <= stages; round++) {
        let more = round < stages;
        // As they come: what uses them, here, would wait for them before it multiplies.
        var rows: vec4<f32>;
        var more_rows: vec4<f32>;
        var cells: vec4<f32>;
        var more_cells: vec4<f32>;
        if more {
            let weights = own_row + piece * quads * ROWS;
            rows = weights_at(weights + min(q + w_quad, quads - 1) * ROWS);
            if CELLS < 128 {
                more_rows = weights_at(weights + min(q + 1, quads - 1) * ROWS);
            }
            cells = four_channels(source, q + c_quad, quads);
            if ROWS < 128 {
                more_cells = four_channels(source, q + 1, quads);
            }
        }
        if round > 0 {
            multiply_stage(&left, &right, (round - 1) % 2, place);
        }
        if more {
            // A stage may reach past the last quad, where there are none.
            put_row(round % 2, w_quad, block_row, select(vec4<f32>(), rows, q + w_quad < quads));
            if CELLS < 128 {
                put_row(round % 2, 1, block_row, select(vec4<f32>(), more_rows, q + 1 < quads));
            }
            put_cell(round % 2, c_quad, own_tile, select(vec4<f32>(), cells, q + c_quad < quads));
            if ROWS < 128 {
                put_cell(round % 2, 1, own_tile, select(vec4<f32>(), more_cells, q + 1 < quads));
            }
            q += STAGE;
            if q >= quads {
                q = 0;
                piece++;
                let place_of_piece = piece / params.piece_columns * params.source_width + piece % params.piece_columns;
                source = own_cell + 4 * place_of_piece;
            }
        }
        workgroupBarrier();
    }

    let row = position * params.rows + (params.first_block + block) * ROWS + 8 * place.row_group;
    let left_column = first_column + place.column_group;
    let right_column = left_column + CELLS / 8;
    if left_column < columns {
        store_tile(row * columns + left_column, columns, left);
    }
    if right_column < columns {
        store_tile(row * columns + right_column, columns, right);
    }
}
