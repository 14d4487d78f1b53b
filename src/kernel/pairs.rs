//! Kernels that read two words at a time give the numbers, bit for bit, of those that read one: the same sums in the same order.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use std::io::Write;

use super::conv2d;
use crate::adapter;
use crate::gpu::{Caps, Gpu, GpuTensor, KernelPlan};
use crate::op::Conv2d;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// The shared device, if it has integers of 64 bits, as a CPU driver that may read pairs, and as one that may not.
fn device() -> Option<(Gpu, Caps, Caps)> {
    let gpu = adapter::gpu()?;
    let caps = Caps { software: true, ..*gpu.caps() };
    if !caps.int64 {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        writeln!(std::io::stderr(), "SKIPPED {test}: {} has no SHADER_INT64", gpu.info()).ok();
        return None;
    }
    Some((gpu, caps, Caps { int64: false, ..caps }))
}

/// Fractions, so that another order of a sum's terms would round to another result.
fn fractions(shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    Tensor::from_fn(shape, |index| ((shape.index(index) * 7 + 3) % 97) as f32 / 13.0 - 3.0).unwrap()
}

fn run(gpu: &Gpu, plan: &KernelPlan, inputs: &[&Tensor], output: Shape) -> Vec<u32> {
    let inputs: Vec<GpuTensor> = inputs.iter().map(|tensor| gpu.upload(tensor).unwrap()).collect();
    let buffers: Vec<_> = inputs.iter().map(GpuTensor::buffer).collect();
    let result = gpu.allocate("result", output.elements() as u64).unwrap();
    gpu.execute("pairs", plan, &buffers, &[&result]).unwrap();
    gpu.download(&GpuTensor::new(output, result)).unwrap().data().iter().map(|value| value.to_bits()).collect()
}

fn reads_pairs(plan: &KernelPlan) -> bool {
    plan.run.iter().any(|step| step.kernel.has_int64())
}

#[test]
fn convolutions_are_the_same() {
    use conv2d::Variant::{WinogradF2, WinogradF4};
    let Some((gpu, pairs, words)) = device() else { return };
    let three = Conv2d::new([3, 3]).pad(1);
    for (variant, op, input, outputs) in [
        (WinogradF2, three.relu(), [2, 10, 9, 7], 37),
        (WinogradF4, three, [1, 21, 13, 22], 9),
        (WinogradF4, three.groups(3), [1, 15, 8, 8], 6),
    ] {
        let (x, w) = (fractions(input), fractions(op.weight_shape(input[1], outputs).unwrap()));
        let b = fractions(Shape::vector(outputs));
        let output = op.output_shape(x.shape(), w.shape(), Some(b.shape())).unwrap();
        let plan = |caps| conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), Some(variant), caps).unwrap();
        let plans = [plan(&pairs), plan(&words)];
        assert_eq!(plans.each_ref().map(reads_pairs), [true, false], "{}", variant.name());
        let [one, other] = plans.map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
        assert!(one == other, "{} of {op:?}", variant.name());
    }
}
