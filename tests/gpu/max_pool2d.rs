//! Max pooling, values and switches, against the reference.

use proptest::prelude::*;
use switchback::{Error, Gpu, MaxPool2d, Rounding, Tensor, reference};

use super::devices::{assert_same, on_each};
use crate::common::adapter;
use crate::common::problem::{max_pool2d_cases, max_pool2d_problems};
use crate::common::random::Random;
use crate::common::seeds::for_generated;

/// Both variants must give the reference's values and switches, bit for bit.
fn check(gpu: &Gpu, op: &MaxPool2d, x: &Tensor, because: &str) {
    let (values, switches) = reference::max_pool2d(op, x).unwrap();
    let x = gpu.upload(x).unwrap();
    let only_values = gpu.download(&gpu.max_pool2d(op, &x).unwrap()).unwrap();
    assert_same(&only_values, &values, &format!("values, {because}"));
    let (with_switches, found) = gpu.max_pool2d_switches(op, &x).unwrap();
    assert_same(&gpu.download(&with_switches).unwrap(), &values, &format!("values with switches, {because}"));
    assert_eq!(gpu.download_switches(&found).unwrap(), switches, "switches, {because}");
}

#[test]
fn named_problems() {
    on_each(|gpu| {
        for problem in max_pool2d_cases() {
            check(gpu, &problem.op, &problem.input(1), problem.because);
        }
    });
}

#[test]
fn generated_problems() {
    let Some(gpu) = adapter::gpu() else { return };
    let problems = (max_pool2d_problems(), any::<u64>());
    for_generated(64, problems, |(problem, seed)| {
        check(&gpu, &problem.op, &problem.input(seed), &format!("{:?} of {:?}", problem.op, problem.input));
    });
}

/// Planes of what comparisons of floats get wrong: NaNs of either sign, infinities, zeros of either sign, subnormals.
fn special(shape: [usize; 4], seed: u64) -> Tensor {
    const BITS: [u32; 12] = [
        0x7fc0_0000, // NaN
        0xffc0_1234, // NaN, negative, with a payload
        0x7f80_0000, // infinity
        0xff80_0000, // -infinity
        0xff7f_ffff, // the lowest finite number
        0x0000_0000, // 0
        0x8000_0000, // -0
        0x0000_0001, // the least subnormal
        0x0000_0002,
        0x8000_0001,
        0x3f80_0000, // 1
        0xbf80_0000, // -1
    ];
    let mut random = Random::new(seed);
    Tensor::from_fn(shape, |[_, c, _, _]| {
        // One plane of each value alone, then planes without NaN, then planes of everything.
        let bits = match c {
            0..12 => BITS[c],
            12..24 => BITS[random.integer(3, 11) as usize],
            _ => BITS[random.integer(0, 11) as usize],
        };
        f32::from_bits(bits)
    })
    .unwrap()
}

#[test]
fn special_values() {
    let poolings = [
        MaxPool2d::new([2, 2]),
        MaxPool2d::new([3, 3]).stride([2, 1]).pad(1),
        MaxPool2d::new([2, 3]).stride([1, 2]).dilation([3, 2]).pad([1, 2]),
    ];
    on_each(|gpu| {
        for (op, seed) in poolings.iter().zip(1..) {
            check(gpu, op, &special([1, 40, 11, 13], seed), &format!("{op:?}"));
        }
    });
}

#[test]
fn a_window_of_minus_infinity_gives_its_first_cell() {
    let Some(gpu) = adapter::gpu() else { return };
    let x = gpu.upload(&Tensor::full([1, 1, 2, 2], f32::NEG_INFINITY).unwrap()).unwrap();
    let op = MaxPool2d::new([2, 2]).stride([1, 1]).pad(1);
    let (values, switches) = gpu.max_pool2d_switches(&op, &x).unwrap();
    assert!(gpu.download(&values).unwrap().data().iter().all(|&value| value == f32::NEG_INFINITY));
    assert_eq!(gpu.download_switches(&switches).unwrap().indices(), [0, 0, 1, 0, 0, 1, 2, 2, 3]);
}

#[test]
fn segnet_extents() {
    let Some(gpu) = adapter::gpu() else { return };
    let op = MaxPool2d::new([2, 2]).rounding(Rounding::Caffe);
    let x = Random::new(3).ties([2, 5, 45, 60]);
    check(&gpu, &op, &x, "45x60");
    assert_eq!(gpu.max_pool2d(&op, &gpu.upload(&x).unwrap()).unwrap().shape(), [2, 5, 23, 30].into());
}

#[test]
fn more_workgroups_than_one_dimension_holds() {
    let Some(gpu) = adapter::gpu() else { return };
    let x = Tensor::from_fn([1, 1, 2050, 2051], |[_, _, y, x]| ((y * 31 + x * 17) % 97) as f32).unwrap();
    check(&gpu, &MaxPool2d::new([2, 2]).stride([1, 1]), &x, "65,664 workgroups");
}

#[test]
fn bad_operands_are_refused() {
    let Some(gpu) = adapter::gpu() else { return };
    let x = gpu.upload(&Tensor::zeros([1, 1, 3, 3]).unwrap()).unwrap();
    let refusal = gpu.max_pool2d(&MaxPool2d::new([4, 4]), &x).unwrap_err();
    assert!(matches!(refusal, Error::Operand { op: "max_pool2d", .. }), "{refusal}");
    let refusal = gpu.max_pool2d_switches(&MaxPool2d::new([2, 2]).stride([0, 1]), &x).unwrap_err();
    assert!(matches!(refusal, Error::Parameter { op: "max_pool2d", parameter: "stride", .. }), "{refusal}");
}
