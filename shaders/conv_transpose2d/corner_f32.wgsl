// The cells of a corner from a map in f32.

@group(0) @binding(1) var<storage, read> x: array<f32>;

// The four cells between which the output cells of a strip lie, in a channel of an image.
fn channel_corner(n: u32, channel: u32, i: u32, j: u32) -> Corner {
    let place = corner_place((n * params.channels + channel) * params.in_h * params.in_w, i, j, params.in_h, params.in_w);
    let cells = vec4(x[place.at.x], x[place.at.y], x[place.at.z], x[place.at.w]);
    return Corner(select(vec4<f32>(), cells, place.inside), place.inside);
}
