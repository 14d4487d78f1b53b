// The class so far of each of four pixels, as channels come one after another.
struct Best {
    ranks: vec4<i32>,
    labels: vec4<u32>,
}

fn no_class() -> Best {
    return Best(vec4(RANK_BELOW_ALL), vec4<u32>());
}

// After the scores of one more channel: among equal scores the first channel stays, NaNs are below all numbers.
fn after_channel(best: Best, scores: vec4<f32>, channel: u32) -> Best {
    let ranks = rank4(bitcast<vec4<u32>>(scores));
    let better = (ranks > best.ranks) & (ranks != vec4(RANK_OF_NAN));
    return Best(select(best.ranks, ranks, better), select(best.labels, vec4(channel), better));
}
