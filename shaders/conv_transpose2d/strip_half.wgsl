// A strip of conv_transpose2d/interpolate in f16: two channels a word. Beside a last odd channel there is 0.

@group(0) @binding(4) var<storage, read_write> y: array<u32>;
@group(0) @binding(5) var<storage, read_write> overflow: array<atomic<u32>>;

// What an invocation weighs: four cells of a plane of words, its even channel, whether there is an odd one, the biases.
struct Strip {
    corners: Corners,
    channel: u32,
    both: bool,
    offset: vec2<f32>,
}

// Two channels of four output cells.
struct Four {
    x: vec2<f32>,
    y: vec2<f32>,
    z: vec2<f32>,
    w: vec2<f32>,
}

fn strip_of(plane: u32, i: u32, j: u32) -> Strip {
    let channel = plane % ((params.channels + 1) / 2) * 2;
    let both = channel + 1 < params.channels;
    var offset = vec2<f32>();
    if BIAS {
        offset = vec2(b[channel], select(0.0, b[channel + u32(both)], both));
    }
    return Strip(corners(plane, i, j), channel, both, offset);
}

fn weigh(strip: Strip, taps: Taps) -> Four {
    let even = blend(strip.corners.even, strip.channel, taps) + vec4(strip.offset.x);
    let odd = blend(strip.corners.odd, strip.channel + u32(strip.both), taps) + vec4(strip.offset.y);
    let second = select(vec4<f32>(), odd, vec4(strip.both));
    return Four(vec2(even.x, second.x), vec2(even.y, second.y), vec2(even.z, second.z), vec2(even.w, second.w));
}

fn put(at: u32, value: vec2<f32>) {
    y[at] = narrow(vec2(activate(value.x), activate(value.y)));
}
