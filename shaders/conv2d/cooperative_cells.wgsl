// Cells on their way to matrices, from a map in f32.

@group(0) @binding(1) var<storage, read> x: array<f32>;

// Four channels of a cell as they are loaded.
alias Loaded = vec4<f32>;

// What is staged of input channels c to c+3 of the group, loaded for a cell: zero where it or the channel is outside, for an
// infinity times the zero weight of a channel that is not there would not be zero.
fn halves(value: Loaded, c: u32, inside: bool) -> vec4<f16> {
    var cells = select(vec4<f32>(), value, vec4(inside));
    if TAIL {
        cells = select(vec4<f32>(), cells, c + vec4(0u, 1u, 2u, 3u) < vec4(params.group_inputs));
    }
    return vec4<f16>(cells);
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

// The seen cell of input channels c to c+3 of the group, some cell and channel of it where they are outside. Nothing depends on
// what was loaded before it is staged, so that no load waits for another.
fn quad(first_plane: u32, c: u32, cell: Seen) -> Loaded {
    let channel = c + vec4(0u, 1u, 2u, 3u);
    let i = first_plane + min(channel, vec4(params.group_inputs - 1)) * params.in_h * params.in_w + cell.at;
    return vec4(x[i.x], x[i.y], x[i.z], x[i.w]);
}
