//! Laws that tie the operators to each other. On small integers every sum is exact, so both sides must be equal.

use switchback::reference::toeplitz::Toeplitz;
use switchback::reference::{self, conv_transpose2d, conv2d, max_pool2d, max_unpool2d};
use switchback::{
    Conv2d, ConvTranspose2d, Crop, CropAdd, MaxUnpool2d, Pad, Padding, Shape, Slice, Tensor, bilinear_weight,
};

use crate::common::problem::*;
use crate::common::random::Random;
use crate::common::seeds::for_generated;

fn dot(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.shape(), b.shape());
    a.data().iter().zip(b.data()).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[test]
fn every_named_case_is_a_valid_problem() {
    conv2d_cases().iter().for_each(|case| assert!(case.output_shape().is_ok(), "{case:?}"));
    conv_transpose2d_cases().iter().for_each(|case| assert!(case.output_shape().is_ok(), "{case:?}"));
    max_pool2d_cases().iter().for_each(|case| assert!(case.op.output_shape(case.input.into()).is_ok(), "{case:?}"));
    max_unpool2d_cases().iter().for_each(|case| drop(case.operands(1)));
}

/// `<C x, y> = <x, C' y>`, and both products are those of the matrix C.
fn convolution_laws(problem: &ConvProblem<Conv2d>) {
    let op = problem.op.without_relu();
    let ConvOperands { x, w, .. } = problem.integers(1);
    let matrix = Toeplitz::new(&op, x.shape(), &w).unwrap();
    let cx = conv2d(&op, &x, &w, None).unwrap().tensor();
    assert_eq!(matrix.apply(&x).unwrap().tensor(), cx, "C x: {problem:?}");
    let y = Random::new(2).integers(cx.shape());
    let cty = conv_transpose2d(&op.adjoint(x.shape().extent()), &y, &w, None).unwrap().tensor();
    assert_eq!(matrix.apply_transposed(&y).unwrap().tensor(), cty, "C' y: {problem:?}");
    assert_eq!(dot(&cx, &y), dot(&x, &cty), "{problem:?}");
}

/// The same from the other side. An output padding of a stride or more, which a larger dilation allows, lets the
/// convolution see windows that the transposed one does not fill: those are cut off, or hold zeros.
fn transposed_convolution_laws(problem: &ConvProblem<ConvTranspose2d>) {
    let op = problem.op.without_relu();
    let ConvOperands { x, w, .. } = problem.integers(1);
    let ctx = conv_transpose2d(&op, &x, &w, None).unwrap().tensor();
    let y = Random::new(2).integers(ctx.shape());
    let cy = conv2d(&op.adjoint(), &y, &w, None).unwrap().tensor();

    let extent = x.shape().extent();
    let [bottom, right] = [0, 1].map(|axis| cy.shape().extent()[axis] - extent[axis]);
    let padded = reference::pad(&Pad::new(Padding { bottom, right, ..Padding::NONE }), &x).unwrap();
    let matrix = Toeplitz::new(&op.adjoint(), y.shape(), &w).unwrap();
    assert_eq!(matrix.apply_transposed(&padded).unwrap().tensor(), ctx, "C' x: {problem:?}");
    let seen = reference::crop(&Crop::new([0, 0], extent), &cy).unwrap();
    assert_eq!(dot(&ctx, &y), dot(&x, &seen), "{problem:?}");
}

/// Bias and ReLU come after the sum, and the values alone are the same values.
fn epilogue_laws<Op: Convolution>(problem: &ConvProblem<Op>) {
    let ConvOperands { x, w, bias } = problem.integers(3);
    let mut expected = problem.op.without_relu().reference(&x, &w, None).unwrap().tensor();
    if let Some(bias) = &bias {
        let ones = Tensor::full(bias.shape(), 1.0).unwrap();
        expected = reference::scale(&expected, &ones, Some(bias)).unwrap().tensor();
    }
    if problem.op.has_relu() {
        expected = reference::relu(&expected).unwrap();
    }
    assert_eq!(problem.op.reference(&x, &w, bias.as_ref()).unwrap().tensor(), expected, "{problem:?}");
    assert_eq!(problem.op.reference_values(&x, &w, bias.as_ref()).unwrap(), expected, "{problem:?}");
}

/// Pooling what was unpooled finds the same maxima in the same places, if zero is no maximum.
fn pool_unpool_pool(problem: &PoolProblem) {
    let positive = |x: &Tensor| Tensor::from_fn(x.shape(), |index| x.get(index).unwrap().max(-3.0) + 4.0).unwrap();
    let (pooled, switches) = max_pool2d(&problem.op, &positive(&problem.input(1))).unwrap();
    let spread = max_unpool2d(&MaxUnpool2d::new(), &pooled, &switches).unwrap();
    assert_eq!(max_pool2d(&problem.op, &spread).unwrap(), (pooled, switches), "{problem:?}");
}

/// `<P x, y> = <x, P' y>`, where P picks the maxima at fixed switches and P' is unpooling, if no cell wins twice.
fn unpooling_is_the_adjoint_of_pooling(problem: &PoolProblem) {
    if problem.op.overlaps() {
        return;
    }
    // The lowest finite number would swamp every sum.
    let x = problem.input(1);
    let x = Tensor::from_fn(x.shape(), |index| x.get(index).unwrap().max(-1000.0)).unwrap();
    let (pooled, switches) = max_pool2d(&problem.op, &x).unwrap();
    let y = Random::new(2).integers(pooled.shape());
    let spread = max_unpool2d(&MaxUnpool2d::new(), &y, &switches).unwrap();
    assert_eq!(dot(&pooled, &y), dot(&x, &spread), "{problem:?}");
}

/// A larger output holds the ordinary one in its corner, and zeros.
fn unpooling_to_a_larger_output(problem: &UnpoolProblem) {
    let (x, switches) = problem.operands(1);
    let ordinary = max_unpool2d(&MaxUnpool2d::new(), &x, &switches).unwrap();
    let found = max_unpool2d(&problem.op, &x, &switches).unwrap();
    let [rows, columns] = [0, 1].map(|axis| found.shape().extent()[axis] - ordinary.shape().extent()[axis]);
    let border = Padding { bottom: rows, right: columns, ..Padding::NONE };
    assert_eq!(found, reference::pad(&Pad::new(border), &ordinary).unwrap(), "{problem:?}");
}

#[test]
fn named_convolutions() {
    for problem in conv2d_cases() {
        convolution_laws(&problem);
        epilogue_laws(&problem);
    }
}

#[test]
fn named_transposed_convolutions() {
    for problem in conv_transpose2d_cases() {
        transposed_convolution_laws(&problem);
        epilogue_laws(&problem);
    }
}

#[test]
fn named_poolings() {
    for problem in max_pool2d_cases() {
        pool_unpool_pool(&problem);
        unpooling_is_the_adjoint_of_pooling(&problem);
    }
    max_unpool2d_cases().iter().for_each(unpooling_to_a_larger_output);
}

#[test]
fn generated_convolutions() {
    for_generated(200, conv2d_problems(), |problem| {
        convolution_laws(&problem);
        epilogue_laws(&problem);
    });
}

#[test]
fn generated_transposed_convolutions() {
    for_generated(200, conv_transpose2d_problems(), |problem| {
        transposed_convolution_laws(&problem);
        epilogue_laws(&problem);
    });
}

#[test]
fn generated_poolings() {
    for_generated(200, max_pool2d_problems(), |problem| {
        pool_unpool_pool(&problem);
        unpooling_is_the_adjoint_of_pooling(&problem);
    });
}

#[test]
fn generated_unpoolings() {
    for_generated(200, max_unpool2d_problems(), |problem| unpooling_to_a_larger_output(&problem));
}

/// Section 4 of the guide: stride - 1 zeros between the cells, kernel - pad - 1 around them, the kernel turned by 180
/// degrees, its channel axes swapped, and an ordinary convolution of stride 1.
#[test]
fn a_transposed_convolution_is_a_convolution_over_inserted_zeros() {
    let mut random = Random::new(1);
    let (x, w) = (random.integers([2, 3, 5, 7]), random.integers([3, 4, 4, 3]));
    let op = ConvTranspose2d::new([4, 3]).stride([3, 2]).pad([1, 2]).output_padding([2, 1]);
    let stretched = Tensor::from_fn([2, 3, 13, 13], |[n, c, y, x_]| {
        let on_grid = y % 3 == 0 && x_ % 2 == 0;
        if on_grid { x.get([n, c, y / 3, x_ / 2]).unwrap() } else { 0.0 }
    });
    let turned = Tensor::from_fn([4, 3, 4, 3], |[o, c, u, v]| w.get([c, o, 3 - u, 2 - v]).unwrap());
    let around = Padding { top: 2, bottom: 2 + 2, left: 0, right: 1 };
    let expected = conv2d(&Conv2d::new([4, 3]).pad(around), &stretched.unwrap(), &turned.unwrap(), None);
    let found = conv_transpose2d(&op, &x, &w, None).unwrap().tensor();
    assert_eq!(found, expected.unwrap().tensor());
}

#[test]
fn a_dilated_convolution_is_one_with_zeros_between_the_taps() {
    let mut random = Random::new(1);
    let (x, w) = (random.integers([1, 2, 11, 13]), random.integers([3, 2, 3, 2]));
    let stretched = Tensor::from_fn([3, 2, 5, 4], |[o, c, u, v]| {
        let on_grid = u % 2 == 0 && v % 3 == 0;
        if on_grid { w.get([o, c, u / 2, v / 3]).unwrap() } else { 0.0 }
    });
    let dilated = conv2d(&Conv2d::new([3, 2]).dilation([2, 3]), &x, &w, None).unwrap().tensor();
    let plain = conv2d(&Conv2d::new([5, 4]), &x, &stretched.unwrap(), None).unwrap().tensor();
    assert_eq!(dilated, plain);
}

#[test]
fn groups_are_convolutions_side_by_side() {
    let mut random = Random::new(1);
    let (x, w) = (random.integers([2, 6, 7, 5]), random.integers([9, 2, 3, 3]));
    let op = Conv2d::new([3, 3]).pad(1);
    let parts: Vec<Tensor> = (0..3)
        .map(|group| {
            let x = reference::slice(&Slice::new(2 * group, 2), &x).unwrap();
            let w = Tensor::from_fn([3, 2, 3, 3], |[o, c, u, v]| w.get([3 * group + o, c, u, v]).unwrap()).unwrap();
            conv2d(&op, &x, &w, None).unwrap().tensor()
        })
        .collect();
    let expected = reference::concat(&parts.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(conv2d(&op.groups(3), &x, &w, None).unwrap().tensor(), expected);
}

/// Half a stride cut off, kernel twice the stride: bilinear resizing with half-pixel centres, but for a border of half a
/// stride, which fades towards zero where resizing repeats the last cell.
#[test]
fn bilinear_transposed_convolution_resizes_the_interior() {
    for stride in [2, 4, 8] {
        let x = Random::new(1).integers([1, 2, 3, 5]);
        let op = ConvTranspose2d::new([2 * stride; 2]).stride([stride; 2]).pad(stride / 2);
        let found = conv_transpose2d(&op, &x, &bilinear_weight([2, 2, 2 * stride, 2 * stride]).unwrap(), None)
            .unwrap()
            .tensor();
        assert_eq!(found.shape(), Shape::from([1, 2, 3 * stride, 5 * stride]));
        let centre = |cell: usize| (cell as f64 + 0.5) / stride as f64 - 0.5;
        let interior = |cell: usize, extent: usize| (stride / 2..extent - stride / 2).contains(&cell);
        for (c, i, j) in (0..2).flat_map(|c| (0..3 * stride).flat_map(move |i| (0..5 * stride).map(move |j| (c, i, j))))
        {
            if !interior(i, 3 * stride) || !interior(j, 5 * stride) {
                continue;
            }
            let (y, x_) = (centre(i), centre(j));
            let corner = |dy: usize, dx: usize| {
                let share = |at: f64, step: usize| if step == 0 { 1.0 - at.fract() } else { at.fract() };
                // A share of zero may belong to a cell past the edge.
                let value = x.get([0, c, y as usize + dy, x_ as usize + dx]).unwrap_or(0.0);
                f64::from(value) * share(y, dy) * share(x_, dx)
            };
            let expected = corner(0, 0) + corner(0, 1) + corner(1, 0) + corner(1, 1);
            assert_eq!(f64::from(found.get([0, c, i, j]).unwrap()), expected, "stride {stride}, ({c}, {i}, {j})");
        }
    }
}

#[test]
fn cropping_is_the_adjoint_of_padding() {
    let mut random = Random::new(1);
    let (x, y) = (random.integers([2, 3, 7, 11]), random.integers([2, 3, 4, 5]));
    let cropped = reference::crop(&Crop::new([1, 4], [4, 5]), &x).unwrap();
    let padded = reference::pad(&Pad::new(Padding { top: 1, bottom: 2, left: 4, right: 2 }), &y).unwrap();
    assert_eq!(padded.shape(), x.shape());
    assert_eq!(dot(&cropped, &y), dot(&x, &padded));
    assert_eq!(reference::crop(&Crop::new([1, 4], [4, 5]), &padded).unwrap(), y, "and undoes it");
}

#[test]
fn slicing_is_the_adjoint_of_concatenating() {
    let mut random = Random::new(1);
    let parts = [2, 1, 4].map(|channels| random.integers([2, channels, 3, 5]));
    let whole = reference::concat(&parts.each_ref()).unwrap();
    let y = random.integers(whole.shape());
    let runs = [Slice::new(0, 2), Slice::new(2, 1), Slice::new(3, 4)];
    let back = runs.map(|run| reference::slice(&run, &y).unwrap());
    let sum: f64 = parts.iter().zip(&back).map(|(part, back)| dot(part, back)).sum();
    assert_eq!(dot(&whole, &y), sum);
    assert_eq!(runs.map(|run| reference::slice(&run, &whole).unwrap()), parts, "and undoes it");
}

#[test]
fn crop_add_is_crop_then_scale_then_add() {
    let mut random = Random::new(1);
    let (a, b) = (random.integers([2, 3, 4, 5]), random.integers([2, 3, 7, 11]));
    let cropped = reference::crop(&Crop::new([3, 2], [4, 5]), &b).unwrap();
    let scaled = reference::scale(&cropped, &Tensor::full([1, 3, 1, 1], 0.5).unwrap(), None).unwrap().tensor();
    let found = reference::crop_add(&CropAdd::new([3, 2]).scale(0.5), &a, &b).unwrap();
    assert_eq!(found.tensor(), reference::add(&a, &scaled).unwrap().tensor());
}

#[test]
fn softmax_sums_to_one_and_keeps_the_largest_class() {
    let x = Random::new(1).reals([2, 21, 5, 7]);
    let scores = Tensor::from_fn(x.shape(), |index| 100.0 * x.get(index).unwrap()).unwrap();
    let shares = reference::softmax_channels(&scores).unwrap();
    for pixel in 0..35 {
        for n in 0..2 {
            let sum: f64 = (0..21).map(|c| shares.sums()[(n * 21 + c) * 35 + pixel].value).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        }
    }
    let labels = reference::argmax_channels(&scores).unwrap();
    assert_eq!(reference::argmax_channels(&shares.tensor()).unwrap(), labels);
}
