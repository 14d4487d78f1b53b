// Computes  y[n,c, cell] = 1 + the largest flat position e with switches[e] = cell; 0, as cleared, if there is none: the
//           second of scatter's three passes.
// Layout    switches: NCHW, u32, flat in a plane of the origin's width; y: NCHW, words, the origin in its upper left.
// Bindings  0 params; 1 switches; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation a switch, folded.
// Limits    Every switch lies in its origin plane (Switches::new refuses others); fewer than 2^31 elements.
// Writes    Claimed words of y, by atomic maximum.
// Order     Any: a maximum does not depend on it, so overlapping windows give the same y always.
// Uses      common/index.wgsl
// Oracle    reference::max_unpool2d, after all three

struct Params {
    // Switches.
    elements: u32,
    // Elements of a plane of switches, and of y.
    x_plane: u32,
    y_plane: u32,
    // Columns of the planes that were pooled, and of y.
    origin_w: u32,
    out_w: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> switches: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index >= params.elements {
        return;
    }
    let cell = switches[index];
    let row = cell / params.origin_w;
    let column = cell % params.origin_w;
    atomicMax(&y[index / params.x_plane * params.y_plane + row * params.out_w + column], index + 1);
}
