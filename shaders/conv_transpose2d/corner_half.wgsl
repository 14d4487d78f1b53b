// The cells of a corner from a map in f16, two channels a word.

@group(0) @binding(1) var<storage, read> x: array<u32>;

// Corners of the even and the odd channel of a word.
struct Corners {
    even: Corner,
    odd: Corner,
}

// The four cells between which the output cells of a strip lie, in both channels of a plane of words.
fn corners(plane: u32, i: u32, j: u32) -> Corners {
    let place = corner_place(plane * params.in_h * params.in_w, i, j, params.in_h, params.in_w);
    let words = vec4(x[place.at.x], x[place.at.y], x[place.at.z], x[place.at.w]);
    let seen = select(vec4<u32>(), words, place.inside);
    let a = unpack2x16float(seen.x);
    let b = unpack2x16float(seen.y);
    let c = unpack2x16float(seen.z);
    let d = unpack2x16float(seen.w);
    return Corners(Corner(vec4(a.x, b.x, c.x, d.x), place.inside), Corner(vec4(a.y, b.y, c.y, d.y), place.inside));
}

// The same in one channel of an image.
fn channel_corner(n: u32, channel: u32, i: u32, j: u32) -> Corner {
    let both = corners(n * ((params.channels + 1) / 2) + channel / 2, i, j);
    return Corner(select(both.even.cells, both.odd.cells, vec4(channel % 2 == 1)), both.even.inside);
}
