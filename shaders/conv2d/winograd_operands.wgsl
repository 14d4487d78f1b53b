// Uniforms of the products of minimal filtering.

struct Params {
    // Of d and m in all.
    channels: u32,
    rows: u32,
    source_tiles: u32,
    tiles: u32,
    positions: u32,
    // Vectors along a row of d's tiles and of m's.
    source_width: u32,
    width: u32,
    piece_rows: u32,
    piece_columns: u32,
    // A group's channels, a multiple of four, and blocks.
    group_channels: u32,
    group_blocks: u32,
    // The first block of this dispatch, counted over all groups, and how many.
    first_block: u32,
    blocks: u32,
    // Workgroups along the tiles, and in all.
    tile_groups: u32,
    groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
