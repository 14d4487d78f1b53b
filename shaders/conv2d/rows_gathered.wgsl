// The weights of eight rows of a matrix product in register tiles, a word a lane: where a gather takes little, one brings eight
// weights with one test of bounds, of which each is handed to all lanes where it is used. Workgroups are a subgroup of LANES
// invocations, all of which take part.

const LANES: u32 = 8;

@group(0) @binding(2) var<storage, read> p: array<f32>;

// An invocation of a workgroup, and its number in the subgroup.
struct Invocation {
    @builtin(subgroup_invocation_id) index: u32,
}

// Whether an invocation may leave work out that others do: it has weights that they need.
const MAY_SKIP: bool = false;

// Two rows a component, of whose words this lane has the one with its number.
alias EightRows = vec4<f32>;

// Those whose first row is the i-th vector.
fn eight_rows(i: u32, lane: u32) -> EightRows {
    let at = 4 * i + lane;
    return vec4(p[at], p[at + LANES], p[at + 2 * LANES], p[at + 3 * LANES]);
}

// The first of two rows, and the second.
fn first_row(words: f32) -> vec4<f32> {
    return vec4(
        subgroupBroadcast(words, 0u),
        subgroupBroadcast(words, 1u),
        subgroupBroadcast(words, 2u),
        subgroupBroadcast(words, 3u),
    );
}

fn second_row(words: f32) -> vec4<f32> {
    return vec4(
        subgroupBroadcast(words, 4u),
        subgroupBroadcast(words, 5u),
        subgroupBroadcast(words, 6u),
        subgroupBroadcast(words, 7u),
    );
}

fn row_0(rows: EightRows) -> vec4<f32> {
    return first_row(rows.x);
}

fn row_1(rows: EightRows) -> vec4<f32> {
    return second_row(rows.x);
}

fn row_2(rows: EightRows) -> vec4<f32> {
    return first_row(rows.y);
}

fn row_3(rows: EightRows) -> vec4<f32> {
    return second_row(rows.y);
}

fn row_4(rows: EightRows) -> vec4<f32> {
    return first_row(rows.z);
}

fn row_5(rows: EightRows) -> vec4<f32> {
    return second_row(rows.z);
}

fn row_6(rows: EightRows) -> vec4<f32> {
    return first_row(rows.w);
}

fn row_7(rows: EightRows) -> vec4<f32> {
    return second_row(rows.w);
}
