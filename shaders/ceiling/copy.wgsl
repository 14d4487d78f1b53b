// Computes  y = x: as many bytes a second as a kernel can move
// Layout    x, y: 16-byte blocks
// Bindings  0 params; 1 x; 2 y
// Overrides RUN, blocks an invocation copies; WORKGROUP
// Dispatch  A workgroup RUN * WORKGROUP blocks in a row, in rounds of one an invocation, neighbours neighbouring ones; folded.
// Limits    Fewer than 2^31 blocks.
// Writes    Every block of y, once.
// Order     Any.
// Uses      common/index.wgsl, common/vectors.wgsl, common/vectors_u64.wgsl
// Oracle    x

override RUN: u32;
override WORKGROUP: u32 = 64;

struct Params {
    blocks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = flat_workgroup(workgroup, workgroups) * WORKGROUP * RUN + lane;
    for (var k = 0u; k < RUN; k++) {
        let at = first + k * WORKGROUP;
        if at < params.blocks {
            y[at] = x[at];
        }
    }
}
