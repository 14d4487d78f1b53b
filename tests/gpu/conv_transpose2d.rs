//! Every variant of the transposed convolution against the reference.

use proptest::prelude::*;
use switchback::gpu::LimitsChoice;
use switchback::kernel::conv_transpose2d::Variant;
use switchback::{ConvTranspose2d, Gpu, Tensor, reference};

use crate::common::adapter;
use crate::common::problem::{ConvOperands, ConvProblem, conv_transpose2d_cases, conv_transpose2d_problems};
use crate::common::seeds::for_generated;
use crate::common::variants::VariantOf as _;

fn run(gpu: &Gpu, op: &ConvTranspose2d, operands: &ConvOperands) -> switchback::Result<Tensor> {
    let ConvOperands { x, w, bias } = operands;
    let bias = bias.as_ref().map(|bias| gpu.upload(bias)).transpose()?;
    gpu.download(&gpu.conv_transpose2d(op, &gpu.upload(x)?, &gpu.upload(w)?, bias.as_ref())?)
}

/// Integers must come out equal, reals within the bound, and, but for scattering, a second run equal to
/// the first, and NaNs and infinities where they belong.
fn check(gpu: &Gpu, problem: &ConvProblem<ConvTranspose2d>) {
    let exact = problem.integers(1);
    let expected = reference::conv_transpose2d(&problem.op, &exact.x, &exact.w, exact.bias.as_ref()).unwrap().exact();
    let (rounded, special) = (problem.reals(2), problem.specials(3));
    let placed = reference::conv_transpose2d(&problem.op, &special.x, &special.w, special.bias.as_ref()).unwrap();
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
        variant.answer(problem, &rounded).check(&found).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", context()));
        // Scattered additions come in any order.
        if variant.repeats() {
            assert!(found == run(&gpu, &problem.op, &rounded).unwrap(), "{}: two runs differ", context());
        }
        if variant.keeps_specials() {
            let found = run(&gpu, &problem.op, &special).unwrap();
            placed.check(&found).unwrap_or_else(|mismatch| panic!("{}, special values: {mismatch}", context()));
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
    for_generated(64, conv_transpose2d_problems(), |problem| check(&gpu, &problem));
}

#[test]
fn named_problems_under_webgpu_limits() {
    // Without atomic addition of f32: scattering exchanges bits.
    let Some(gpu) = adapter::open(Gpu::builder().rails(true).limits(LimitsChoice::WebGpu)) else { return };
    for problem in conv_transpose2d_cases() {
        check(&gpu, &problem);
    }
}

#[test]
fn a_weight_over_the_binding_limit_is_split() {
    let Some(gpu) = adapter::open(Gpu::builder().rails(true).limits(LimitsChoice::WebGpu)) else { return };
    let op = ConvTranspose2d::new([7, 7]).relu();
    let problem = ConvProblem {
        because: "140 MB of weights: DeconvNet's fc6-deconv with a third of its input channels",
        op,
        input: [1, 1400, 1, 1],
        output_channels: 512,
        bias: true,
    };
    let operands = problem.integers(3);
    let expected = reference::conv_transpose2d(&op, &operands.x, &operands.w, operands.bias.as_ref()).unwrap().exact();
    for variant in [Variant::Gather, Variant::Scatter, Variant::Phased, Variant::Product] {
        let found = run(&gpu.with_variant(variant), &op, &operands).unwrap();
        expected.check(&found).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", variant.name()));
    }
    let refused = run(&gpu.with_variant(Variant::ZeroInsert), &op, &operands).unwrap_err();
    assert!(refused.is_out_of_memory() && refused.to_string().contains("use gather"), "{refused}");
}

#[test]
fn sums_longer_than_a_driver_lets_loops_run() {
    // llvmpipe of Mesa 22 ends all loops of a shader after 65,535 iterations.
    let Some(gpu) = adapter::gpu() else { return };
    let many_channels = ConvProblem {
        because: "30,000 channels, four taps of each",
        op: ConvTranspose2d::new([4, 4]).stride([2, 2]).relu(),
        input: [1, 30_000, 2, 1],
        output_channels: 3,
        bias: true,
    };
    let large_kernel = ConvProblem {
        because: "FCN-32s' kernel, all of whose taps zero insertion multiplies",
        op: ConvTranspose2d::new([64, 64]).stride([32, 32]),
        input: [1, 17, 1, 1],
        output_channels: 1,
        bias: false,
    };
    for problem in [many_channels, large_kernel] {
        check(&gpu, &problem);
    }
}

#[test]
fn kernels_of_twice_the_stride() {
    let Some(gpu) = adapter::gpu() else { return };
    let plain = ConvProblem {
        because: "FCN-8s' last upsampling: rows of phases across blocks, runs across the edge",
        op: ConvTranspose2d::new([16, 16]).stride([8, 8]),
        input: [2, 5, 3, 6],
        output_channels: 21,
        bias: false,
    };
    let border = switchback::Padding { top: 3, bottom: 1, left: 9, right: 2 };
    let everything = ConvTranspose2d::new([6, 4]).stride([3, 2]).groups(3).pad(border).output_padding([2, 1]).relu();
    for problem in [
        ConvProblem {
            because: "a border of more than a stride: whole windows are cut off",
            op: plain.op.pad(border),
            ..plain.clone()
        },
        ConvProblem {
            because: "groups, each with rows past its last, and rows that no tap reaches",
            op: everything,
            input: [2, 6, 5, 11],
            output_channels: 9,
            bias: true,
        },
        ConvProblem {
            because: "stride 1 along one axis",
            op: ConvTranspose2d::new([2, 10]).stride([1, 5]).pad([1, 3]).output_padding([0, 4]),
            bias: true,
            ..plain.clone()
        },
        ConvProblem { because: "one cell and one row", input: [1, 3, 1, 1], output_channels: 1, ..plain.clone() },
        ConvProblem {
            because: "an output that lies between four cells",
            op: plain.op.pad(12).output_size([5, 3]),
            input: [1, 3, 2, 2],
            ..plain.clone()
        },
        plain,
    ] {
        check(&gpu, &problem);
    }
}

prop_compose! {
    fn twice_the_stride()(
        stride in [1_usize..=5, 1_usize..=5], [n, groups] in [1_usize..=2, 1_usize..=3], channels in [1_usize..=9, 1_usize..=13],
        [h, w] in [1_usize..=9, 1_usize..=17], border in [0_usize..=7, 0_usize..=7, 0_usize..=7, 0_usize..=7],
        more in [0_usize..=4, 0_usize..=4], relu: bool, bias: bool
    ) -> ConvProblem<ConvTranspose2d> {
        let [top, bottom, left, right] = border;
        let op = ConvTranspose2d::new(stride.map(|stride| 2 * stride))
            .stride(stride)
            .groups(groups)
            .pad(switchback::Padding { top, bottom, left, right })
            .output_padding([more[0].min(stride[0] - 1), more[1].min(stride[1] - 1)]);
        let [inputs, outputs] = channels.map(|channels| groups * channels);
        let op = if relu { op.relu() } else { op };
        ConvProblem { because: "generated", op, input: [n, inputs, h, w], output_channels: outputs, bias }
    }
}

#[test]
fn generated_kernels_of_twice_the_stride() {
    let Some(gpu) = adapter::gpu() else { return };
    let problems = twice_the_stride().prop_filter("an output", |problem| problem.output_shape().is_ok());
    for_generated(16, problems, |problem| check(&gpu, &problem));
}

#[test]
fn one_channel_a_group() {
    let Some(gpu) = adapter::gpu() else { return };
    let plain = ConvProblem {
        because: "bilinear upsampling of FCN: a kernel of twice the stride",
        op: ConvTranspose2d::new([4, 4]).stride([2, 2]).groups(5),
        input: [2, 5, 7, 11],
        output_channels: 5,
        bias: false,
    };
    let border = switchback::Padding { top: 3, bottom: 1, left: 9, right: 2 };
    let odd = ConvTranspose2d::new([5, 3]).stride([4, 3]).groups(5).output_padding([3, 2]).relu();
    for problem in [
        ConvProblem { because: "an odd kernel with output padding", op: odd, bias: true, ..plain.clone() },
        ConvProblem {
            because: "a border of more than a stride",
            op: ConvTranspose2d::new([16, 16]).stride([8, 8]).groups(5).pad(border),
            ..plain.clone()
        },
        ConvProblem {
            because: "gaps between kernels",
            op: ConvTranspose2d::new([1, 2]).stride([3, 5]).groups(5).output_padding([2, 4]),
            ..plain.clone()
        },
        ConvProblem { because: "one cell", input: [1, 5, 1, 1], ..plain.clone() },
        plain,
    ] {
        check(&gpu, &problem);
    }
}
