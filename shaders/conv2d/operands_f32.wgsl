// The map of a convolution in f32.

@group(0) @binding(1) var<storage, read> x: array<f32>;

// Where the planes of a group's input channels begin.
fn group_planes(n: u32, group: u32) -> u32 {
    return (n * params.in_channels + group * params.group_inputs) * params.in_h * params.in_w;
}
