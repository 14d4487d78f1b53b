// Sums that were taken in parts, one map after the other: uniforms and operands of the kernels that add them.

struct Params {
    // Words of y, which has one or two elements in each, elements of a part, and cells of a plane: in fours, where an invocation adds up
    // four.
    words: u32,
    elements: u32,
    plane_cells: u32,
    channels: u32,
    parts: u32,
}

override BIAS: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<Sums>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
