// The pass of frames.rs after a run of the network.

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
// Colours as r | g << 8 | b << 16, with the opacity above.
@group(0) @binding(2) var<storage, read> palette: array<u32>;
@group(0) @binding(3) var painted: texture_storage_2d<rgba8unorm, write>;

// Labels over the picture, with the arithmetic of switchback::image::overlay; an invocation a pixel.
@compute @workgroup_size(8, 8)
fn paint(@builtin(global_invocation_id) id: vec3<u32>) {
    let extent = textureDimensions(picture);
    if any(id.xy >= extent) {
        return;
    }
    let at = id.y * extent.x + id.x;
    let label = extractBits(labels[at / 4], 8 * (at % 4), 8);
    let colour = (vec4(palette[label]) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u);
    let below = vec3<u32>(round(255 * textureLoad(picture, id.xy, 0).rgb));
    let mixed = (colour.rgb * colour.a + below * (255 - colour.a) + 127) / 255;
    textureStore(painted, id.xy, vec4(vec3<f32>(mixed) / 255, 1));
}
