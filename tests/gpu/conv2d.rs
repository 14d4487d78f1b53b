//! Every variant of the convolution against the reference.

use switchback::gpu::LimitsChoice;
use switchback::kernel::conv2d::Variant;
use switchback::{Conv2d, Gpu, Tensor, reference};

use crate::common::adapter;
use crate::common::problem::{ConvOperands, ConvProblem, conv2d_cases, conv2d_problems};
use crate::common::seeds::for_generated;
use crate::common::variants::VariantOf as _;

fn run(gpu: &Gpu, op: &Conv2d, operands: &ConvOperands) -> switchback::Result<Tensor> {
    let ConvOperands { x, w, bias } = operands;
    let bias = bias.as_ref().map(|bias| gpu.upload(bias)).transpose()?;
    gpu.download(&gpu.conv2d(op, &gpu.upload(x)?, &gpu.upload(w)?, bias.as_ref())?)
}

/// Integers must come out equal, reals within the bound, a second run equal to the first, and NaNs and infinities where they
/// belong.
fn check(gpu: &Gpu, problem: &ConvProblem<Conv2d>) {
    let exact = problem.integers(1);
    let expected = reference::conv2d(&problem.op, &exact.x, &exact.w, exact.bias.as_ref()).unwrap().exact();
    let (rounded, special) = (problem.reals(2), problem.specials(3));
    let placed = reference::conv2d(&problem.op, &special.x, &special.w, special.bias.as_ref()).unwrap();
    for &variant in Variant::ALL {
        let gpu = gpu.with_variant(variant);
        let context = || format!("{} by {}: {problem:?}", problem.because, variant.name());
        let found = match run(&gpu, &problem.op, &exact) {
            Err(error) if !variant.applies(gpu.caps(), problem) => {
                assert!(error.is_unsupported(), "{}: {error}", context());
                continue;
            }
            found => found.unwrap_or_else(|error| panic!("{}: {error}", context())),
        };
        let expected = if variant.is_exact() { &expected } else { &variant.answer(problem, &exact) };
        expected.check(&found).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", context()));
        let found = run(&gpu, &problem.op, &rounded).unwrap();
        let bounded = variant.answer(problem, &rounded);
        bounded.check(&found).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", context()));
        assert!(found == run(&gpu, &problem.op, &rounded).unwrap(), "{}: two runs differ", context());
        if variant.keeps_specials() {
            let found = run(&gpu, &problem.op, &special).unwrap();
            placed.check(&found).unwrap_or_else(|mismatch| panic!("{}, special values: {mismatch}", context()));
        }
    }
}

/// With one tap a channel, a result is one cell of the map, so that the bound leaves no room for another: no tap of a
/// kernel may be read from another piece, nor a piece from another tile.
#[test]
fn every_tap_alone_is_one_cell_of_the_map() {
    let Some(gpu) = adapter::gpu() else { return };
    for kernel in [[3, 3], [4, 4], [7, 7], [5, 8], [5, 3], [2, 6]] {
        let op = Conv2d::new(kernel).pad(2);
        let (taps, bias) = (kernel[0] * kernel[1], None);
        // No two cells within reach of each other are equal.
        let x = Tensor::from_fn([1, 1, 14, 19], |[_, _, i, j]| (1 + i * 19 + j) as f32).unwrap();
        let w = Tensor::from_fn(
            [taps, 1, kernel[0], kernel[1]],
            |[o, _, v, u]| {
                if o == v * kernel[1] + u { 1.0 } else { 0.0 }
            },
        );
        let operands = ConvOperands { x, w: w.unwrap(), bias };
        let problem = ConvProblem { because: "", op, input: [1, 1, 14, 19], output_channels: taps, bias: false };
        let expected = reference::conv2d(&op, &operands.x, &operands.w, None).unwrap().tensor();
        let filterings = [Variant::WinogradF2, Variant::WinogradF4, Variant::WinogradPieces, Variant::WinogradEight];
        for variant in filterings.into_iter().filter(|&variant| variant.applies(gpu.caps(), &problem)) {
            let found = run(&gpu.with_variant(variant), &op, &operands).unwrap();
            for (place, (found, expected)) in found.data().iter().zip(expected.data()).enumerate() {
                assert!((found - expected).abs() < 0.25, "{kernel:?} by {}, {place}: {found}", variant.name());
            }
        }
    }
}

#[test]
fn named_problems() {
    let Some(gpu) = adapter::gpu() else { return };
    for problem in conv2d_cases() {
        check(&gpu, &problem);
    }
}

#[test]
fn generated_problems() {
    let Some(gpu) = adapter::gpu() else { return };
    for_generated(64, conv2d_problems(), |problem| check(&gpu, &problem));
}

#[test]
fn named_problems_under_webgpu_limits() {
    let Some(gpu) = adapter::open(Gpu::builder().rails(true).limits(LimitsChoice::WebGpu)) else { return };
    for problem in conv2d_cases() {
        check(&gpu, &problem);
    }
}

#[test]
fn a_weight_over_the_binding_limit_is_split() {
    let Some(gpu) = adapter::open(Gpu::builder().rails(true).limits(LimitsChoice::WebGpu)) else { return };
    let op = Conv2d::new([7, 7]).relu();
    let problem = ConvProblem {
        because: "140 MB of weights: FCN's fc6 with a third of its output channels",
        op,
        input: [1, 512, 7, 8],
        output_channels: 1400,
        bias: true,
    };
    let operands = problem.integers(3);
    let expected = reference::conv2d(&op, &operands.x, &operands.w, operands.bias.as_ref()).unwrap().exact();
    for variant in [Variant::Direct, Variant::Tiled, Variant::SplitK] {
        let found = run(&gpu.with_variant(variant), &op, &operands).unwrap();
        expected.check(&found).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", variant.name()));
    }
}

#[test]
fn sums_longer_than_a_driver_lets_loops_run() {
    // llvmpipe of Mesa 22 ends all loops of a shader after 65,535 iterations.
    let Some(gpu) = adapter::gpu() else { return };
    let problem = ConvProblem {
        because: "30,000 channels, three loops over each",
        op: Conv2d::new([1, 1]).relu(),
        input: [1, 30_000, 1, 3],
        output_channels: 9,
        bias: true,
    };
    check(&gpu, &problem);
}
