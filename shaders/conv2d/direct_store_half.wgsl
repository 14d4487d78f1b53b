// The end of conv2d/direct_staged in f16, two channels a word. As conv2d/direct_store has it in f32; a group's channels begin with a
// word of their own.

// How many planes of words of y lie before that of a channel, an even one.
fn result_planes(n: u32, channel: u32) -> u32 {
    return n * ((params.out_channels + 1) / 2) + channel / 2;
}

// Stores the sums of four channels from the k-th on, as many as there are.
fn store_four(place: Place, k: u32, sums: mat4x2<f32>) {
    store_pair(place, k, sums[0], sums[1]);
    store_pair(place, k + 2, sums[2], sums[3]);
}

// Stores a pair of channels' sums; the upper half of the words is 0 unless there are both.
fn store_pair(place: Place, k: u32, even: vec2<f32>, odd: vec2<f32>) {
    if k >= place.channels {
        return;
    }
    let both = k + 1 < place.channels;
    let offset = offsets(place.channel + k, both);
    let at = place.first_word + k / 2 * params.out_h * params.out_w;
    y[at] = word(even.x, odd.x, offset, both);
    if place.has_lower {
        y[at + params.out_w] = word(even.y, odd.y, offset, both);
    }
}
