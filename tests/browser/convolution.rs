//! Every variant of the convolutions that a browser can run, over the named problems.

use switchback::kernel::{conv_transpose2d, conv2d};
use switchback::{Conv2d, ConvTranspose2d, Error, Gpu, GpuTensor, Tensor};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

use super::gpu;
use crate::common::problem::{ConvOperands, ConvProblem, Convolution, conv_transpose2d_cases, conv2d_cases};
use crate::common::variants::VariantOf;

/// An operator on a device.
type Eager<Op> = fn(&Gpu, &Op, &GpuTensor, &GpuTensor, Option<&GpuTensor>) -> Result<GpuTensor, Error>;

async fn run<Op>(gpu: &Gpu, eager: Eager<Op>, op: &Op, operands: &ConvOperands) -> Result<Tensor, Error> {
    let ConvOperands { x, w, bias } = operands;
    let bias = bias.as_ref().map(|bias| gpu.upload(bias)).transpose()?;
    gpu.download_async(&eager(gpu, op, &gpu.upload(x)?, &gpu.upload(w)?, bias.as_ref())?).await
}

/// Integers must come out equal, where the variant gives them exactly, and reals within its bound. Whether it was for this
/// problem.
async fn check<Op: Convolution, V: VariantOf<Op>>(
    gpu: &Gpu,
    eager: Eager<Op>,
    variant: V,
    problem: &ConvProblem<Op>,
) -> bool {
    let context = || format!("{} by {}: {problem:?}", problem.because, variant.name());
    let exact = problem.integers(1);
    let found = match run(gpu, eager, &problem.op, &exact).await {
        Err(error) if !variant.applies(gpu.caps(), problem) => {
            assert!(error.is_unsupported(), "{}: {error}", context());
            return false;
        }
        found => found.unwrap_or_else(|error| panic!("{}: {error}", context())),
    };
    let expected = variant.answer(problem, &exact);
    let expected = if variant.is_exact() { expected.exact() } else { expected };
    expected.check(&found).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", context()));
    let rounded = problem.reals(2);
    let found = run(gpu, eager, &problem.op, &rounded).await.unwrap();
    let bounded = variant.answer(problem, &rounded);
    bounded.check(&found).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", context()));
    true
}

/// Every problem by every variant; each but matrix units, which a browser has not, is for one at least.
async fn check_all<Op: Convolution, V: VariantOf<Op>>(
    eager: Eager<Op>,
    variants: &[V],
    cases: fn() -> Vec<ConvProblem<Op>>,
) {
    let gpu = gpu().await;
    for &variant in variants {
        let by_variant = gpu.with_variant(variant);
        let mut ran = 0;
        for problem in cases() {
            ran += usize::from(check(&by_variant, eager, variant, &problem).await);
        }
        console_log!("{}: {ran} problems", variant.name());
        assert!(ran > 0 || gpu.caps().cooperative.is_none() && variant.name() == "cooperative");
    }
}

#[wasm_bindgen_test]
async fn conv2d_by_every_variant() {
    check_all::<Conv2d, _>(Gpu::conv2d, conv2d::Variant::ALL, conv2d_cases).await;
}

#[wasm_bindgen_test]
async fn conv_transpose2d_by_every_variant() {
    check_all::<ConvTranspose2d, _>(Gpu::conv_transpose2d, conv_transpose2d::Variant::ALL, conv_transpose2d_cases)
        .await;
}
