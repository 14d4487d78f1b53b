// What conv2d/direct_staged multiplies, from x in f32: a channel a word.

const WORD_CHANNELS = 1u;

alias Words = vec2<f32>;

// The channels of two cells' words; there is no second one.
fn channels_of(words: Words) -> mat2x2<f32> {
    return mat2x2(words, vec2<f32>());
}
