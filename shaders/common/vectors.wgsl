// Two words of memory and four, as vectors. See vectors_u64.wgsl.

alias Pair = vec2<u32>;
alias Quad = vec4<u32>;

fn pair_words(pair: Pair) -> vec2<u32> {
    return pair;
}

fn quad_words(quad: Quad) -> vec4<u32> {
    return quad;
}

fn to_pair(words: vec2<u32>) -> Pair {
    return words;
}

fn to_quad(words: vec4<u32>) -> Quad {
    return words;
}
