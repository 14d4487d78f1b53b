// The operands of an implicit matrix product in f16: the map x, two channels a word, and weights p as conv2d/pack_half leaves
// them. A group's channels begin with a word of their own.

@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> p: array<vec2<u32>>;

// Where the planes of words of a group's input channels begin.
fn group_planes(n: u32, group: u32) -> u32 {
    return (n * ((params.in_channels + 1) / 2) + group * params.group_inputs / 2) * params.in_h * params.in_w;
}
