// Computes  y = x: as many bytes a second as a kernel can move
// Layout    x, y: 16-byte blocks
// Bindings  0 params; 1 x; 2 y
// Overrides RUN, blocks an invocation copies, one after the other; WORKGROUP
// Dispatch  Invocations take runs of blocks in order, folded.
// Limits    Fewer than 2^31 blocks.
// Writes    Every block of y, once.
// Order     Any.
// Uses      common/index.wgsl
// Oracle    x

override RUN: u32;
override WORKGROUP: u32 = 64;

struct Params {
    blocks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = (flat_workgroup(workgroup, workgroups) * WORKGROUP + lane) * RUN;
    for (var k = 0u; k < RUN; k++) {
        if first + k < params.blocks {
            y[first + k] = x[first + k];
        }
    }
}
