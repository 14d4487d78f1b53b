// As convert/half_word, two words at a time and by integers, for CPU drivers, some of which take thirty instructions for each number
// of pack2x16float. Rounded to nearest, ties to even.
fn narrow_two(first: vec2<f32>, second: vec2<f32>) -> vec2<u32> {
    let bits = bitcast<vec4<u32>>(vec4(first, second));
    let magnitude = bits & vec4(0x7fffffffu);
    // From 65520 on there is nothing but infinity and NaN.
    if any(magnitude >= vec4(0x477ff000u)) {
        return vec2(narrow(first), narrow(second));
    }
    // Below 2^-14 an f16 counts in steps of 2^-24, as an f32 between 0.5 and 1 does.
    let small = bitcast<vec4<u32>>(bitcast<vec4<f32>>(magnitude) + vec4(0.5)) - vec4(0x3f000000u);
    let normal = (magnitude - vec4(0x37fff001u) + ((magnitude >> vec4(13u)) & vec4(1u))) >> vec4(13u);
    let halves = select(normal, small, magnitude < vec4(0x38800000u)) | ((bits >> vec4(16u)) & vec4(0x8000u));
    return halves.xz | (halves.yw << vec2(16u));
}
