// Which cells an implicit matrix product computes: row after row, to store as they are.

struct Four {
    row: vec4<u32>,
    column: vec4<u32>,
    // What `Cells` calls them.
    at: vec4<u32>,
}

// Cells that are computed in a plane.
fn computed_cells() -> u32 {
    return params.out_h * params.out_w;
}

// Row and column of the i-th; past the plane's last they repeat it, so that loops need no test; they are not stored.
fn cell_at(i: u32) -> vec2<u32> {
    let cell = min(i, params.out_h * params.out_w - 1);
    return vec2(cell / params.out_w, cell % params.out_w);
}

// The four from `first` on, an invocation's of a register tile. Past the plane's last they repeat it too.
fn four_cells(first: u32) -> Four {
    let cell = min(first + vec4(0u, 1u, 2u, 3u), vec4(params.out_h * params.out_w - 1));
    return Four(cell / params.out_w, cell % params.out_w, cell);
}
