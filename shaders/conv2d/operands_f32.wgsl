// The map of an implicit matrix product in f32; its weights, as conv2d/pack leaves them, are conv2d/weights.

@group(0) @binding(1) var<storage, read> x: array<f32>;

// Where the planes of a group's input channels begin.
fn group_planes(n: u32, group: u32) -> u32 {
    return (n * params.in_channels + group * params.group_inputs) * params.in_h * params.in_w;
}
