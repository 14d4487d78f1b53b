// Computes  y[n,o] = b[o] + A^T m[.,o,t] A for the MH x MW cells of each tile t as conv2d/winograd_eight_output does.
// Layout    As there, without a pooling.
// Bindings  0 params; 1 m; 2 b, read if BIAS; 3 y.
// Overrides MH, MW, output cells of a tile along each axis (2 to 7); BIAS, RELU; WORKGROUP, the invocations of a workgroup;
//           CELLS, WORKGROUP*MH*MW.
// Dispatch  An invocation makes one tile of one channel; tiles vary fastest. count * out_channels have work. Folded.
// Limits    Each operand fits one binding and has fewer than 2^31 elements. 14 KiB of workgroup memory at most.
// Writes    Every cell of y that lies in this dispatch's tiles, once.
// Order     Along each row of m, then along each column of the result, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl, conv2d/inverse.wgsl, conv2d/winograd_eight_inverse.wgsl
// Oracle    reference::conv2d
//
// Why: a GPU moves what neighbouring invocations write in whole runs of 32 bytes and more. The cells of a row of a tile lie MW
// apart for neighbouring tiles, so that each run would be written in parts, several times; by way of workgroup memory
// neighbours write neighbours.

override WORKGROUP: u32 = 64;
override CELLS: u32;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// [row of a tile][tile][column of a tile]
var<workgroup> cells: array<f32, CELLS>;
// Where each tile's first cell lies in y, and the rows and columns that it has there.
var<workgroup> places: array<vec3<u32>, WORKGROUP>;

// Keeps a column of a tile, which the workgroup's invocation of its number makes.
fn keep(tile: OutputTile, j: u32, z: array<f32, 7>) {
    let at = tile.i % WORKGROUP * MW + j;
    let step = WORKGROUP * MW;
    cells[at] = activate(z[0] + tile.offset);
    cells[at + step] = activate(z[1] + tile.offset);
    if MH > 2 { cells[at + 2 * step] = activate(z[2] + tile.offset); }
    if MH > 3 { cells[at + 3 * step] = activate(z[3] + tile.offset); }
    if MH > 4 { cells[at + 4 * step] = activate(z[4] + tile.offset); }
    if MH > 5 { cells[at + 5 * step] = activate(z[5] + tile.offset); }
    if MH > 6 { cells[at + 6 * step] = activate(z[6] + tile.offset); }
}

fn store_columns(tile: OutputTile, j: u32, left: array<f32, 7>, right: array<f32, 7>) {
    keep(tile, j, left);
    if j + 1 < MW { keep(tile, j + 1, right); }
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let i = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    var place = vec3<u32>();
    if i < params.count * params.out_channels {
        let tile = tile_at(i);
        make(tile);
        let first = (tile.plane * params.out_h + tile.y) * params.out_w + tile.x;
        place = vec3(first, min(params.out_h - tile.y, MH), min(params.out_w - tile.x, MW));
    }
    places[invocation] = place;
    workgroupBarrier();
    for (var e = invocation; e < WORKGROUP * MW; e += WORKGROUP) {
        let to = places[e / MW];
        let column = e % MW;
        if column < to.z {
            for (var r = 0u; r < to.y; r++) {
                y[to.x + r * params.out_w + column] = cells[r * WORKGROUP * MW + e];
            }
        }
    }
}
