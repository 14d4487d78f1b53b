// Two cells of conv_transpose2d/interpolate_pairs in f32.

@group(0) @binding(1) var<storage, read> x: array<f32>;

// A channel and its bias.
struct Strip {
    channel: u32,
    offset: f32,
}

fn strip_of(plane: u32) -> Strip {
    let channel = plane % params.channels;
    var offset = 0.0;
    if BIAS {
        offset = b[channel];
    }
    return Strip(channel, offset);
}

fn filters_at(strip: Strip, u: u32, v: u32) -> Filter {
    return filter_at(strip.channel, u, v);
}

// Cells (i, j) and (i, j-1) of a plane, zero outside.
struct Cells {
    values: vec2<f32>,
    inside: vec2<bool>,
}

fn cells_of(plane: u32, i: u32, j: u32) -> Cells {
    let place = places_of(plane, i, j);
    return Cells(select(vec2<f32>(), vec2(x[place.at.x], x[place.at.y]), place.inside), place.inside);
}

// Two words of y, between these cells and those above.
fn weigh(strip: Strip, filters: Filter, lower: Cells, upper: Cells) -> vec2<u32> {
    let sum = sums(filters, lower.values, lower.inside, upper.values, upper.inside) + vec2(strip.offset);
    return bitcast<vec2<u32>>(vec2(activate(sum.x), activate(sum.y)));
}
