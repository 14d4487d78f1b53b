//! Convolutions at random, planned for devices of random capabilities and run on a real one: parts of weights and sums, strips,
//! folded dispatches, kernels for GPUs and for CPU drivers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use proptest::prelude::*;
use proptest::sample::select;

use super::pairs::words_of;
use super::{conv_transpose2d, conv2d, max_pool2d};
use crate::common::adapter;
use crate::common::problem::{ConvOperands, ConvProblem, Convolution};
use crate::common::seeds::for_generated;
use crate::common::variants::VariantOf;
use crate::error::{Error, Result};
use crate::gpu::{Caps, Gathers, Gpu, KernelPlan, Storage};
use crate::op::{Conv2d, ConvTranspose2d, MaxPool2d, Rounding};
use crate::reference;
use crate::shape::{Padding, Shape};
use crate::tensor::Tensor;

/// What a device may be short of; where it is not, it has what the real one has.
#[derive(Clone, Debug)]
struct Device {
    software: bool,
    /// Without integers of 64 bits, subgroups, loads alike for all lanes, atomic addition.
    lacks: [bool; 4],
    gathers: Gathers,
    /// Bindings that each operand fits but the weight, which they hold so large a part of.
    parts_of_weight: Option<u64>,
    max_workgroups: u32,
    max_iterations: u32,
}

prop_compose! {
    fn devices()(
        software: bool, lacks: [bool; 4], gathers in select(&[Gathers::Slow, Gathers::Apart, Gathers::Fast][..]),
        parts_of_weight in select(&[None, Some(1), Some(2), Some(3), Some(7)][..]),
        max_workgroups in select(&[5, 60, 65_535][..]), max_iterations in select(&[300, 5000, 65_535, 65_535][..])
    ) -> Device {
        Device { software, lacks, gathers, parts_of_weight, max_workgroups, max_iterations }
    }
}

impl Device {
    /// Its capabilities, for operands and result of such sizes.
    fn caps(&self, gpu: &Gpu, weight: Shape, others: [Shape; 2]) -> Caps {
        let real = *gpu.caps();
        let [no_int64, no_subgroup, no_uniform_loads, no_atomics] = self.lacks;
        let bytes = |shape: Shape| 4 * shape.elements() as u64;
        let smallest = |parts| others.map(bytes).into_iter().fold(bytes(weight) / parts, u64::max) + 256;
        let max_binding_bytes = self.parts_of_weight.map_or(Caps::WEBGPU.max_binding_bytes, smallest);
        Caps {
            software: self.software,
            int64: real.int64 && !no_int64,
            subgroup: real.subgroup.filter(|_| !no_subgroup),
            uniform_loads: !no_uniform_loads,
            gathers: self.gathers,
            float_atomics: real.float_atomics && !no_atomics,
            max_binding_bytes,
            max_buffer_bytes: 2 * max_binding_bytes,
            max_workgroups: self.max_workgroups,
            max_iterations: self.max_iterations.min(real.max_iterations),
            ..real
        }
    }

    /// Whether every limit is what real devices have at least, so that nothing small may be refused.
    fn is_real(&self) -> bool {
        self.parts_of_weight.is_none() && self.max_iterations == 65_535 && self.max_workgroups == 65_535
    }
}

prop_compose! {
    fn kernels()(square in select(&[1, 2, 3, 3, 3, 4, 5, 6, 7][..]), other in 1_usize..=7, is_square: bool) -> [usize; 2] {
        [square, if is_square { square } else { other }]
    }
}

prop_compose! {
    fn borders()(most in 0_usize..=4, [top, bottom, left, right] in [0_usize..=4, 0_usize..=4, 0_usize..=4, 0_usize..=4]) -> Padding {
        Padding { top: top.min(most), bottom: bottom.min(most), left: left.min(most), right: right.min(most) }
    }
}

/// Batch and extent; groups, input and output channels of a group.
type Sizes = ([usize; 3], [usize; 3]);

fn sizes() -> impl Strategy<Value = Sizes> {
    let channels = || select(&[1, 1, 2, 3, 4, 5, 8, 9, 16, 17, 31, 33, 64, 70, 130][..]);
    ([1_usize..=2, 1_usize..=33, 1_usize..=40], (select(&[1, 1, 1, 2, 3][..]), channels(), channels()))
        .prop_map(|(images, (groups, inputs, outputs))| (images, [groups, inputs, outputs]))
}

prop_compose! {
    fn any_conv2d()(
        ([n, h, w], [groups, inputs, outputs]) in sizes(), kernel in kernels(), stride in select(&[[1, 1], [1, 1], [1, 1], [2, 2], [3, 1]][..]),
        dilation in select(&[[1, 1], [1, 1], [1, 1], [1, 2], [3, 3]][..]), covers in 0..6, pad in borders(), bias: bool, relu: bool
    ) -> ConvProblem<Conv2d> {
        let op = Conv2d::new(if covers == 0 { [h.min(9), w.min(9)] } else { kernel }).groups(groups);
        let op = if covers == 0 { op } else { op.stride(stride).dilation(dilation).pad(pad) };
        let (op, [h, w]) = (if relu { op.relu() } else { op }, if covers == 0 { op.kernel } else { [h, w] });
        ConvProblem { because: "generated", op, input: [n, groups * inputs, h, w], output_channels: groups * outputs, bias }
    }
}

prop_compose! {
    fn any_conv_transpose2d()(
        ([n, h, w], [groups, inputs, outputs]) in sizes(), kernel in kernels(), stride in select(&[[1, 1], [1, 1], [2, 2], [4, 4], [3, 2]][..]),
        dilation in select(&[[1, 1], [1, 1], [1, 1], [1, 2]][..]), form in 0..6, pad in borders(), more in [0_usize..=3, 0_usize..=3],
        bias: bool, relu: bool
    ) -> ConvProblem<ConvTranspose2d> {
        let kernel = if form < 2 { stride.map(|stride| 2 * stride) } else { kernel };
        let dilation = if form < 2 { [1, 1] } else { dilation };
        let [h, w] = if form == 2 { [1, 1] } else { [h, w] };
        let (groups, inputs, outputs) = if form == 1 { (groups * inputs, 1, 1) } else { (groups, inputs, outputs) };
        let op = ConvTranspose2d::new(kernel).stride(stride).dilation(dilation).pad(pad).groups(groups);
        let op = op.output_padding([more[0].min(stride[0] - 1), more[1].min(stride[1] - 1)]);
        let op = if relu { op.relu() } else { op };
        ConvProblem { because: "generated", op, input: [n, groups * inputs, h, w], output_channels: groups * outputs, bias }
    }
}

/// Those whose shapes go together, and which the reference can compute in no time.
fn moderate<Op: Convolution>(
    problems: impl Strategy<Value = ConvProblem<Op>>,
) -> impl Strategy<Value = ConvProblem<Op>> {
    problems.prop_filter("an output of moderate work", |problem| {
        let Ok(output) = problem.output_shape() else { return false };
        let weight = problem.weight_shape().unwrap();
        let cells = output.elements().max(Shape::from(problem.input).elements());
        cells < 40_000 && cells * weight.c.max(problem.input[1]) * weight.plane() < 3_000_000
    })
}

/// Runs a plan that has to keep to its limits.
fn run(gpu: &Gpu, caps: &Caps, plan: &KernelPlan, operands: &ConvOperands, outputs: &[u64]) -> Vec<Vec<u32>> {
    for step in plan.prepare.iter().chain(&plan.run) {
        assert!(step.workgroups.iter().all(|&count| (1..=caps.max_workgroups).contains(&count)), "{step:?}");
        for operand in &step.operands {
            let words = operand.words.clone().map_or(0, |words| words.end - words.start);
            assert!(4 * words <= caps.max_binding_bytes, "{step:?}");
        }
    }
    assert!(plan.scratch.iter().all(|scratch| 4 * scratch.words <= caps.max_buffer_bytes), "{:?}", plan.scratch);
    let ConvOperands { x, w, bias } = operands;
    let words = |tensor: &Tensor| tensor.data().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let inputs: Vec<Vec<u32>> = [Some(x), Some(w), bias.as_ref()].into_iter().flatten().map(words).collect();
    words_of(gpu, plan, &inputs.iter().map(Vec::as_slice).collect::<Vec<_>>(), outputs)
}

fn tensor(shape: Shape, words: &[u32]) -> Tensor {
    Tensor::new(shape, words.iter().copied().map(f32::from_bits).collect()).unwrap()
}

/// What every variant that can be planned computes, and the one that is chosen.
fn check<Op: Convolution, V: VariantOf<Op> + PartialEq>(
    gpu: &Gpu,
    problem: &ConvProblem<Op>,
    device: &Device,
    all: &[V],
    plan: impl Fn([Shape; 2], Option<Shape>, Option<V>, &Caps) -> Result<KernelPlan>,
) {
    let operands = problem.integers(1);
    let ConvOperands { x, w, bias } = &operands;
    let exact = problem.op.reference(x, w, bias.as_ref()).unwrap().exact();
    let caps = device.caps(gpu, w.shape(), [x.shape(), exact.shape()]);
    for variant in [None].into_iter().chain(all.iter().copied().map(Some)) {
        let planned = plan([x.shape(), w.shape()], bias.as_ref().map(Tensor::shape), variant, &caps);
        let owed = variant.is_none_or(|variant| variant.applies(&caps, problem)) && device.is_real();
        let plan = match planned {
            Err(Error::Limit { .. } | Error::Unsupported { .. }) if !owed => continue,
            planned => planned.unwrap(),
        };
        let taken = *all.iter().find(|variant| variant.name() == plan.variant).unwrap();
        let [found] = &run(gpu, &caps, &plan, &operands, &[exact.shape().elements() as u64])[..] else { panic!() };
        let answer = if taken.is_exact() { &exact } else { &taken.answer(problem, &operands) };
        let checked = answer.check(&tensor(exact.shape(), found));
        checked.unwrap_or_else(|mismatch| panic!("{} of {problem:?} for {device:?}: {mismatch}", plan.variant));
    }
}

#[test]
fn generated_convolutions() {
    let Some(gpu) = adapter::gpu() else { return };
    for_generated(4, (moderate(any_conv2d()), devices()), |(problem, device)| {
        check(&gpu, &problem, &device, conv2d::Variant::ALL, |[x, w], bias, variant, caps| {
            conv2d::plan(&problem.op, x, w, bias, variant, caps)
        });
    });
}

#[test]
fn generated_transposed_convolutions() {
    let Some(gpu) = adapter::gpu() else { return };
    for_generated(4, (moderate(any_conv_transpose2d()), devices()), |(problem, device)| {
        check(&gpu, &problem, &device, conv_transpose2d::Variant::ALL, |[x, w], bias, variant, caps| {
            conv_transpose2d::plan(&problem.op, x, w, bias, variant, caps)
        });
    });
}

/// Minimal filtering that ends in a pooling, with switches in both forms and without: what pooling makes of its own map, bit for bit.
#[test]
fn generated_pooled_convolutions() {
    use conv2d::Variant::{WinogradEight, WinogradF2, WinogradF4, WinogradPieces};
    let Some(gpu) = adapter::gpu() else { return };
    let rounding = select(&[Rounding::Floor, Rounding::Ceil, Rounding::Caffe][..]);
    let forms = select(&[None, Some(Storage::Words), Some(Storage::Compact)][..]);
    for_generated(
        8,
        (moderate(any_conv2d()), devices(), rounding, forms),
        |(mut problem, device, rounding, switches)| {
            problem.op = problem.op.stride([1, 1]).dilation([1, 1]);
            let pooling = conv2d::Pooling { op: MaxPool2d::new([2, 2]).rounding(rounding), switches };
            let operands = problem.reals(1);
            let ConvOperands { x, w, bias } = &operands;
            let shapes = (x.shape(), w.shape(), bias.as_ref().map(Tensor::shape));
            let Ok(output) = problem.output_shape() else { return };
            let Ok(pooled) = pooling.op.output_shape(output) else { return };
            let caps = device.caps(&gpu, w.shape(), [x.shape(), pooled]);
            for variant in [WinogradF2, WinogradF4, WinogradPieces, WinogradEight] {
                let plan = match conv2d::plan_pooled(&problem.op, pooling, shapes, variant, &caps) {
                    Err(Error::Limit { .. } | Error::Unsupported { .. }) => continue,
                    planned => planned.unwrap(),
                };
                let sizes = [Some(Storage::Words), switches].into_iter().flatten().map(|form| form.words(pooled));
                let found = run(&gpu, &caps, &plan, &operands, &sizes.collect::<Vec<_>>());
                let plan = conv2d::plan(&problem.op, shapes.0, shapes.1, shapes.2, Some(variant), gpu.caps()).unwrap();
                let map = run(&gpu, gpu.caps(), &plan, &operands, &[output.elements() as u64]);
                let (maxima, expected) = reference::max_pool2d(&pooling.op, &tensor(output, &map[0])).unwrap();
                let context = || format!("{} of {problem:?} and {pooling:?} for {device:?}", variant.name());
                assert!(tensor(pooled, &found[0]) == maxima, "{}", context());
                let positions = match switches {
                    None => continue,
                    Some(Storage::Words) => expected.indices().to_vec(),
                    Some(_) => {
                        let plan =
                            max_pool2d::plan(&pooling.op, output, max_pool2d::Variant::CompactSwitches, gpu.caps());
                        let sizes = [pooled.elements() as u64, Storage::Compact.words(pooled)];
                        words_of(&gpu, &plan.unwrap(), &[&map[0]], &sizes).swap_remove(1)
                    }
                };
                assert!(found[1] == positions, "switches by {}", context());
            }
        },
    );
}
