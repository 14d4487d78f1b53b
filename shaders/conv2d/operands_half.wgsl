// The map of a convolution in f16, two channels a word. A group's channels begin with a word of their own.

@group(0) @binding(1) var<storage, read> x: array<u32>;

// Where the planes of words of a group's input channels begin.
fn group_planes(n: u32, group: u32) -> u32 {
    return (n * ((params.in_channels + 1) / 2) + group * params.group_inputs / 2) * params.in_h * params.in_w;
}
