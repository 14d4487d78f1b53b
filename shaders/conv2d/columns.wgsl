// The operands of an implicit matrix product: columns of cells from x, and their products with weights. For kernels that bind
// x: array<f32>, with conv2d/weights.

// The four cells `at` of the plane that starts at `plane`, zero where they are outside.
fn cells(plane: u32, at: vec4<u32>, inside: vec4<bool>) -> vec4<f32> {
    let i = plane + at;
    return select(vec4<f32>(), vec4(x[i.x], x[i.y], x[i.z], x[i.w]), inside);
}

// The cells `at` of the q-th four of a group's `channels`, whose planes of `plane_cells` begin at first_plane. Channels past
// the last have zero weights; they repeat the last so as to stay inside, and are masked, for an infinity times zero is not
// zero.
fn columns(first_plane: u32, plane_cells: u32, channels: u32, q: u32, at: vec4<u32>, inside: vec4<bool>) -> mat4x4<f32> {
    let c = 4 * q + vec4(0u, 1u, 2u, 3u);
    let exists = c < vec4(channels);
    let plane = first_plane + min(c, vec4(channels - 1)) * plane_cells;
    return mat4x4(
        cells(plane.x, at, inside),
        cells(plane.y, at, inside & vec4(exists.y)),
        cells(plane.z, at, inside & vec4(exists.z)),
        cells(plane.w, at, inside & vec4(exists.w)),
    );
}

// The cells `at` of the c-th of the group's channels as they come from memory, and as numbers.
alias RawCells = vec4<f32>;

fn raw_cells(first_plane: u32, plane_cells: u32, c: u32, at: vec4<u32>) -> RawCells {
    let i = first_plane + c * plane_cells + at;
    return vec4(x[i.x], x[i.y], x[i.z], x[i.w]);
}

fn four_cells_of(raw: RawCells, c: u32) -> vec4<f32> {
    return raw;
}
