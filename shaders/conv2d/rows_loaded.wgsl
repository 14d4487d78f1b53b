// The weights of eight rows of a matrix product in register tiles, loaded row by row where they are used. For kernels whose
// weights come by `weights_at`.

// An invocation of a workgroup, and its number there.
struct Invocation {
    @builtin(local_invocation_index) index: u32,
}

// Whether an invocation may leave work out that others do.
const MAY_SKIP: bool = true;

// The first row's vector.
alias EightRows = u32;

fn eight_rows(i: u32, invocation: u32) -> EightRows {
    return i;
}

fn row_0(rows: EightRows) -> vec4<f32> {
    return weights_at(rows);
}

fn row_1(rows: EightRows) -> vec4<f32> {
    return weights_at(rows + 1);
}

fn row_2(rows: EightRows) -> vec4<f32> {
    return weights_at(rows + 2);
}

fn row_3(rows: EightRows) -> vec4<f32> {
    return weights_at(rows + 3);
}

fn row_4(rows: EightRows) -> vec4<f32> {
    return weights_at(rows + 4);
}

fn row_5(rows: EightRows) -> vec4<f32> {
    return weights_at(rows + 5);
}

fn row_6(rows: EightRows) -> vec4<f32> {
    return weights_at(rows + 6);
}

fn row_7(rows: EightRows) -> vec4<f32> {
    return weights_at(rows + 7);
}
