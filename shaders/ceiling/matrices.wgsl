// Computes  y[i] = the part that an invocation holds of eight products of matrices, each added up `rounds` times: as many
//           multiply-adds a second as matrix units can do
// Layout    x: two left matrices, then four right ones, of TILE x TILE f16; y: f32, one an invocation
// Bindings  0 params; 1 x; 2 y
// Overrides LANES, the invocations of a subgroup; SUBGROUPS of a workgroup, 8 at most.
// Dispatch  A workgroup for each run of LANES*SUBGROUPS elements, folded; `workgroups` have work.
// Limits    LANES is the size of every subgroup, and subgroups are runs of invocations. Exact while x holds small integers and
//           sums stay below 2^24. 8 KiB of workgroup memory for TILE 16.
// Writes    Every element of y, once.
// Order     Eight independent sums, the shape of conv2d/cooperative without its loads; then an invocation's elements of each.
// Uses      common/cooperative_8.wgsl or common/cooperative_16.wgsl
// Oracle    for matrices full of l0, l1 and of r0 to r3: y[i] = rounds * TILE^3 / LANES * (l0+l1) * (r0+r1+r2+r3)

override LANES: u32;
override SUBGROUPS: u32;

struct Params {
    workgroups: u32,
    rounds: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f16>>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// Vectors of a row of a matrix, and of a matrix.
const QUADS = TILE / 4;
const MATRIX = TILE * QUADS;

// [subgroup][row][column]: a sum, of which an element cannot be seen otherwise.
var<workgroup> sums: array<f32, 8 * TILE * TILE>;

// What a lane has of the sum left at `first`.
fn own(first: u32, lane: u32) -> f32 {
    var total = 0.0;
    for (var e = lane; e < TILE * TILE; e += LANES) {
        total += sums[first + e];
    }
    return total;
}

@compute @workgroup_size(LANES * SUBGROUPS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    // As common/index.wgsl says; spelled out, for naga does not see through a call that all of a workgroup agree.
    let flat = (workgroup.z * workgroups.y + workgroup.y) * workgroups.x + workgroup.x;
    if flat >= params.workgroups {
        return;
    }
    let lane = invocation % LANES;
    let mine = invocation / LANES * TILE * TILE;
    let left0 = coopLoad<Left>(&x[0], QUADS);
    let left1 = coopLoad<Left>(&x[MATRIX], QUADS);
    let right0 = coopLoad<Right>(&x[2 * MATRIX], QUADS);
    let right1 = coopLoad<Right>(&x[3 * MATRIX], QUADS);
    let right2 = coopLoad<Right>(&x[4 * MATRIX], QUADS);
    let right3 = coopLoad<Right>(&x[5 * MATRIX], QUADS);
    var s00: Sum;
    var s01: Sum;
    var s02: Sum;
    var s03: Sum;
    var s10: Sum;
    var s11: Sum;
    var s12: Sum;
    var s13: Sum;
    for (var round = 0u; round < params.rounds; round++) {
        s00 = coopMultiplyAdd(left0, right0, s00);
        s10 = coopMultiplyAdd(left1, right0, s10);
        s01 = coopMultiplyAdd(left0, right1, s01);
        s11 = coopMultiplyAdd(left1, right1, s11);
        s02 = coopMultiplyAdd(left0, right2, s02);
        s12 = coopMultiplyAdd(left1, right2, s12);
        s03 = coopMultiplyAdd(left0, right3, s03);
        s13 = coopMultiplyAdd(left1, right3, s13);
    }
    var total = 0.0;
    coopStoreT(s00, &sums[mine], TILE);
    workgroupBarrier();
    total += own(mine, lane);
    workgroupBarrier();
    coopStoreT(s01, &sums[mine], TILE);
    workgroupBarrier();
    total += own(mine, lane);
    workgroupBarrier();
    coopStoreT(s02, &sums[mine], TILE);
    workgroupBarrier();
    total += own(mine, lane);
    workgroupBarrier();
    coopStoreT(s03, &sums[mine], TILE);
    workgroupBarrier();
    total += own(mine, lane);
    workgroupBarrier();
    coopStoreT(s10, &sums[mine], TILE);
    workgroupBarrier();
    total += own(mine, lane);
    workgroupBarrier();
    coopStoreT(s11, &sums[mine], TILE);
    workgroupBarrier();
    total += own(mine, lane);
    workgroupBarrier();
    coopStoreT(s12, &sums[mine], TILE);
    workgroupBarrier();
    total += own(mine, lane);
    workgroupBarrier();
    coopStoreT(s13, &sums[mine], TILE);
    workgroupBarrier();
    total += own(mine, lane);
    workgroupBarrier();
    y[flat * LANES * SUBGROUPS + invocation] = total;
}
