// The operands of an implicit matrix product in f32: the map x, and weights p as conv2d/pack leaves them.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> p: array<vec4<f32>>;

// Where the planes of a group's input channels begin.
fn group_planes(n: u32, group: u32) -> u32 {
    return (n * params.in_channels + group * params.group_inputs) * params.in_h * params.in_w;
}
