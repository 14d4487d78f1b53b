// The result of a convolution in f16: words of two channels, with what follows the sum.

override BIAS: bool;

@group(0) @binding(4) var<storage, read_write> y: array<u32>;
@group(0) @binding(5) var<storage, read_write> overflow: array<atomic<u32>>;

// The cells of a register tile: where they lie in a plane of y, and how many there are. Those past the last repeat it.
struct Cells {
    at: vec4<u32>,
    count: u32,
}

fn word(even: f32, odd: f32, offset: vec2<f32>, both: bool) -> u32 {
    let value = vec2(activate(even + offset.x), activate(odd + offset.y));
    return narrow(select(vec2(value.x, 0.0), value, both));
}

// What is added to the sums of a pair of channels.
fn offsets(channel: u32, both: bool) -> vec2<f32> {
    if BIAS {
        return vec2(b[channel], b[channel + u32(both)]);
    }
    return vec2<f32>();
}
