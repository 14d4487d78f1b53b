//! Every variant of the transposed convolution against the reference.

use proptest::prelude::*;
use switchback::kernel::conv_transpose2d::Variant;
use switchback::{ConvTranspose2d, Gpu, Tensor, reference};

use crate::common::adapter;
use crate::common::problem::{
    ConvOperands, ConvProblem, conv_transpose2d_cases, conv_transpose2d_problems, proptest_config,
};

fn run(gpu: &Gpu, op: &ConvTranspose2d, operands: &ConvOperands) -> switchback::Result<Tensor> {
    let ConvOperands { x, w, bias } = operands;
    let bias = bias.as_ref().map(|bias| gpu.upload(bias)).transpose()?;
    gpu.download(&gpu.conv_transpose2d(op, &gpu.upload(x)?, &gpu.upload(w)?, bias.as_ref())?)
}

/// Integers must come out equal, reals within the bound, and, but for scattering, a second run equal to
/// the first.
fn check(gpu: &Gpu, problem: &ConvProblem<ConvTranspose2d>) {
    let exact = problem.integers(1);
    let expected = reference::conv_transpose2d(&problem.op, &exact.x, &exact.w, exact.bias.as_ref()).unwrap().exact();
    let rounded = problem.reals(2);
    let bounded = reference::conv_transpose2d(&problem.op, &rounded.x, &rounded.w, rounded.bias.as_ref()).unwrap();
    for &variant in Variant::ALL {
        let gpu = gpu.with_variant(variant);
        let context = || format!("{} by {}: {problem:?}", problem.because, variant.name());
        let found = run(&gpu, &problem.op, &exact).unwrap_or_else(|error| panic!("{}: {error}", context()));
        expected.check(&found).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", context()));
        let found = run(&gpu, &problem.op, &rounded).unwrap();
        bounded.check(&found).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", context()));
        // Scattered additions come in any order.
        if variant != Variant::Scatter {
            assert!(found == run(&gpu, &problem.op, &rounded).unwrap(), "{}: two runs differ", context());
        }
    }
}

#[test]
fn named_problems() {
    let Some(gpu) = adapter::gpu() else { return };
    for problem in conv_transpose2d_cases() {
        check(&gpu, &problem);
    }
}

#[test]
fn generated_problems() {
    let Some(gpu) = adapter::gpu() else { return };
    proptest!(proptest_config(64), |(problem in conv_transpose2d_problems())| check(&gpu, &problem));
}
