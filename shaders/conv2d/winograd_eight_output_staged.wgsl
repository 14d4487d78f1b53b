// Computes  y[n,o] = b[o] + A^T m[.,o,t] A for the MH x MW cells of each tile t as conv2d/winograd_eight_output does.
// Layout    As there, without a pooling.
// Bindings  0 params; 1 m; 2 b, read if BIAS; 3 y.
// Overrides MH, MW, output cells of a tile along each axis (2 to 7); BIAS, RELU; WORKGROUP, the invocations of a workgroup; CELLS,
//           WORKGROUP*MH*MW.
// Dispatch  An invocation makes one tile of one channel; tiles vary fastest. count * out_channels have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. 13 KiB of workgroup memory at most.
// Writes    Every cell of y that lies in this dispatch's tiles, once.
// Order     Along each row of m, then along each column of the result, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, conv2d/inverse.wgsl, conv2d/winograd_eight_inverse.wgsl
// Oracle    reference::conv2d
//
// Why: a GPU moves what neighbouring invocations write in whole runs of 32 bytes and more. The cells of a row of a tile lie MW apart for
// neighbouring tiles, so that each run would be written in parts, several times; by way of workgroup memory neighbours
// write neighbours.

override WORKGROUP: u32 = 64;
override CELLS: u32;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// [row of a tile][tile][column of a tile]
var<workgroup> cells: array<f32, CELLS>;
// Where each tile's first cell lies in y, and the rows and columns that it has there.
var<workgroup> places: array<vec3<u32>, WORKGROUP>;

// Keeps a column of this invocation's tile.
fn keep(invocation: u32, column: u32, z: array<f32, 7>, offset: f32) {
    let at = invocation * MW + column;
    let step = WORKGROUP * MW;
    cells[at] = activate(z[0] + offset);
    cells[at + step] = activate(z[1] + offset);
    if MH > 2 { cells[at + 2 * step] = activate(z[2] + offset); }
    if MH > 3 { cells[at + 3 * step] = activate(z[3] + offset); }
    if MH > 4 { cells[at + 4 * step] = activate(z[4] + offset); }
    if MH > 5 { cells[at + 5 * step] = activate(z[5] + offset); }
    if MH > 6 { cells[at + 6 * step] = activate(z[6] + offset); }
}

// Makes the i-th tile; where it lies.
fn make(invocation: u32, i: u32) -> vec3<u32> {
    let o = i / params.count;
    let row_of_m = o / params.group_outputs * params.group_rows + o % params.group_outputs;
    let at = row_of_m * params.tiles + i % params.count;
    let offset = bias(o);
    let r0 = row(at, 0);
    let r1 = row(at, 1);
    let r2 = row(at, 2);
    let r3 = row(at, 3);
    let r4 = row(at, 4);
    let r5 = row(at, 5);
    let r6 = row(at, 6);
    let r7 = row(at, 7);
    keep(invocation, 0, transform(array(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0], r6[0], r7[0]), MH), offset);
    keep(invocation, 1, transform(array(r0[1], r1[1], r2[1], r3[1], r4[1], r5[1], r6[1], r7[1]), MH), offset);
    if MW > 2 {
        keep(invocation, 2, transform(array(r0[2], r1[2], r2[2], r3[2], r4[2], r5[2], r6[2], r7[2]), MH), offset);
    }
    if MW > 3 {
        keep(invocation, 3, transform(array(r0[3], r1[3], r2[3], r3[3], r4[3], r5[3], r6[3], r7[3]), MH), offset);
    }
    if MW > 4 {
        keep(invocation, 4, transform(array(r0[4], r1[4], r2[4], r3[4], r4[4], r5[4], r6[4], r7[4]), MH), offset);
    }
    if MW > 5 {
        keep(invocation, 5, transform(array(r0[5], r1[5], r2[5], r3[5], r4[5], r5[5], r6[5], r7[5]), MH), offset);
    }
    if MW > 6 {
        keep(invocation, 6, transform(array(r0[6], r1[6], r2[6], r3[6], r4[6], r5[6], r6[6], r7[6]), MH), offset);
    }
    let tile = params.first_tile + i % params.count;
    let within = tile % params.image_tiles;
    let y0 = within / params.tile_columns * MH;
    let x0 = within % params.tile_columns * MW;
    let plane = tile / params.image_tiles * params.out_channels + o;
    let first = (plane * params.out_h + y0) * params.out_w + x0;
    return vec3(first, min(params.out_h - y0, MH), min(params.out_w - x0, MW));
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let i = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    var own = vec3<u32>();
    if i < params.count * params.out_channels {
        own = make(invocation, i);
    }
    places[invocation] = own;
    workgroupBarrier();
    for (var e = invocation; e < WORKGROUP * MW; e += WORKGROUP) {
        let place = places[e / MW];
        let column = e % MW;
        if column < place.z {
            for (var r = 0u; r < place.y; r++) {
                y[place.x + r * params.out_w + column] = cells[r * WORKGROUP * MW + e];
            }
        }
    }
}
