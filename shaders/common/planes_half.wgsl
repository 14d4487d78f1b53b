// How channels lie in a map whose words are two f16: planes of words, N x ceil(C/2), the even channel in the lower half.

const CHANNELS_A_WORD: u32 = 2;
// The bits of a word's first and of its second channel.
const FIRST_OF_WORD: u32 = 0x0000ffff;
const SECOND_OF_WORD: u32 = 0xffff0000;

// The first of a plane's channels, counted over all images of so many channels.
fn first_channel(plane: u32, channels: u32) -> u32 {
    let pairs = (channels + 1) / 2;
    return plane / pairs * channels + plane % pairs * 2;
}

// The second one; the first again beside a last odd channel.
fn second_channel(plane: u32, channels: u32) -> u32 {
    let pairs = (channels + 1) / 2;
    return plane / pairs * channels + min(plane % pairs * 2 + 1, channels - 1);
}
