//! ReLU, addition, per-channel scale and the fused skip connection, against the reference.

use switchback::{CropAdd, Error, Gpu, GpuTensor, Tensor, reference};

use super::devices::{assert_same, on_each};
use crate::common::adapter;
use crate::common::random::Random;

/// One pixel, one row, one column, prime extents, a batch, and planes smaller than a vector.
const SHAPES: [[usize; 4]; 7] =
    [[1, 1, 1, 1], [1, 2, 1, 31], [1, 2, 31, 1], [1, 3, 13, 17], [2, 5, 7, 11], [3, 7, 1, 2], [1, 67, 3, 5]];

fn both(gpu: &Gpu, a: &Tensor, b: &Tensor) -> (GpuTensor, GpuTensor) {
    (gpu.upload(a).unwrap(), gpu.upload(b).unwrap())
}

#[test]
fn relu() {
    on_each(|gpu| {
        for shape in SHAPES {
            let x = Random::new(1).reals(shape);
            let y = gpu.download(&gpu.relu(&gpu.upload(&x).unwrap()).unwrap()).unwrap();
            assert_same(&y, &reference::relu(&x).unwrap(), &format!("{shape:?}"));
        }
    });
}

#[test]
fn relu_of_special_values() {
    let Some(gpu) = adapter::gpu() else { return };
    let bits = [
        0x7fc0_0000,
        0xffc0_0000,
        0x7f80_0001,
        0xff80_0001,
        0xffff_ffff,
        0x7f80_0000,
        0xff80_0000,
        0x8000_0000,
        0,
        0x8000_0001,
        1,
        0xff7f_ffff,
    ];
    let x = Tensor::new([1, 1, 1, bits.len()], bits.map(f32::from_bits).to_vec()).unwrap();
    let y = gpu.download(&gpu.relu(&gpu.upload(&x).unwrap()).unwrap()).unwrap();
    assert_same(&y, &reference::relu(&x).unwrap(), "NaNs stay, negative numbers go");
}

#[test]
fn relu_over_more_workgroups_than_one_dimension_holds() {
    let Some(gpu) = adapter::gpu() else { return };
    let x = Tensor::from_fn([1, 1, 2049, 2053], |[_, _, y, x]| ((y * 31 + x * 17) % 97) as f32 - 48.0).unwrap();
    let y = gpu.download(&gpu.relu(&gpu.upload(&x).unwrap()).unwrap()).unwrap();
    assert_same(&y, &reference::relu(&x).unwrap(), "65,730 workgroups");
}

#[test]
fn add() {
    on_each(|gpu| {
        for shape in SHAPES {
            for [a, b] in [
                [Random::new(1).integers(shape), Random::new(2).integers(shape)],
                [Random::new(3).reals(shape), Random::new(4).reals(shape)],
            ] {
                let (x, y) = both(gpu, &a, &b);
                let sum = gpu.download(&gpu.add(&x, &y).unwrap()).unwrap();
                reference::add(&a, &b).unwrap().check(&sum).unwrap();
            }
        }
    });
}

#[test]
fn a_tensor_added_to_itself() {
    let Some(gpu) = adapter::gpu() else { return };
    let x = Random::new(1).integers([1, 3, 5, 7]);
    let doubled = gpu.upload(&x).and_then(|x| gpu.add(&x, &x)).and_then(|sum| gpu.download(&sum)).unwrap();
    reference::add(&x, &x).unwrap().check(&doubled).unwrap();
}

#[test]
fn scale() {
    on_each(|gpu| {
        for shape in SHAPES {
            for (values, exact) in [(Random::integers as fn(&mut Random, _) -> _, true), (Random::reals, false)] {
                let mut random = Random::new(5);
                let x: Tensor = values(&mut random, shape);
                let factor = values(&mut random, [1, shape[1], 1, 1]);
                let shift = values(&mut random, [1, shape[1], 1, 1]);
                for shift in [None, Some(&shift)] {
                    let expected = reference::scale(&x, &factor, shift).unwrap();
                    let on_gpu = shift.map(|shift| gpu.upload(shift).unwrap());
                    let (x, factor) = both(gpu, &x, &factor);
                    let y = gpu.download(&gpu.scale(&x, &factor, on_gpu.as_ref()).unwrap()).unwrap();
                    expected.check(&y).unwrap();
                    assert!(!exact || y == expected.tensor(), "{shape:?}: whole numbers are exact");
                }
            }
        }
    });
}

#[test]
fn crop_add() {
    let cases = [
        (CropAdd::new([0, 0]), [1, 1, 1, 1], [1, 1, 1, 1]),
        (CropAdd::new([5, 5]), [1, 21, 6, 8], [1, 21, 16, 18]),
        (CropAdd::new([9, 0]).scale(0.0001), [2, 3, 7, 11], [2, 3, 16, 13]),
        (CropAdd::new([0, 3]).scale(-2.0), [2, 5, 7, 10], [2, 5, 7, 13]),
    ];
    on_each(|gpu| {
        for (op, a, b) in cases {
            let (a, b) = (Random::new(6).integers(a), Random::new(7).integers(b));
            let expected = reference::crop_add(&op, &a, &b).unwrap();
            let (a, b) = both(gpu, &a, &b);
            expected.check(&gpu.download(&gpu.crop_add(&op, &a, &b).unwrap()).unwrap()).unwrap();
        }
    });
}

#[test]
fn bad_operands_are_refused() {
    let Some(gpu) = adapter::gpu() else { return };
    let (a, b) = both(&gpu, &Tensor::zeros([1, 2, 3, 4]).unwrap(), &Tensor::zeros([1, 2, 4, 3]).unwrap());
    for (refusal, operator) in [
        (gpu.add(&a, &b).unwrap_err(), "add"),
        (gpu.scale(&a, &b, None).unwrap_err(), "scale"),
        (gpu.crop_add(&CropAdd::new([0, 0]), &a, &b).unwrap_err(), "crop_add"),
    ] {
        assert!(matches!(refusal, Error::Operand { op, .. } if op == operator), "{refusal}");
    }
}
