// What conv2d/direct_staged multiplies, from x in f16: two channels a word.

const WORD_CHANNELS = 2u;

alias Words = vec2<u32>;

// The channels of two cells' words.
fn channels_of(words: Words) -> mat2x2<f32> {
    return transpose(mat2x2(unpack2x16float(words.x), unpack2x16float(words.y)));
}
