// What the kernels that end minimal filtering have in common: uniforms and operands.

struct Params {
    out_channels: u32,
    out_h: u32,
    out_w: u32,
    // Rows and columns of the pooled map, if that is what is stored.
    pooled_h: u32,
    pooled_w: u32,
    tile_columns: u32,
    image_tiles: u32,
    // This dispatch's tiles: the first (counted over the whole batch), how many, and how many m has room for.
    first_tile: u32,
    count: u32,
    tiles: u32,
    // Channels of m: whole blocks; a group's, in the map and in m.
    channels: u32,
    group_outputs: u32,
    group_rows: u32,
}

override BIAS: bool;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> m: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;

fn bias(o: u32) -> f32 {
    if BIAS {
        return b[o];
    }
    return 0.0;
}
