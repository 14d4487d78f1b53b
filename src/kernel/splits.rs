//! Convolutions planned for devices far smaller than any real one, then run on a real one: weights in many parts, folded
//! dispatches.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use super::conv_transpose2d::Variant;
use super::{conv_transpose2d, conv2d};
use crate::common::adapter;
use crate::gpu::{Buffer, Caps, Gpu, GpuTensor, KernelPlan};
use crate::op::{Conv2d, ConvTranspose2d};
use crate::reference;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// Whole numbers whose sums are exact, all different from the next.
fn integers(shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    Tensor::from_fn(shape, |index| ((shape.index(index) * 7 + 3) % 17) as f32 - 8.0).unwrap()
}

/// A device that binds so many words and dispatches five workgroups a dimension; alignment is the real device's.
fn tiny(gpu: &Gpu, words: u64) -> Caps {
    Caps { max_binding_bytes: 4 * words, max_workgroups: 5, ..*gpu.caps() }
}

/// Runs a plan, after checking that it keeps to its limits, and that it binds each word of the weight if it splits it.
fn run(gpu: &Gpu, plan: &KernelPlan, caps: &Caps, inputs: &[&Tensor], output: Shape) -> Tensor {
    let weight_words = inputs[1].shape().elements() as u64;
    let mut bound = 0;
    for step in plan.prepare.iter().chain(&plan.run) {
        assert!(step.workgroups.iter().all(|&count| (1..=caps.max_workgroups).contains(&count)), "{step:?}");
        for operand in step.operands.iter().filter(|operand| operand.buffer == Buffer::Input(1)) {
            let words = operand.words.clone().unwrap_or(0..weight_words);
            assert!(4 * (words.end - words.start) <= caps.max_binding_bytes, "{operand:?}");
            assert!(words.start <= bound, "a gap: {bound} to {words:?}");
            bound = bound.max(words.end);
        }
    }
    assert_eq!(bound, weight_words, "words of the weight that are bound");
    let inputs: Vec<GpuTensor> = inputs.iter().map(|tensor| gpu.upload(tensor).unwrap()).collect();
    let buffers: Vec<_> = inputs.iter().map(GpuTensor::buffer).collect();
    let result = gpu.allocate("result", output.elements() as u64).unwrap();
    gpu.execute("split", plan, &buffers, &[&result]).unwrap();
    gpu.download(&GpuTensor::new(output, result)).unwrap()
}

/// Dispatches that bind a part of the weight.
fn parts(plan: &KernelPlan) -> usize {
    plan.run.iter().filter(|step| step.operands.iter().any(|operand| operand.words.is_some())).count()
}

#[test]
fn convolutions_split_over_output_channels() {
    let Some(gpu) = adapter::gpu() else { return };
    let plain = Conv2d::new([3, 3]).pad(1).relu();
    let grouped = Conv2d::new([3, 2]).stride([1, 2]).groups(3);
    let plain = (plain, [2, 10, 3, 5], 13, [400, 571, 991, 5000]);
    let grouped = (grouped, [1, 12, 3, 5], 21, [190, 290, 410, 5000]);
    for (op, input, channels, limits) in [plain, grouped] {
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let expected = reference::conv2d(&op, &x, &w, Some(&b)).unwrap();
        let mut splits = Vec::new();
        for words in limits {
            let caps = tiny(&gpu, words);
            let variant = Some(conv2d::Variant::Direct);
            let plan = conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), variant, &caps).unwrap();
            splits.push(parts(&plan));
            let found = run(&gpu, &plan, &caps, &[&x, &w, &b], expected.shape());
            assert!(found == expected.tensor(), "{op:?} at {words} words: {:?}", expected.check(&found));
        }
        assert!(splits.is_sorted_by(|more, fewer| more >= fewer) && splits[0] >= 3 && splits[3] == 0, "{splits:?}");
    }
}

#[test]
fn dot_products_split_over_output_channels() {
    let Some(gpu) = adapter::gpu() else { return };
    let plain = Conv2d::new([3, 5]).relu();
    let grouped = Conv2d::new([3, 5]).groups(3);
    for (op, channels, limits) in [(plain, 13, [400, 571, 991, 5000]), (grouped, 33, [380, 500, 700, 5000])] {
        let (x, w) = (integers([2, 12, 3, 5]), integers(op.weight_shape(12, channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let expected = reference::conv2d(&op, &x, &w, Some(&b)).unwrap();
        let mut splits = Vec::new();
        for words in limits {
            let caps = tiny(&gpu, words);
            let variant = Some(conv2d::Variant::DotProduct);
            let plan = conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), variant, &caps).unwrap();
            splits.push(parts(&plan));
            let found = run(&gpu, &plan, &caps, &[&x, &w, &b], expected.shape());
            assert!(found == expected.tensor(), "{op:?} at {words} words: {:?}", expected.check(&found));
        }
        assert!(splits.is_sorted_by(|more, fewer| more >= fewer) && splits[0] >= 3 && splits[3] == 0, "{splits:?}");
    }
}

#[test]
fn filtered_convolutions_split_over_blocks_of_all_groups() {
    let Some(gpu) = adapter::gpu() else { return };
    let op = Conv2d::new([3, 3]).pad(1).groups(3).relu();
    let (x, w) = (integers([2, 15, 5, 7]), integers(op.weight_shape(15, 33).unwrap()));
    let b = integers(Shape::vector(33));
    let expected = reference::conv2d(&op, &x, &w, Some(&b)).unwrap();
    // Words of a binding, and how many dispatches transform weights under it.
    for (words, prepared) in [(3_500, 3), (5_000, 2), (40_000, 1)] {
        let caps = tiny(&gpu, words);
        let variant = Some(conv2d::Variant::WinogradF2);
        let plan = conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), variant, &caps).unwrap();
        assert_eq!(plan.prepare.len(), prepared, "{words} words");
        let found = run(&gpu, &plan, &caps, &[&x, &w, &b], expected.shape());
        assert!(found == expected.tensor(), "{words} words: {:?}", expected.check(&found));
    }
}

#[test]
fn transposed_convolutions_split_over_input_channels() {
    let Some(gpu) = adapter::gpu() else { return };
    let plain = ConvTranspose2d::new([4, 4]).stride([2, 2]).relu();
    let grouped = ConvTranspose2d::new([3, 2]).stride([2, 3]).dilation([1, 2]).groups(3);
    let plain = (plain, [2, 13, 2, 3], 7, [680, 811, 1201, 5000]);
    let grouped = (grouped, [1, 21, 1, 2], 12, [230, 290, 410, 5000]);
    for (op, input, channels, limits) in [plain, grouped] {
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let expected = reference::conv_transpose2d(&op, &x, &w, Some(&b)).unwrap();
        for variant in [Variant::Gather, Variant::Scatter] {
            let mut splits = Vec::new();
            for words in limits {
                let caps = tiny(&gpu, words);
                let bias = Some(b.shape());
                let plan = conv_transpose2d::plan(&op, x.shape(), w.shape(), bias, Some(variant), &caps).unwrap();
                splits.push(parts(&plan));
                let found = run(&gpu, &plan, &caps, &[&x, &w, &b], expected.shape());
                assert!(found == expected.tensor(), "{op:?} at {words} words: {:?}", expected.check(&found));
            }
            assert!(splits.is_sorted_by(|more, fewer| more >= fewer) && splits[0] >= 2 && splits[3] == 0, "{splits:?}");
        }
    }
}

/// A driver that lets loops run for only so long gets the sums in parts, whose rounding is that of the whole.
#[test]
fn sums_in_parts_are_the_sums() {
    let Some(gpu) = adapter::gpu() else { return };
    let caps = Caps { max_iterations: 300, ..*gpu.caps() };
    let thirds = |shape: Shape| Tensor::from_fn(shape, |index| 1.0 / (shape.index(index) % 97 + 3) as f32).unwrap();
    let op = Conv2d::new([3, 3]).pad(1).relu();
    let (x, w, b) = (thirds([1, 23, 5, 7].into()), thirds([9, 23, 3, 3].into()), thirds(Shape::vector(9)));
    let results = [*gpu.caps(), caps].map(|caps| {
        let variant = Some(conv2d::Variant::Direct);
        let plan = conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), variant, &caps).unwrap();
        (plan.run.len(), run(&gpu, &plan, &caps, &[&x, &w, &b], [1, 9, 5, 7].into()))
    });
    assert_eq!([results[0].0, results[1].0], [1, 3]);
    assert!(results[0].1 == results[1].1, "convolution");

    let op = ConvTranspose2d::new([4, 4]).stride([2, 2]).relu();
    let w = thirds([23, 9, 4, 4].into());
    let results = [*gpu.caps(), caps].map(|caps| {
        let variant = Some(Variant::Gather);
        let plan = conv_transpose2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), variant, &caps).unwrap();
        (plan.run.len(), run(&gpu, &plan, &caps, &[&x, &w, &b], [1, 9, 12, 16].into()))
    });
    assert_eq!([results[0].0, results[1].0], [1, 2]);
    assert!(results[0].1 == results[1].1, "transposed convolution");

    let caps = Caps { max_iterations: 16, ..caps };
    let (op, direct) = (Conv2d::new([3, 3]), Some(conv2d::Variant::Direct));
    let refused = conv2d::plan(&op, x.shape(), [9, 23, 3, 3].into(), None, direct, &caps).unwrap_err();
    assert!(refused.is_unsupported(), "{refused}");
}

#[test]
fn phases_split_over_blocks_and_are_packed_over_input_channels() {
    let Some(gpu) = adapter::gpu() else { return };
    let plain = ConvTranspose2d::new([4, 4]).stride([2, 2]).relu();
    let grouped = ConvTranspose2d::new([3, 2]).stride([2, 3]).dilation([1, 2]).groups(3);
    // Words of a binding, and how many dispatches pack and run under it.
    let plain = (plain, [2, 13, 2, 3], 33, [(6_500, (4, 2)), (7_000, (2, 2)), (20_000, (1, 1))]);
    let grouped = (grouped, [1, 21, 1, 2], 12, [(400, (3, 3)), (800, (2, 2)), (5_000, (1, 1))]);
    for (op, input, channels, limits) in [plain, grouped] {
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let expected = reference::conv_transpose2d(&op, &x, &w, Some(&b)).unwrap();
        for (words, counts) in limits {
            let caps = tiny(&gpu, words);
            let bias = Some(b.shape());
            let plan = conv_transpose2d::plan(&op, x.shape(), w.shape(), bias, Some(Variant::Phased), &caps).unwrap();
            let packed = plan.scratch.iter().map(|scratch| 4 * scratch.words);
            assert!(packed.max() <= Some(caps.max_binding_bytes), "{op:?} at {words} words");
            let found = run(&gpu, &plan, &caps, &[&x, &w, &b], expected.shape());
            assert!(found == expected.tensor(), "{op:?} at {words} words: {:?}", expected.check(&found));
            assert_eq!((plan.prepare.len(), plan.run.len()), counts, "{op:?} at {words} words");
        }
    }
}

#[test]
fn shared_phases_split_over_blocks_and_are_packed_over_input_channels() {
    let Some(gpu) = adapter::gpu() else { return };
    let plain = ConvTranspose2d::new([4, 4]).stride([2, 2]).relu();
    let grouped = ConvTranspose2d::new([2, 6]).stride([1, 3]).output_padding([0, 2]).groups(3);
    for (op, input, channels) in [(plain, [2, 13, 2, 3], 33), (grouped, [1, 21, 1, 2], 12)] {
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let expected = reference::conv_transpose2d(&op, &x, &w, Some(&b)).unwrap();
        let mut splits = Vec::new();
        for words in [3_400, 6_000, 20_000] {
            let caps = tiny(&gpu, words);
            let (bias, variant) = (Some(b.shape()), Some(Variant::SharedPhases));
            let plan = conv_transpose2d::plan(&op, x.shape(), w.shape(), bias, variant, &caps).unwrap();
            let packed = plan.scratch.iter().map(|scratch| 4 * scratch.words);
            assert!(packed.max() <= Some(caps.max_binding_bytes), "{op:?} at {words} words");
            let found = run(&gpu, &plan, &caps, &[&x, &w, &b], expected.shape());
            assert!(found == expected.tensor(), "{op:?} at {words} words: {:?}", expected.check(&found));
            splits.push((plan.prepare.len(), plan.run.len()));
        }
        assert_eq!(splits[2], (1, 1), "{op:?}");
        assert!(splits[0].1 > 1 || op.groups > 1, "{op:?}: {splits:?}");
    }
}

#[test]
fn products_split_over_blocks() {
    let Some(gpu) = adapter::gpu() else { return };
    let plain = ConvTranspose2d::new([3, 4]).pad([1, 0]).relu();
    let grouped = ConvTranspose2d::new([3, 2]).stride([4, 5]).dilation([1, 2]).output_padding([2, 1]).groups(3);
    for (op, input, channels) in [(plain, [2, 13, 1, 1], 37), (grouped, [1, 21, 1, 1], 12)] {
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let expected = reference::conv_transpose2d(&op, &x, &w, Some(&b)).unwrap();
        for (words, whole) in [(5_000, false), (800, false), (20_000, true)] {
            let caps = tiny(&gpu, words);
            let bias = Some(b.shape());
            let plan = conv_transpose2d::plan(&op, x.shape(), w.shape(), bias, Some(Variant::Product), &caps);
            // Too large a block is refused.
            let Ok(plan) = plan else { continue };
            assert!(plan.run.len() == 1 || !whole);
            let found = run(&gpu, &plan, &caps, &[&x, &w, &b], expected.shape());
            assert!(found == expected.tensor(), "{op:?} at {words} words: {:?}", expected.check(&found));
        }
    }
}
