//! What a set of weights gives: shapes by rank, runs of rows, element types, random values, comparisons.

use std::sync::Arc;
use std::thread;

use switchback::weights::{Element, Weights};
use switchback::{Shape, Tensor};

use super::{file_of, floats};

#[test]
fn rank_decides_the_operand_shape() {
    let bytes = floats(&[0.0; 24]);
    let weights = Weights::from_bytes(file_of(&[
        ("bias", "F32", &[24], &bytes),
        ("linear", "F32", &[4, 6], &bytes),
        ("conv", "F32", &[2, 3, 4, 1], &bytes),
        ("scalar", "F32", &[], &bytes[..4]),
        ("cube", "F32", &[2, 3, 4], &bytes),
        ("empty", "F32", &[2, 0], &[]),
    ]))
    .unwrap();
    assert_eq!(weights.tensor("bias").unwrap().shape(), Shape::vector(24));
    assert_eq!(weights.tensor("linear").unwrap().shape(), [4, 6, 1, 1].into());
    assert_eq!(weights.tensor("conv").unwrap().shape(), [2, 3, 4, 1].into());
    for (name, found) in [("scalar", "a scalar"), ("cube", "2x3x4"), ("empty", "2x0")] {
        let error = weights.tensor(name).unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}` is {found}, expected")), "{error}");
    }
}

#[test]
fn every_element_type_decodes_exactly() {
    let f16 = [0x3c00_u16, 0xc000, 0x7bff, 0x0001].map(u16::to_le_bytes).concat();
    let bf16 = [0x3f80_u16, 0xc000, 0x7f7f, 0x0001].map(u16::to_le_bytes).concat();
    let f32s = [1.0, -2.0, f32::MAX, f32::from_bits(1)];
    let weights = Weights::from_bytes(file_of(&[
        ("f32", "F32", &[4], &floats(&f32s)),
        ("f16", "F16", &[4], &f16),
        ("bf16", "BF16", &[4], &bf16),
    ]))
    .unwrap();
    assert_eq!(weights.tensor("f32").unwrap().data(), f32s);
    assert_eq!(weights.tensor("f16").unwrap().data(), [1.0, -2.0, 65504.0, 2.0_f32.powi(-24)]);
    assert_eq!(weights.tensor("bf16").unwrap().data(), [1.0, -2.0, f32::from_bits(0x7f7f_0000), 2.0_f32.powi(-133)]);
    assert_eq!(weights.get("bf16").unwrap().element(), Element::Bf16);
    assert_eq!(weights.get("bf16").unwrap().byte_len(), 8);
}

#[test]
fn rows_are_the_rows_of_the_whole() {
    let weights = Weights::random([("w.weight", Shape::from([5, 3, 2, 2])), ("w.bias", Shape::vector(5))], 3).unwrap();
    let whole = weights.tensor("w.weight").unwrap();
    for (start, end) in [(0, 5), (0, 1), (2, 4), (4, 5)] {
        let rows = weights.tensor_rows("w.weight", start..end).unwrap();
        assert_eq!(rows.shape(), [end - start, 3, 2, 2].into());
        assert_eq!(rows.data(), &whole.data()[start * 12..end * 12]);
        let bias = weights.tensor_rows("w.bias", start..end).unwrap();
        assert_eq!(bias.shape(), Shape::vector(end - start));
        assert_eq!(bias.data(), &weights.tensor("w.bias").unwrap().data()[start..end]);
    }
    #[expect(clippy::reversed_empty_ranges, reason = "a caller's mistake that has to be refused")]
    for rows in [0..6, 5..6, 2..2, 4..3, usize::MAX - 1..usize::MAX] {
        let error = weights.tensor_rows("w.weight", rows.clone()).unwrap_err().to_string();
        assert!(error.contains("rows within 0..5") && error.contains(&format!("{rows:?}")), "{error}");
    }
}

#[test]
fn nan_and_infinity_are_named_with_their_place() {
    let mut values = vec![0.5; 24];
    values[17] = f32::NAN;
    let weights = Weights::from_bytes(file_of(&[
        ("nan", "F32", &[2, 3, 2, 2], &floats(&values)),
        ("inf", "F16", &[3], &[0x3c00_u16, 0xfc00, 0].map(u16::to_le_bytes).concat()),
    ]))
    .unwrap();
    let error = weights.tensor("nan").unwrap_err().to_string();
    assert_eq!(error, "weights: `nan` holds NaN at [1, 1, 0, 1], expected finite numbers");
    let error = weights.tensor_rows("nan", 1..2).unwrap_err().to_string();
    assert!(error.contains("NaN at [1, 1, 0, 1]"), "{error}");
    assert!(weights.tensor_rows("nan", 0..1).is_ok(), "rows without the NaN are sound");
    let error = weights.tensor("inf").unwrap_err().to_string();
    assert!(error.contains("`inf` holds -inf at [1]"), "{error}");
    assert!(weights.to_bytes(Element::F32).is_err(), "and neither is written on");
}

#[test]
fn a_missing_name_is_answered_with_its_relatives() {
    let mut weights = Weights::new();
    assert_eq!(
        weights.tensor("fc6.weight").unwrap_err().to_string(),
        "weights: `fc6.weight` is missing; there are no weights at all"
    );
    weights.insert("fc6.bias", &Tensor::vector(vec![0.0]).unwrap());
    weights.insert("conv", &Tensor::vector(vec![0.0]).unwrap());
    let error = weights.tensor("fc6.weight").unwrap_err().to_string();
    assert_eq!(error, "weights: `fc6.weight` is missing; there are `fc6.bias`");
    let error = weights.tensor("upscore").unwrap_err().to_string();
    assert_eq!(error, "weights: `upscore` is missing; there are 2 tensors, such as `conv`, `fc6.bias`");
}

#[test]
fn a_check_lists_everything_that_is_wrong() {
    let required =
        [("a.weight", Shape::from([4, 3, 3, 3])), ("a.bias", Shape::vector(4)), ("b.bias", Shape::vector(2))];
    let mut weights = Weights::random(required, 0).unwrap();
    weights.check("net", required).unwrap();
    weights.insert("a.weight", &Tensor::zeros([4, 3, 5, 5]).unwrap());
    weights.insert("classifier", &Tensor::zeros([1, 7, 1, 1]).unwrap());
    assert!(weights.remove("b.bias"));
    assert_eq!(
        weights.check("net", required).unwrap_err().to_string(),
        "weights: they do not fit net: 1 of its 3 tensors match, 2 are missing or misshapen, 1 are left over\n  \
         `a.weight` is 4x3x5x5, expected 4x3x3x3\n  \
         `b.bias` is missing, expected 1x2x1x1\n  \
         `classifier` (1x7x1x1) has no place in it"
    );
}

#[test]
fn a_long_list_of_faults_is_cut() {
    let required: Vec<_> = (0..100).map(|i| (format!("w{i}"), Shape::vector(1))).collect();
    let error = Weights::new().check("net", required).unwrap_err().to_string();
    assert!(error.lines().count() < 30 && error.ends_with("and 76 more"), "{error}");
}

#[test]
fn random_weights_are_the_same_for_the_same_seed() {
    let required = [("a.weight", Shape::from([4, 3, 3, 3])), ("a.bias", Shape::vector(4))];
    let [first, again, other] = [1, 1, 2].map(|seed| Weights::random(required, seed).unwrap());
    assert_eq!(first.tensor("a.weight").unwrap(), again.tensor("a.weight").unwrap());
    assert_ne!(first.tensor("a.weight").unwrap(), other.tensor("a.weight").unwrap());
    assert_eq!(first.get("a.bias").unwrap().shape(), [4]);
    // Pinned: a benchmark's data must not change with the library.
    let values = first.tensor("a.bias").unwrap().into_data();
    assert!(values.iter().all(|value| value.abs() <= 0.1 && *value != 0.0), "{values:?}");
    assert!(Weights::random([("w", Shape::from([4, 0, 3, 3]))], 1).is_err());
}

#[test]
fn reshape_and_rename_move_no_values() {
    let mut weights = Weights::random([("linear.weight", Shape::from([2, 18, 1, 1]))], 5).unwrap();
    let before = weights.tensor("linear.weight").unwrap();
    weights.reshape("linear.weight", &[2, 2, 3, 3]).unwrap();
    weights.rename("linear.weight", "conv.weight").unwrap();
    assert_eq!(weights.tensor("conv.weight").unwrap(), before.reshape([2, 2, 3, 3]).unwrap());
    let error = weights.reshape("conv.weight", &[2, 2, 3]).unwrap_err().to_string();
    assert_eq!(error, "weights: `conv.weight` is 2x2x3x3, which cannot become 2x2x3");
    assert!(weights.reshape("conv.weight", &[usize::MAX, 2, 3]).is_err());
    assert!(weights.reshape("linear.weight", &[1]).is_err());
    assert!(weights.rename("linear.weight", "x").is_err());
}

/// Factors along an axis count whichever way a tensor is decoded, and are part of what is saved.
#[test]
fn an_axis_is_scaled_as_it_is_decoded() {
    let plain = Weights::random([("w", Shape::from([3, 2, 2, 1]))], 5).unwrap();
    let mut weights = plain.clone();
    weights.scale_axis("w", 0, &[2.0, -1.0, 0.5]).unwrap();
    weights.scale_axis("w", 1, &[1.0, 4.0]).unwrap();
    let before = plain.tensor("w").unwrap();
    let expected = Tensor::from_fn([3, 2, 2, 1], |[n, c, h, w]| {
        [2.0, -1.0, 0.5][n] * [1.0, 4.0][c] * before.get([n, c, h, w]).unwrap()
    });
    let expected = expected.unwrap();
    assert_eq!(weights.tensor("w").unwrap(), expected);
    assert_eq!(weights.tensor_rows("w", 1..3).unwrap().data(), &expected.data()[4..]);
    let saved = Weights::from_bytes(weights.to_bytes(Element::F32).unwrap()).unwrap();
    assert_eq!(saved.tensor("w").unwrap(), expected);
    assert_eq!(plain.tensor("w").unwrap(), before, "a clone is left alone");

    let error = weights.scale_axis("w", 1, &[1.0; 3]).unwrap_err().to_string();
    assert_eq!(error, "weights: `w` is 3x2x2x1, expected 3 along axis 1 to scale it");
    assert!(weights.scale_axis("w", 4, &[1.0]).is_err());
    assert!(weights.scale_axis("none", 0, &[1.0]).is_err());
    weights.scale_axis("w", 0, &[f64::MAX; 3]).unwrap();
    assert!(weights.tensor("w").unwrap_err().to_string().contains("`w` holds"), "what overflows is refused");
}

#[test]
fn threads_share_weights() {
    let weights = Arc::new(Weights::random([("w", Shape::from([8, 4, 3, 3]))], 9).unwrap());
    let sums = [0, 1].map(|_| {
        let weights = Arc::clone(&weights);
        thread::spawn(move || weights.tensor("w").unwrap().data().iter().sum::<f32>())
    });
    let [first, second] = sums.map(|sum| sum.join().unwrap());
    assert_eq!(first.to_bits(), second.to_bits());
}

#[test]
fn the_name_that_files_keep_for_themselves_is_refused() {
    let mut weights = Weights::new();
    weights.insert("__metadata__", &Tensor::zeros([1, 1, 1, 1]).unwrap());
    let error = weights.to_bytes(Element::F32).unwrap_err().to_string();
    assert!(error.contains("`__metadata__`") && error.contains("rename"), "{error}");
}
