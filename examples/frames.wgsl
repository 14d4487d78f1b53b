// The two passes of frames.rs around a run of the network.

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> image: array<u32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
// Colours as r | g << 8 | b << 16, with the opacity above.
@group(0) @binding(3) var<storage, read> palette: array<u32>;
@group(0) @binding(4) var painted: texture_storage_2d<rgba8unorm, write>;

// The picture as the network's input: bytes r g b without gaps, an invocation a word. The network itself subtracts its
// mean and turns the channels round.
@compute @workgroup_size(256)
fn fill(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < arrayLength(&image) {
        let at = 4 * id.x;
        image[id.x] = byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24);
    }
}

fn byte(at: u32) -> u32 {
    let columns = textureDimensions(picture).x;
    let pixel = vec2(at / 3 % columns, at / 3 / columns);
    return u32(round(255 * textureLoad(picture, pixel, 0)[at % 3]));
}

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
