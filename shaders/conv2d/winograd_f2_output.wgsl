// Computes  y[n,o] = b[o] + A^T m[.,o,t] A for the 2x2 cells of each tile t, as many as there are, negative ones made
//           zero if RELU: the end of F(2x2, 3x3).
// Layout    m: 16 x channels x tiles; b: Cout; y: N x Cout x OH x OW.
// Bindings  0 params; 1 m; 2 b, read if BIAS; 3 y.
// Overrides BIAS, RELU; WORKGROUP, the invocations of a workgroup.
// Dispatch  An invocation makes one tile of one channel; tiles vary fastest. count * out_channels have work.
// Limits    Each operand fits one binding and has fewer than 2^31 elements.
// Writes    Every cell of this dispatch's tiles, once.
// Order     Along each row of m, then along each column of the result, the bias last.
// Uses      common/index.wgsl, common/activation.wgsl
// Oracle    reference::conv2d
//
// A^T is that of Lavin and Gray, "Fast algorithms for convolutional neural networks" (2015), section 4.1.

struct Params {
    out_channels: u32,
    out_h: u32,
    out_w: u32,
    tile_columns: u32,
    image_tiles: u32,
    // This dispatch's tiles: the first (counted over the whole batch), how many, and how many m has room for.
    first_tile: u32,
    count: u32,
    tiles: u32,
    // Channels of m: whole blocks.
    channels: u32,
}

override BIAS: bool;
override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> m: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// A^T m for one row or column m.
fn transform(m: vec4<f32>) -> vec2<f32> {
    return vec2(m.x + m.y + m.z, m.y - m.z - m.w);
}

// The transform of row i; `at` is m[0, o, t].
fn row(at: u32, i: u32) -> vec2<f32> {
    let step = params.channels * params.tiles;
    let first = at + 4 * i * step;
    return transform(vec4(m[first], m[first + step], m[first + 2 * step], m[first + 3 * step]));
}

fn store(plane: u32, row: u32, column: u32, value: f32, offset: f32) {
    if row < params.out_h && column < params.out_w {
        y[(plane * params.out_h + row) * params.out_w + column] = activate(value + offset);
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let i = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if i >= params.count * params.out_channels {
        return;
    }
    let o = i / params.count;
    let at = o * params.tiles + i % params.count;
    let tile = params.first_tile + i % params.count;
    let within = tile % params.image_tiles;
    let y0 = within / params.tile_columns * 2;
    let x0 = within % params.tile_columns * 2;
    let plane = tile / params.image_tiles * params.out_channels + o;
    var offset = 0.0;
    if BIAS {
        offset = b[o];
    }
    let r0 = row(at, 0);
    let r1 = row(at, 1);
    let r2 = row(at, 2);
    let r3 = row(at, 3);
    let c0 = transform(vec4(r0.x, r1.x, r2.x, r3.x));
    let c1 = transform(vec4(r0.y, r1.y, r2.y, r3.y));
    store(plane, y0, x0, c0.x, offset);
    store(plane, y0, x0 + 1, c1.x, offset);
    store(plane, y0 + 1, x0, c0.y, offset);
    store(plane, y0 + 1, x0 + 1, c1.y, offset);
}
