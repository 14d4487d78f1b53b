// The end of conv2d/direct_staged: four channels of two cells, with what follows the sum.

override BIAS: bool;

// How many planes of y lie before that of a channel.
fn result_planes(n: u32, channel: u32) -> u32 {
    return n * params.out_channels + channel;
}

// Stores the sums of four channels from the k-th on, as many as there are.
fn store_four(place: Place, k: u32, sums: mat4x2<f32>) {
    store(place, k, sums[0]);
    store(place, k + 1, sums[1]);
    store(place, k + 2, sums[2]);
    store(place, k + 3, sums[3]);
}

fn store(place: Place, k: u32, sums: vec2<f32>) {
    if k >= place.channels {
        return;
    }
    var whole = sums;
    if BIAS {
        whole += b[place.channel + k];
    }
    let word = place.first_word + k * params.out_h * params.out_w;
    y[word] = activate(whole.x);
    if place.has_lower {
        y[word + params.out_w] = activate(whole.y);
    }
}
