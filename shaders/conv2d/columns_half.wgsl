// The operands of an implicit matrix product in f16, as conv2d/columns has them in f32: columns of cells from x, weights from p, as
// conv2d/pack_half leaves them.

@group(0) @binding(2) var<storage, read> p: array<vec2<u32>>;

// The words of four cells `at` of the plane that starts at `plane`, zero where they are outside.
fn pairs(plane: u32, at: vec4<u32>, inside: vec4<bool>) -> vec4<u32> {
    let i = plane + at;
    return select(vec4<u32>(), vec4(x[i.x], x[i.y], x[i.z], x[i.w]), inside);
}

// The even and the odd channel of four words.
struct Channels {
    even: vec4<f32>,
    odd: vec4<f32>,
}

fn channels_of(words: vec4<u32>) -> Channels {
    let a = unpack2x16float(words.x);
    let b = unpack2x16float(words.y);
    let c = unpack2x16float(words.z);
    let d = unpack2x16float(words.w);
    return Channels(vec4(a.x, b.x, c.x, d.x), vec4(a.y, b.y, c.y, d.y));
}

// The cells `at` of the q-th four of a group's `channels`, whose planes of `plane_cells` words begin at first_plane. A pair past
// the last repeats the last so as to stay inside, and is masked; beside a last odd channel there are zeros.
fn columns(first_plane: u32, plane_cells: u32, channels: u32, q: u32, at: vec4<u32>, inside: vec4<bool>) -> mat4x4<f32> {
    let count = (channels + 1) / 2;
    let last = min(2 * q + 1, count - 1);
    let first = channels_of(pairs(first_plane + 2 * q * plane_cells, at, inside));
    let second = channels_of(pairs(first_plane + last * plane_cells, at, inside & vec4(2 * q + 1 < count)));
    return mat4x4(first.even, first.odd, second.even, second.odd);
}

// The words of the cells `at` with the c-th of the group's channels as they come from memory, and that channel as numbers.
alias RawCells = vec4<u32>;

fn raw_cells(first_plane: u32, plane_cells: u32, c: u32, at: vec4<u32>) -> RawCells {
    let i = first_plane + c / 2 * plane_cells + at;
    return vec4(x[i.x], x[i.y], x[i.z], x[i.w]);
}

fn four_cells_of(raw: RawCells, c: u32) -> vec4<f32> {
    let channels = channels_of(raw);
    return select(channels.even, channels.odd, c % 2 == 1);
}

// Four weights as they come from memory.
alias RawWeights = vec2<u32>;

fn raw_weights(i: u32) -> RawWeights {
    return p[i];
}

fn weights_of(raw: RawWeights) -> vec4<f32> {
    return vec4(unpack2x16float(raw.x), unpack2x16float(raw.y));
}

// Four weights.
fn weights_at(i: u32) -> vec4<f32> {
    return weights_of(p[i]);
}
