// Cells on their way to matrices, from a map in f16, two channels a word; a group's channels begin with a word of their own.

@group(0) @binding(1) var<storage, read> x: array<u32>;

// Four channels of a cell as they are loaded.
alias Loaded = vec2<u32>;

// What is staged of input channels c to c+3 of the group, loaded for a cell: zero where it or the channel is outside; beside a
// last odd channel there are zeros.
fn halves(value: Loaded, c: u32, inside: bool) -> vec4<f16> {
    var words = select(vec2<u32>(), value, vec2(inside));
    if TAIL {
        let pair = c / 2 + vec2(0u, 1u);
        words = select(vec2<u32>(), words, pair < vec2((params.group_inputs + 1) / 2));
    }
    return vec4<f16>(vec4(unpack2x16float(words.x), unpack2x16float(words.y)));
}

// What an invocation stages: where its cell lies in the plane that it sees by the current tap, if inside.
struct Seen {
    at: u32,
    inside: bool,
}

// Where the planes of words of a group's input channels begin.
fn group_planes(n: u32, group: u32) -> u32 {
    return (n * ((params.in_channels + 1) / 2) + group * params.group_inputs / 2) * params.in_h * params.in_w;
}

// The seen cell of input channels c to c+3 of the group, some cell and channel of it where they are outside. Nothing depends on
// what was loaded before it is staged, so that no load waits for another.
fn quad(first_plane: u32, c: u32, cell: Seen) -> Loaded {
    let count = (params.group_inputs + 1) / 2;
    let pair = c / 2 + vec2(0u, 1u);
    let i = first_plane + min(pair, vec2(count - 1)) * params.in_h * params.in_w + cell.at;
    return vec2(x[i.x], x[i.y]);
}
