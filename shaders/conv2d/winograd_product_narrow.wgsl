// Computes  m[p,o,t] = sum_c u[o,p,c] * d[p,c,t]: what conv2d/winograd_product does, in narrower tiles.
// Layout    As there, for kernels of one piece: one row of vectors.
// Bindings  0 params; 1 d; 2 p, u of this dispatch's blocks; 3 m.
// Overrides ROWS (8, 16, 24 or 32), output channels of a block; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation computes ROWS channels of two tiles in a row, a workgroup 2*WORKGROUP tiles. Tiles vary fastest,
//           then blocks, then positions; `groups` workgroups have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every element of this dispatch's blocks, once.
// Order     One f32 accumulator an element: c ascending, as in conv2d/winograd_product.
// Uses      common/index.wgsl, conv2d/winograd_operands.wgsl, conv2d/weights.wgsl or common/words_u64.wgsl,
//           conv2d/weights_u64.wgsl, with either conv2d/rows_loaded.wgsl, or conv2d/rows_gathered.wgsl,
//           and conv2d/block_rows.wgsl
// Oracle    reference::conv2d, through conv2d/winograd_*_output
//
// Why: a small map has few tiles (14x14 cells have sixteen of 4x4), of which four an invocation would leave half of a CPU driver's
// lanes idle. Each weight serves half as many cells, which costs less than the idle lanes did.

override ROWS: u32;
override WORKGROUP: u32 = 8;

@group(0) @binding(1) var<storage, read> d: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> m: array<vec2<f32>>;

// Eight rows by two cells, two rows a vector.
struct Narrow {
    r01: vec4<f32>,
    r23: vec4<f32>,
    r45: vec4<f32>,
    r67: vec4<f32>,
}

// Four terms of the sums for two rows, whose weights are a and b; `first` has two cells of each of the first two terms, `second`
// of the others.
fn four_terms(rows: vec4<f32>, a: vec4<f32>, b: vec4<f32>, first: vec4<f32>, second: vec4<f32>) -> vec4<f32> {
    let one = fma(vec4(a.x, a.x, b.x, b.x), first.xyxy, rows);
    let two = fma(vec4(a.y, a.y, b.y, b.y), first.zwzw, one);
    let three = fma(vec4(a.z, a.z, b.z, b.z), second.xyxy, two);
    return fma(vec4(a.w, a.w, b.w, b.w), second.zwzw, three);
}

fn multiply_add_rows(tile: ptr<function, Narrow>, first: vec4<f32>, second: vec4<f32>, rows: EightRows) {
    (*tile).r01 = four_terms((*tile).r01, row_0(rows), row_1(rows), first, second);
    (*tile).r23 = four_terms((*tile).r23, row_2(rows), row_3(rows), first, second);
    (*tile).r45 = four_terms((*tile).r45, row_4(rows), row_5(rows), first, second);
    (*tile).r67 = four_terms((*tile).r67, row_6(rows), row_7(rows), first, second);
}

// Stores eight rows from m[i] on, `step` vectors apart.
fn store_tile(i: u32, step: u32, tile: Narrow) {
    m[i] = tile.r01.xy;
    m[i + step] = tile.r01.zw;
    m[i + 2 * step] = tile.r23.xy;
    m[i + 3 * step] = tile.r23.zw;
    m[i + 4 * step] = tile.r45.xy;
    m[i + 5 * step] = tile.r45.zw;
    m[i + 6 * step] = tile.r67.xy;
    m[i + 7 * step] = tile.r67.zw;
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
    let step = params.tiles / 2;
    let column = flat % params.tile_groups * WORKGROUP + invocation.index;
    let block = flat / params.tile_groups % params.blocks;
    let position = flat / params.tile_groups / params.blocks;
    let quads = params.group_channels / 4;
    let group = (params.first_block + block) / params.group_blocks;
    // Tiles past the last repeat it and are not stored: an invocation may have weights that others need.
    var source = (position * params.channels + group * params.group_channels) * step + min(column, step - 1);
    var i = (block * params.positions + position) * quads * ROWS;
    var t0: Narrow;
    var t1: Narrow;
    var t2: Narrow;
    var t3: Narrow;
    for (var q = 0u; q < quads; q++) {
        let rows = block_rows(i, invocation.index);
        let first = vec4(d[source], d[source + step]);
        let second = vec4(d[source + 2 * step], d[source + 3 * step]);
        multiply_add_rows(&t0, first, second, rows.r0);
        if ROWS > 8 { multiply_add_rows(&t1, first, second, rows.r8); }
        if ROWS > 16 { multiply_add_rows(&t2, first, second, rows.r16); }
        if ROWS > 24 { multiply_add_rows(&t3, first, second, rows.r24); }
        source += 4 * step;
        i += ROWS;
    }
    if column >= step {
        return;
    }
    let to = (position * params.rows + (params.first_block + block) * ROWS) * step + column;
    store_tile(to, step, t0);
    if ROWS > 8 { store_tile(to + 8 * step, step, t1); }
    if ROWS > 16 { store_tile(to + 16 * step, step, t2); }
    if ROWS > 24 { store_tile(to + 24 * step, step, t3); }
}
