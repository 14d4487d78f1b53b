//! Floats are compared by their bits (`shaders/common/rank.wgsl` says why): a driver that makes something else of a comparison where
//! there are NaNs is seldom at hand.

use std::collections::BTreeSet;

use naga::{BinaryOperator, Expression, Handle, MathFunction, ScalarKind};

use super::{kernels, parse, planted, validate};
use crate::gpu::Kernel;

/// Files and comparisons whose results for NaNs do not matter.
const HARMLESS: [(&str, &str); 1] = [
    // The exponentials of what remains are NaNs for a NaN, and so are their sum and all quotients.
    ("softmax_channels/direct.wgsl", "max"),
];

#[test]
fn floats_are_compared_by_their_bits() {
    let found: BTreeSet<_> = kernels().flat_map(comparisons).collect();
    assert_eq!(found, HARMLESS.map(|(path, text)| (path, text.to_owned())).into());
}

/// The comparisons of floats in a kernel, and the files that they are in.
fn comparisons(kernel: &Kernel) -> BTreeSet<(&'static str, String)> {
    let source = kernel.source();
    let module = parse(&source, kernel.name);
    let info = validate(&module, kernel.name, [kernel.has_int64(), kernel.has_subgroups()]);
    let functions = module.functions.iter().map(|(handle, function)| (function, &info[handle]));
    let main = (&module.entry_points[0].function, info.get_entry_point(0));
    let mut found = BTreeSet::new();
    for (function, info) in functions.chain([main]) {
        for (handle, expression) in function.expressions.iter() {
            let scalar = compared(expression).and_then(|operand| info[operand].ty.inner_with(&module.types).scalar());
            if scalar.is_some_and(|scalar| scalar.kind == ScalarKind::Float) {
                let span = function.expressions.get_span(handle);
                let (path, _) = kernel.locate(span.location(&source).line_number).expect(kernel.name);
                found.insert((path, source[span.to_range().expect(path)].to_owned()));
            }
        }
    }
    found
}

/// The first operand of a comparison, or of a function that makes one.
fn compared(expression: &Expression) -> Option<Handle<Expression>> {
    use BinaryOperator::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    use MathFunction::{Clamp, FaceForward, Max, Min, Saturate, Sign, SmoothStep, Step};
    match *expression {
        Expression::Binary { op: Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual, left, .. } => Some(left),
        Expression::Math {
            fun: Min | Max | Clamp | Saturate | Sign | Step | SmoothStep | FaceForward, arg, ..
        } => Some(arg),
        _ => None,
    }
}

#[test]
fn comparisons_are_seen() {
    for (value, sees) in [
        ("select(x[id.x], 0.0, x[id.x] < 0.0)", Some("x[id.x] < 0.0")),
        ("max(x[id.x], 0.0)", Some("max")),
        ("clamp(vec2(x[id.x]), vec2(0.0), vec2(1.0)).x", Some("clamp")),
        ("select(x[id.x], 0.0, bitcast<i32>(x[id.x]) - 1 < -0x800000)", None),
        ("f32(max(id.x, 1)) + abs(x[id.x])", None),
    ] {
        let found = comparisons(planted::kernel(&planted::BODY.replace("x[id.x] + params.shift", value)));
        let expected = sees.map(|text| ("planted.wgsl", text.to_owned()));
        assert_eq!(found, expected.into_iter().collect(), "{value}");
    }
}
