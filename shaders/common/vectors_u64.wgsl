// Two words of memory and four, as integers of 64 bits, the first word in the lower half: a CPU driver loads and stores a vector
// of words one component after another, each with a test of bounds, and takes no longer for a component of 64 bits.

alias Pair = u64;
alias Quad = vec2<u64>;

fn pair_words(pair: Pair) -> vec2<u32> {
    return vec2(u32(pair), u32(pair >> 32u));
}

fn quad_words(quad: Quad) -> vec4<u32> {
    return vec4(pair_words(quad.x), pair_words(quad.y));
}

fn to_pair(words: vec2<u32>) -> Pair {
    return u64(words.x) | (u64(words.y) << 32u);
}

fn to_quad(words: vec4<u32>) -> Quad {
    return Quad(to_pair(words.xy), to_pair(words.zw));
}
