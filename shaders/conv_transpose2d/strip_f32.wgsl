// A strip of conv_transpose2d/interpolate in f32: a channel.

@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// What an invocation weighs: four cells of a plane, its channel, its bias.
struct Strip {
    corner: Corner,
    channel: u32,
    offset: f32,
}

fn strip_of(plane: u32, i: u32, j: u32) -> Strip {
    let channel = plane % params.channels;
    var offset = 0.0;
    if BIAS {
        offset = b[channel];
    }
    return Strip(channel_corner(plane / params.channels, channel, i, j), channel, offset);
}

// Four output cells.
fn weigh(strip: Strip, taps: Taps) -> vec4<f32> {
    return blend(strip.corner, strip.channel, taps) + vec4(strip.offset);
}

fn put(at: u32, value: f32) {
    y[at] = activate(value);
}
