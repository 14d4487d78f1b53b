// Computes  y[n,c,i,j] = max of x[n,c, 2i..2i+2, 2j..2j+2], NaN if there is one.
// Layout    x, y: N x ceil(C/2) x H x W, two channels a word in f16; planes of x of an even number of rows, rows of whole fours.
// Bindings  0 params; 1 x; 2 y.
// Overrides WORKGROUP, the invocations of a workgroup.
// Dispatch  One invocation two words of y in a row, which are two vectors of x; folded.
// Limits    Fewer than 2^31 elements.
// Writes    Every word of y, once.
// Order     A window's cells in raster order.
// Uses      common/index.wgsl
// Oracle    reference::max_pool2d

struct Params {
    // Pairs of words of y.
    pairs: u32,
    // Pairs in a row of y.
    row_pairs: u32,
}

override WORKGROUP: u32 = 64;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2<u32>>;

// Ranks of f16 by their bits, as common/rank.wgsl ranks f32: NaNs above all numbers, both zeros alike.
fn ranks(bits: vec4<u32>) -> vec4<i32> {
    let magnitude = vec4<i32>(bits & vec4(0x7fffu));
    let number = select(magnitude, -magnitude, bits >= vec4(0x8000u));
    return select(number, vec4(0x7fff), magnitude > vec4(0x7c00));
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let index = flat_workgroup(workgroup, workgroups) * WORKGROUP + invocation;
    if index >= params.pairs {
        return;
    }
    // A row of y has as many pairs as each of its two rows of x has vectors.
    let upper = x[index / params.row_pairs * params.row_pairs + index];
    let lower = x[index / params.row_pairs * params.row_pairs + index + params.row_pairs];
    // Even channels of both windows, then odd ones.
    var best = halves(upper.xz);
    var best_rank = ranks(best);
    for (var k = 1u; k < 4; k++) {
        var words = upper.yw;
        if k == 2 { words = lower.xz; }
        if k == 3 { words = lower.yw; }
        let next = halves(words);
        let rank = ranks(next);
        let better = (rank > best_rank) | (rank == vec4(0x7fff));
        best = select(best, next, better);
        best_rank = select(best_rank, rank, better);
    }
    y[index] = best.xy | best.zw << vec2(16u);
}

fn halves(words: vec2<u32>) -> vec4<u32> {
    return vec4(words & vec2(0xffffu), words >> vec2(16u));
}
