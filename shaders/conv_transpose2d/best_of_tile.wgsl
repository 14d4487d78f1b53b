// The class of four pixels from the scores of a register tile. For kernels that bind b: array<f32> and have an override BIAS.

// The best of eight channels from `channel` on, as many as are left, and those before.
fn best_of_tile(before: Best, channel: u32, left: u32, tile: Tile) -> Best {
    var best = after_channel(before, scores(tile.r0, channel), channel);
    if left > 1 { best = after_channel(best, scores(tile.r1, channel + 1), channel + 1); }
    if left > 2 { best = after_channel(best, scores(tile.r2, channel + 2), channel + 2); }
    if left > 3 { best = after_channel(best, scores(tile.r3, channel + 3), channel + 3); }
    if left > 4 { best = after_channel(best, scores(tile.r4, channel + 4), channel + 4); }
    if left > 5 { best = after_channel(best, scores(tile.r5, channel + 5), channel + 5); }
    if left > 6 { best = after_channel(best, scores(tile.r6, channel + 6), channel + 6); }
    if left > 7 { best = after_channel(best, scores(tile.r7, channel + 7), channel + 7); }
    return best;
}

// What would be stored of a channel's sums.
fn scores(sums: vec4<f32>, channel: u32) -> vec4<f32> {
    var offset = 0.0;
    if BIAS {
        offset = b[channel];
    }
    return vec4(
        activate(sums.x + offset),
        activate(sums.y + offset),
        activate(sums.z + offset),
        activate(sums.w + offset),
    );
}
