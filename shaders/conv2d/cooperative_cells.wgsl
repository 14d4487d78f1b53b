// Cells on their way to matrices, from a map in f32.

@group(0) @binding(1) var<storage, read> x: array<f32>;

// Four channels of a cell as they are loaded.
alias Loaded = vec4<f32>;

fn halves(value: Loaded) -> vec4<f16> {
    return vec4<f16>(value);
}

// What an invocation stages: where its cell lies in the plane that it sees by the current tap, if inside.
struct Seen {
    at: u32,
    inside: bool,
}

// Where the planes of a group's input channels begin.
fn group_planes(n: u32, group: u32) -> u32 {
    return (n * params.in_channels + group * params.group_inputs) * params.in_h * params.in_w;
}

// The seen cell of input channels c to c+3 of the group, zero where it or the channel is outside: an infinity times the zero
// weight of a channel that is not there would not be zero.
fn quad(first_plane: u32, c: u32, cell: Seen) -> Loaded {
    let channel = c + vec4(0u, 1u, 2u, 3u);
    let inside = (channel < vec4(params.group_inputs)) & vec4(cell.inside);
    let i = first_plane + min(channel, vec4(params.group_inputs - 1)) * params.in_h * params.in_w + cell.at;
    return select(vec4<f32>(), vec4(x[i.x], x[i.y], x[i.z], x[i.w]), inside);
}
