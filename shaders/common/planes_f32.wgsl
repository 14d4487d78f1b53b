// How channels lie in a map whose words are f32: one a word, so that a plane of words is a channel's. See planes_half.wgsl.

const CHANNELS_A_WORD: u32 = 1;
const FIRST_OF_WORD: u32 = 0xffffffff;
const SECOND_OF_WORD: u32 = 0;

fn first_channel(plane: u32, channels: u32) -> u32 {
    return plane;
}

fn second_channel(plane: u32, channels: u32) -> u32 {
    return plane;
}
