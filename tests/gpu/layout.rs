//! Crop, pad, concat and slice: what moves values must move all of them, untouched.

use switchback::{Crop, Error, Gpu, Pad, Padding, Slice, Tensor, reference};

use super::devices::{assert_same, on_each};
use crate::common::adapter;

/// A different word everywhere, NaNs, infinities and subnormals among them.
fn words(shape: [usize; 4]) -> Tensor {
    let mut word = 0_u32;
    Tensor::from_fn(shape, |_| {
        word = word.wrapping_add(0x9E37_79B9);
        f32::from_bits(word)
    })
    .unwrap()
}

fn check_bits(found: &Tensor, expected: &Tensor, because: &str) {
    assert_same(found, expected, because);
    let bits = |tensor: &Tensor| tensor.data().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(found), bits(expected), "{because}: a NaN's payload");
}

#[test]
fn crop() {
    let cases = [
        (Crop::new([0, 0], [1, 1]), [1, 1, 1, 1]),
        (Crop::new([0, 0], [7, 11]), [2, 3, 7, 11]),
        (Crop::new([31, 27], [13, 17]), [1, 3, 60, 50]),
        (Crop::new([6, 0], [1, 11]), [2, 3, 7, 11]),
        (Crop::new([0, 10], [7, 1]), [2, 3, 7, 11]),
    ];
    on_each(|gpu| {
        for (op, shape) in cases {
            let x = words(shape);
            let y = gpu.upload(&x).and_then(|x| gpu.crop(&op, &x)).and_then(|y| gpu.download(&y)).unwrap();
            check_bits(&y, &reference::crop(&op, &x).unwrap(), &format!("{op:?} of {shape:?}"));
        }
    });
}

#[test]
fn pad() {
    let cases = [
        (Padding::NONE, [1, 1, 1, 1]),
        (Padding::from(3), [1, 2, 1, 1]),
        (Padding { top: 1, bottom: 0, left: 2, right: 5 }, [2, 3, 7, 11]),
        (Padding { top: 0, bottom: 4, left: 0, right: 0 }, [2, 3, 7, 11]),
        (Padding::from([0, 100]), [1, 3, 5, 7]),
    ];
    on_each(|gpu| {
        for (padding, shape) in cases {
            let (op, x) = (Pad::new(padding), words(shape));
            let y = gpu.upload(&x).and_then(|x| gpu.pad(&op, &x)).and_then(|y| gpu.download(&y)).unwrap();
            check_bits(&y, &reference::pad(&op, &x).unwrap(), &format!("{padding} round {shape:?}"));
        }
    });
}

#[test]
fn crop_undoes_pad() {
    let Some(gpu) = adapter::gpu() else { return };
    let x = words([2, 3, 7, 11]);
    let padded = gpu.pad(&Pad::new([3, 5]), &gpu.upload(&x).unwrap()).unwrap();
    let back = gpu.crop(&Crop::new([3, 5], [7, 11]), &padded).unwrap();
    check_bits(&gpu.download(&back).unwrap(), &x, "pad, then crop");
}

fn concat_of(gpu: &Gpu, inputs: &[Tensor]) -> Tensor {
    let uploaded: Vec<_> = inputs.iter().map(|input| gpu.upload(input).unwrap()).collect();
    gpu.download(&gpu.concat(&uploaded.iter().collect::<Vec<_>>()).unwrap()).unwrap()
}

#[test]
fn concat() {
    let cases: [&[[usize; 4]]; 5] = [
        &[[1, 1, 1, 1]],
        &[[1, 1, 1, 1], [1, 2, 1, 1], [1, 1, 1, 1]],
        &[[2, 3, 7, 11], [2, 1, 7, 11]],
        &[[3, 1, 5, 3], [3, 4, 5, 3], [3, 2, 5, 3]],
        &[[1, 64, 9, 13], [1, 32, 9, 13]],
    ];
    on_each(|gpu| {
        for shapes in cases {
            let inputs: Vec<_> = shapes.iter().map(|&shape| words(shape)).collect();
            let expected = reference::concat(&inputs.iter().collect::<Vec<_>>()).unwrap();
            check_bits(&concat_of(gpu, &inputs), &expected, &format!("{shapes:?}"));
        }
    });
}

#[test]
fn the_same_tensor_twice() {
    let Some(gpu) = adapter::gpu() else { return };
    let x = words([2, 3, 5, 7]);
    let uploaded = gpu.upload(&x).unwrap();
    let twice = gpu.download(&gpu.concat(&[&uploaded, &uploaded]).unwrap()).unwrap();
    check_bits(&twice, &reference::concat(&[&x, &x]).unwrap(), "x twice");
}

#[test]
fn slice() {
    let cases = [
        (Slice::new(0, 1), [1, 1, 1, 1]),
        (Slice::new(0, 5), [2, 5, 7, 11]),
        (Slice::new(2, 1), [2, 5, 7, 11]),
        (Slice::new(3, 2), [3, 5, 3, 1]),
        (Slice::new(31, 33), [1, 67, 9, 13]),
    ];
    on_each(|gpu| {
        for (op, shape) in cases {
            let x = words(shape);
            let y = gpu.upload(&x).and_then(|x| gpu.slice(&op, &x)).and_then(|y| gpu.download(&y)).unwrap();
            check_bits(&y, &reference::slice(&op, &x).unwrap(), &format!("{op:?} of {shape:?}"));
        }
    });
}

#[test]
fn slices_undo_concat() {
    let Some(gpu) = adapter::gpu() else { return };
    let (a, b) = (words([2, 3, 5, 7]), words([2, 4, 5, 7]));
    let joined = gpu.upload(&concat_of(&gpu, &[a.clone(), b.clone()])).unwrap();
    for (op, part) in [(Slice::new(0, 3), a), (Slice::new(3, 4), b)] {
        check_bits(&gpu.download(&gpu.slice(&op, &joined).unwrap()).unwrap(), &part, &format!("{op:?}"));
    }
}

#[test]
fn bad_operands_are_refused() {
    let Some(gpu) = adapter::gpu() else { return };
    let x = gpu.upload(&words([1, 2, 3, 4])).unwrap();
    let y = gpu.upload(&words([1, 2, 4, 3])).unwrap();
    for (refusal, operator) in [
        (gpu.crop(&Crop::new([1, 0], [3, 4]), &x).unwrap_err(), "crop"),
        (gpu.concat(&[]).unwrap_err(), "concat"),
        (gpu.concat(&[&x, &y]).unwrap_err(), "concat"),
        (gpu.slice(&Slice::new(1, 2), &x).unwrap_err(), "slice"),
        (gpu.slice(&Slice::new(usize::MAX, 2), &x).unwrap_err(), "slice"),
    ] {
        assert!(matches!(refusal, Error::Operand { op, .. } if op == operator), "{refusal}");
    }
    assert!(matches!(gpu.pad(&Pad::new(1 << 20), &x).unwrap_err(), Error::Parameter { op: "pad", .. }));
}
