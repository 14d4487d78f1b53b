//! The comparison that every kernel is held to must itself be able to fail: each test plants a fault.

use switchback::reference::{Answer, Mismatch, conv2d, softmax_channels};
use switchback::{Conv2d, Tensor};

use crate::common::random::Random;

/// A convolution of reals with the answer and a right f32 result.
fn right() -> (Answer, Tensor) {
    let mut random = Random::new(1);
    let (x, w) = (random.reals([2, 3, 7, 7]), random.reals([3, 3, 3, 3]));
    let answer = conv2d(&Conv2d::new([3, 3]).pad(1), &x, &w, None).unwrap();
    let result = answer.tensor();
    (answer, result)
}

/// The number of wrong elements, or `None` if the shape itself is wrong.
fn wrong_elements(answer: &Answer, found: &Tensor) -> Option<usize> {
    match answer.check(found) {
        Ok(()) => Some(0),
        Err(Mismatch::Elements { count, .. }) => Some(count),
        Err(Mismatch::Shape { .. }) => None,
    }
}

fn edited(tensor: &Tensor, edit: impl FnOnce(&mut [f32])) -> Tensor {
    let mut tensor = tensor.clone();
    edit(tensor.data_mut());
    tensor
}

#[test]
fn a_right_result_passes() {
    let (answer, result) = right();
    assert_eq!(answer.check(&result), Ok(()));
    assert!(answer.matches(&result));
}

#[test]
fn f32_sums_in_either_order_pass() {
    let mut random = Random::new(1);
    let (x, w) = (random.reals([1, 512, 1, 1]), random.reals([1, 512, 1, 1]));
    let answer = conv2d(&Conv2d::new([1, 1]), &x, &w, None).unwrap();
    let products = x.data().iter().zip(w.data()).map(|(x, w)| x * w);
    for sum in [products.clone().sum::<f32>(), products.rev().sum()] {
        assert!(answer.matches(&Tensor::full([1, 1, 1, 1], sum).unwrap()));
    }
}

#[test]
fn one_wrong_element_is_found_and_named() {
    let (answer, result) = right();
    let position = result.shape().index([1, 2, 4, 6]);
    let found = edited(&result, |data| data[position] += 0.01);
    let Err(mismatch) = answer.check(&found) else { panic!("accepted") };
    let Mismatch::Elements { count, index, expected, found, bound } = mismatch else { panic!("{mismatch}") };
    assert_eq!((count, index), (1, [1, 2, 4, 6]));
    assert!((f64::from(found) - expected).abs() > bound);
    let message = mismatch.to_string();
    assert!(message.starts_with("1 wrong elements, the worst at [1, 2, 4, 6]: "), "{message}");
}

#[test]
fn the_worst_of_several_is_the_one_that_is_most_bounds_away() {
    let (answer, result) = right();
    let found = edited(&result, |data| {
        data[3] += 1e-4;
        data[40] -= 1e-2;
        data[41] += 1e-3;
    });
    let Err(Mismatch::Elements { count: 3, index, .. }) = answer.check(&found) else { panic!("three are wrong") };
    assert_eq!(index, [0, 0, 5, 5]);
}

#[test]
fn the_bound_is_tight() {
    let (answer, result) = right();
    for (position, sum) in answer.sums().iter().enumerate() {
        let at = |bounds: f64| edited(&result, |data| data[position] = (sum.value + bounds * sum.bound()) as f32);
        assert!(sum.bound() < 5e-5, "29 roundings of 27 products below one");
        assert!(answer.matches(&at(0.9)) && answer.matches(&at(-0.9)));
        assert!(!answer.matches(&at(1.5)) && !answer.matches(&at(-1.5)));
    }
}

#[test]
fn a_dropped_term_hides_in_the_bound_of_a_long_sum_but_not_from_an_exact_comparison() {
    let mut random = Random::new(1);
    let (x, w) = (random.integers([1, 4096, 3, 3]), random.integers([1, 4096, 1, 1]));
    let w = edited(&w, |w| w[0] = 1.0);
    let op = Conv2d::new([1, 1]);
    let answer = conv2d(&op, &x, &w, None).unwrap();
    let result = conv2d(&op, &x, &edited(&w, |w| w[0] = 0.0), None).unwrap().tensor();
    assert!(answer.matches(&result));
    let touched = x.data()[..9].iter().filter(|&&x| x != 0.0).count();
    assert_eq!(wrong_elements(&answer.exact(), &result), Some(touched));
}

#[test]
fn a_shift_by_one_fails() {
    let (answer, result) = right();
    let most = result.data().len() / 2;
    for shifted in [edited(&result, |data| data.rotate_right(1)), edited(&result, |data| data.rotate_left(7))] {
        assert!(wrong_elements(&answer, &shifted).unwrap() > most);
    }
}

#[test]
fn swapped_axes_fail() {
    let (answer, result) = right();
    let shape = result.shape();
    let transposed = Tensor::from_fn(shape, |[n, c, y, x]| result.get([n, c, x, y]).unwrap()).unwrap();
    assert!(!answer.matches(&transposed));
    let images = Tensor::from_fn(shape, |[n, c, y, x]| result.get([1 - n, c, y, x]).unwrap()).unwrap();
    assert!(!answer.matches(&images));
    let channels = Tensor::from_fn(shape, |[n, c, y, x]| result.get([n, 2 - c, y, x]).unwrap()).unwrap();
    assert!(!answer.matches(&channels));
}

#[test]
fn another_shape_fails_even_with_the_same_elements() {
    let (answer, result) = right();
    let reshaped = result.clone().reshape([3, 2, 7, 7]).unwrap();
    assert_eq!(wrong_elements(&answer, &reshaped), None);
    let message = answer.check(&reshaped).unwrap_err().to_string();
    assert_eq!(message, "shape 3x2x7x7, expected 2x3x7x7");
}

#[test]
fn stale_outputs_fail() {
    let (answer, result) = right();
    let all = result.data().len();
    let poisoned = Tensor::full(result.shape(), f32::from_bits(0xFFFF_FFFF)).unwrap();
    assert_eq!(wrong_elements(&answer, &poisoned), Some(all));
    let untouched = Tensor::zeros(result.shape()).unwrap();
    assert_eq!(wrong_elements(&answer, &untouched), Some(all));
    let tail = edited(&result, |data| *data.last_mut().unwrap() = f32::from_bits(0xFFFF_FFFF));
    assert_eq!(wrong_elements(&answer, &tail), Some(1));
}

#[test]
fn nan_and_infinity_fail_where_a_number_is_due() {
    let (answer, result) = right();
    for intruder in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        let found = edited(&result, |data| data[17] = intruder);
        let Err(Mismatch::Elements { count: 1, index, .. }) = answer.check(&found) else { panic!("{intruder}") };
        assert_eq!(index, [0, 0, 2, 3]);
    }
}

/// Whether a reference of one value accepts another.
fn accepts(reference: f32, found: f32) -> bool {
    let [reference, found] = [reference, found].map(|value| Tensor::full([1, 1, 1, 1], value).unwrap());
    Answer::from(&reference).matches(&found)
}

#[test]
fn a_number_or_another_infinity_fails_where_nan_or_infinity_is_due() {
    let specials = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    for (i, reference) in specials.into_iter().enumerate() {
        for (j, found) in specials.into_iter().enumerate() {
            assert_eq!(accepts(reference, found), i == j, "{reference} {found}");
        }
        for found in [0.0, f32::MAX, f32::MIN] {
            assert!(!accepts(reference, found), "{reference} {found}");
        }
    }
}

#[test]
fn moved_values_have_no_tolerance() {
    assert!(accepts(0.1, 0.1));
    assert!(!accepts(0.1, 0.1_f32.next_up()));
    assert!(accepts(0.0, -0.0), "they are equal");
    assert!(!accepts(0.0, f32::from_bits(1)));
}

#[test]
fn an_infinite_bound_accepts_nothing_but_the_value() {
    // -inf * 1 + 1, then ReLU: the value is zero, the magnitude infinite.
    let x = Tensor::full([1, 1, 1, 1], f32::NEG_INFINITY).unwrap();
    let one = Tensor::full([1, 1, 1, 1], 1.0).unwrap();
    let answer = conv2d(&Conv2d::new([1, 1]).relu(), &x, &one, Some(&one)).unwrap();
    assert!(answer.matches(&Tensor::zeros([1, 1, 1, 1]).unwrap()));
    assert!(!answer.matches(&one));
}

#[test]
fn an_overflow_of_f32_is_an_infinity() {
    let huge = Tensor::full([1, 1, 1, 1], f32::MAX).unwrap();
    let answer = conv2d(&Conv2d::new([1, 1]), &huge, &huge, None).unwrap();
    assert!(answer.matches(&Tensor::full([1, 1, 1, 1], f32::INFINITY).unwrap()));
    assert!(!answer.matches(&huge));
}

#[test]
fn products_too_small_for_f32_may_be_flushed_to_zero() {
    let tiny = Tensor::full([1, 2, 1, 1], 1e-20).unwrap();
    let answer = conv2d(&Conv2d::new([1, 1]), &tiny, &tiny, None).unwrap();
    assert!(answer.matches(&Tensor::zeros([1, 1, 1, 1]).unwrap()));
    assert!(!answer.matches(&Tensor::full([1, 1, 1, 1], 1e-37).unwrap()));
}

#[test]
fn softmax_in_f32_passes_and_wrong_classes_fail() {
    let x = Tensor::from_fn([1, 5, 3, 3], |[_, c, y, x]| (c * 7 + y * 5 + x * 3) as f32 % 11.0 * 4.0).unwrap();
    let answer = softmax_channels(&x).unwrap();
    let result = Tensor::from_fn(x.shape(), |[_, c, i, j]| {
        let scores = (0..5).map(|k| x.get([0, k, i, j]).unwrap());
        let largest = scores.clone().fold(f32::NEG_INFINITY, f32::max);
        (x.get([0, c, i, j]).unwrap() - largest).exp() / scores.map(|score| (score - largest).exp()).sum::<f32>()
    });
    let result = result.unwrap();
    assert_eq!(answer.check(&result), Ok(()));
    let shifted = edited(&result, |data| data.rotate_right(9));
    assert!(wrong_elements(&answer, &shifted).unwrap() > 20);
    let unnormalised = edited(&result, |data| data.iter_mut().for_each(|share| *share *= 1.0001));
    assert!(!answer.matches(&unnormalised));
}
