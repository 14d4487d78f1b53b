// Four neighbouring cells weighed: the transposed convolution of one channel by a kernel of at most two strides a side. For
// kernels that bind x: array<f32> and w: array<f32>, one filter a channel.

// Cells (i, j), (i, j-1), (i-1, j), (i-1, j-1) of a plane of x, zero where they are outside, and which are inside.
struct Corner {
    cells: vec4<f32>,
    inside: vec4<bool>,
}

fn corner_at(plane: u32, i: u32, j: u32, rows: u32, columns: u32) -> Corner {
    // Row or column -1 wraps around to a number beyond the last.
    let row = i - vec4(0u, 0u, 1u, 1u);
    let column = j - vec4(0u, 1u, 0u, 1u);
    let inside = (row < vec4(rows)) & (column < vec4(columns));
    let at = plane + select(vec4<u32>(), row * columns + column, inside);
    return Corner(select(vec4<f32>(), vec4(x[at.x], x[at.y], x[at.z], x[at.w]), inside), inside);
}

// The sum of the taps (u, v), (u, v+SX), (u+SY, v), (u+SY, v+SX) of a channel's filter times these cells, in this order;
// cells outside are left out, for an infinite weight times zero is not zero.
fn blend(corner: Corner, channel: u32, u: u32, v: u32) -> f32 {
    let first = (channel * KH + u) * KW + v;
    var sum = 0.0;
    if u < KH && v < KW {
        sum = select(0.0, corner.cells.x * w[first], corner.inside.x);
    }
    if u < KH && v + SX < KW {
        sum = select(sum, fma(corner.cells.y, w[first + SX], sum), corner.inside.y);
    }
    if u + SY < KH && v < KW {
        sum = select(sum, fma(corner.cells.z, w[first + SY * KW], sum), corner.inside.z);
    }
    if u + SY < KH && v + SX < KW {
        sum = select(sum, fma(corner.cells.w, w[first + SY * KW + SX], sum), corner.inside.w);
    }
    return sum;
}
