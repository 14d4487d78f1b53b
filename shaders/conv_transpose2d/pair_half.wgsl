// Two cells of conv_transpose2d/interpolate_pairs in f16: two channels a word. Beside a last odd channel there is 0.

@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(5) var<storage, read_write> overflow: array<atomic<u32>>;

// An even channel, whether there is an odd one, the biases.
struct Strip {
    channel: u32,
    both: bool,
    offset: vec2<f32>,
}

fn strip_of(plane: u32) -> Strip {
    let channel = plane % ((params.channels + 1) / 2) * 2;
    let both = channel + 1 < params.channels;
    var offset = vec2<f32>();
    if BIAS {
        offset = vec2(b[channel], b[channel + u32(both)]);
    }
    return Strip(channel, both, offset);
}

struct Filters {
    even: Filter,
    odd: Filter,
}

fn filters_at(strip: Strip, u: u32, v: u32) -> Filters {
    return Filters(filter_at(strip.channel, u, v), filter_at(strip.channel + u32(strip.both), u, v));
}

// Cells (i, j) and (i, j-1) of both channels of a plane of words, zero outside.
struct Cells {
    even: vec2<f32>,
    odd: vec2<f32>,
    inside: vec2<bool>,
}

fn cells_of(plane: u32, i: u32, j: u32) -> Cells {
    let place = places_of(plane, i, j);
    let words = select(vec2<u32>(), vec2(x[place.at.x], x[place.at.y]), place.inside);
    let right = unpack2x16float(words.x);
    let left = unpack2x16float(words.y);
    return Cells(vec2(right.x, left.x), vec2(right.y, left.y), place.inside);
}

// Two words of y, between these cells and those above.
fn weigh(strip: Strip, filters: Filters, lower: Cells, upper: Cells) -> vec2<u32> {
    let even = sums(filters.even, lower.even, lower.inside, upper.even, upper.inside) + vec2(strip.offset.x);
    let all = sums(filters.odd, lower.odd, lower.inside, upper.odd, upper.inside) + vec2(strip.offset.y);
    let odd = select(vec2<f32>(), vec2(activate(all.x), activate(all.y)), vec2(strip.both));
    return narrow_two(vec2(activate(even.x), odd.x), vec2(activate(even.y), odd.y));
}
