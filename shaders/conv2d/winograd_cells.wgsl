// What the first dispatch of minimal filtering of a kernel in one piece has whatever its tiles: uniforms, operands and the cells of x.

struct Params {
    in_channels: u32,
    in_h: u32,
    in_w: u32,
    pad_top: u32,
    pad_left: u32,
    // Tiles along a row of tiles and in an image.
    tile_columns: u32,
    image_tiles: u32,
    // This dispatch's tiles: the first, the last (counted over the whole batch), and how many d has room for.
    first_tile: u32,
    last_tile: u32,
    tiles: u32,
    // Channels of d; a group's, in x and in d, where they are a multiple of four.
    channels: u32,
    group_inputs: u32,
    group_channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> d: array<f32>;

// A row or column before the first wraps around to a number beyond the last.
fn cell(plane: u32, row: u32, column: u32) -> f32 {
    let inside = row < params.in_h && column < params.in_w;
    return select(0.0, x[plane + select(0, row * params.in_w + column, inside)], inside);
}
