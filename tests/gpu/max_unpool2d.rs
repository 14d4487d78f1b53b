//! Max unpooling, every variant, against the reference.

use proptest::prelude::*;
use switchback::kernel::max_unpool2d::Variant;
use switchback::{Error, Gpu, MaxPool2d, MaxUnpool2d, Rounding, Switches, Tensor, reference};

use super::devices::{assert_same, on_each};
use crate::common::adapter;
use crate::common::problem::{max_unpool2d_cases, max_unpool2d_problems};
use crate::common::random::Random;
use crate::common::seeds::for_generated;

/// Every variant, and the one that is chosen by itself, must give the reference's values, bit for bit.
fn check(gpu: &Gpu, op: &MaxUnpool2d, x: &Tensor, switches: &Switches, because: &str) {
    let expected = reference::max_unpool2d(op, x, switches).unwrap();
    let (x, switches) = (gpu.upload(x).unwrap(), gpu.upload_switches(switches).unwrap());
    let run = |gpu: &Gpu| gpu.download(&gpu.max_unpool2d(op, &x, &switches).unwrap()).unwrap();
    assert_same(&run(gpu), &expected, because);
    for &variant in Variant::ALL {
        assert_same(&run(&gpu.with_variant(variant)), &expected, &format!("{}, {because}", variant.name()));
    }
}

#[test]
fn named_problems() {
    on_each(|gpu| {
        for problem in max_unpool2d_cases() {
            let (x, switches) = problem.operands(1);
            check(gpu, &problem.op, &x, &switches, problem.because);
        }
    });
}

#[test]
fn generated_problems() {
    let Some(gpu) = adapter::gpu() else { return };
    let problems = (max_unpool2d_problems(), any::<u64>());
    for_generated(64, problems, |(problem, seed)| {
        let (x, switches) = problem.operands(seed >> 1);
        let because = format!("{:?} of {:?} of {:?}", problem.op, problem.pool.op, problem.pool.input);
        check(&gpu, &problem.op, &x, &switches, &because);
    });
}

#[test]
fn the_last_of_overlapping_windows_wins() {
    let pool = MaxPool2d::new([3, 3]).stride([1, 1]).pad(1);
    // All nine windows of a 3x3 plane name its centre.
    let switches = Switches::new([1, 1, 3, 3], [3, 3], pool, vec![4; 9]).unwrap();
    let x = Tensor::from_fn([1, 1, 3, 3], |[_, _, i, j]| (1 + 3 * i + j) as f32).unwrap();
    on_each(|gpu| {
        check(gpu, &MaxUnpool2d::new(), &x, &switches, "nine claims on one cell");
        let (x, switches) = (gpu.upload(&x).unwrap(), gpu.upload_switches(&switches).unwrap());
        let y = gpu.download(&gpu.max_unpool2d(&MaxUnpool2d::new(), &x, &switches).unwrap()).unwrap();
        assert_eq!(y.data(), [0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0]);
    });
}

#[test]
fn values_move_untouched() {
    let Some(gpu) = adapter::gpu() else { return };
    let pool = MaxPool2d::new([1, 2]);
    let bits = [0x7fc0_1234, 0xff80_0000, 0x8000_0000, 0x0000_0001, 0xffff_fffe, 0x7f7f_ffff];
    let x = Tensor::new([1, 1, 2, 3], bits.map(f32::from_bits).to_vec()).unwrap();
    let switches = Switches::new([1, 1, 2, 3], [2, 6], pool, vec![1, 2, 5, 6, 9, 10]).unwrap();
    check(&gpu, &MaxUnpool2d::new(), &x, &switches, "NaNs, -0 and subnormals");
}

/// Down to an odd extent, back, and down again: unpooling puts each maximum where pooling finds it again.
#[test]
fn pool_unpool_pool_is_pool() {
    let pool = MaxPool2d::new([2, 2]).rounding(Rounding::Caffe);
    let mut random = Random::new(5);
    let x = Tensor::from_fn([2, 3, 45, 60], |_| random.integer(1, 4) as f32).unwrap();
    on_each(|gpu| {
        let (pooled, switches) = gpu.max_pool2d_switches(&pool, &gpu.upload(&x).unwrap()).unwrap();
        for &variant in Variant::ALL {
            let gpu = gpu.with_variant(variant);
            let unpooled = gpu.max_unpool2d(&MaxUnpool2d::new(), &pooled, &switches).unwrap();
            assert_eq!(unpooled.shape(), [2, 3, 45, 60].into());
            let (again, same_switches) = gpu.max_pool2d_switches(&pool, &unpooled).unwrap();
            assert_same(&gpu.download(&again).unwrap(), &gpu.download(&pooled).unwrap(), variant.name());
            assert_eq!(
                gpu.download_switches(&same_switches).unwrap(),
                gpu.download_switches(&switches).unwrap(),
                "{}",
                variant.name()
            );
        }
    });
}

#[test]
fn bad_operands_are_refused() {
    let Some(gpu) = adapter::gpu() else { return };
    let pool = MaxPool2d::new([2, 2]);
    let x = gpu.upload(&Tensor::zeros([1, 1, 6, 4]).unwrap()).unwrap();
    let (pooled, switches) = gpu.max_pool2d_switches(&pool, &x).unwrap();
    let refusal = gpu.max_unpool2d(&MaxUnpool2d::new(), &x, &switches).unwrap_err();
    assert!(matches!(refusal, Error::Operand { op: "max_unpool2d", .. }), "{refusal}");
    let smaller = MaxUnpool2d::new().output_size([5, 4]);
    let refusal = gpu.max_unpool2d(&smaller, &pooled, &switches).unwrap_err();
    assert!(matches!(refusal, Error::Parameter { parameter: "output_size", .. }), "{refusal}");
}
