//! Upsampling, crop and argmax in one pass: the labels of the separate operators, bit for bit.

use proptest::prelude::*;
use switchback::graph::Session;
use switchback::kernel::{conv_transpose2d, conv2d};
use switchback::net::{Fcn, Head};
use switchback::weights::Weights;
use switchback::{ConvTranspose2d, Crop, Gpu, Graph, Parameters, RgbImage, Shape, Tensor};

use crate::common::adapter;
use crate::common::problem::conv_transpose2d_cases;
use crate::common::random::Random;
use crate::common::seeds::{for_generated, seeds};
use crate::devices::on_each;

/// A network that is nothing but a tail.
#[derive(Clone, Debug)]
struct Tail {
    op: ConvTranspose2d,
    input: [usize; 4],
    classes: usize,
    bias: bool,
    crop: Option<Crop>,
}

impl Tail {
    fn graph(&self, with_scores: bool) -> Graph {
        let mut g = Graph::builder();
        let x = g.input("x", self.input).unwrap();
        let parameters = Parameters::weight("weight");
        let parameters = if self.bias { parameters.bias("bias") } else { parameters };
        let mut y = g.conv_transpose2d_with("up", x, self.op, self.classes, parameters).unwrap();
        if let Some(crop) = self.crop {
            y = g.crop("score", y, crop).unwrap();
        }
        let labels = g.argmax_channels("labels", y).unwrap();
        g.output(labels).unwrap();
        if with_scores {
            g.output(y).unwrap();
        }
        g.build().unwrap()
    }

    /// The labels in one pass, and by the separate operators; whether there was one pass.
    fn check(&self, gpu: &Gpu, x: &Tensor, w: &Tensor, because: &str) -> bool {
        let mut weights = Weights::new();
        weights.insert("weight", w);
        if self.bias {
            weights.insert("bias", &Random::new(8).integers(Shape::vector(self.classes)));
        }
        let mut session = gpu.compile(&self.graph(false), &weights).unwrap();
        let mut apart = gpu.compile(&self.graph(true), &weights).unwrap();
        assert!(!in_one(&apart), "scores are wanted: {because}");
        let outputs = session.run(x).unwrap();
        let expected = apart.run(x).unwrap();
        assert_eq!(
            outputs.labels("labels").unwrap(),
            expected.labels("labels").unwrap(),
            "{because}\n{}",
            session.plan()
        );
        assert_eq!(session.run(x).unwrap().labels("labels").unwrap(), outputs.labels("labels").unwrap(), "twice");
        for check in session.check_nodes(&weights, x, &outputs).unwrap() {
            assert!(check.mismatch.is_none(), "{because}: {:?}", check.mismatch);
        }
        in_one(&session)
    }
}

/// Whether a plan has a tail in one pass.
fn in_one(session: &Session) -> bool {
    let nodes = session.plan().nodes();
    let fused = nodes.iter().any(|node| node.operator() == "conv_transpose2d_argmax");
    assert!(!fused || nodes.iter().all(|node| node.operator() != "argmax_channels"), "{}", session.plan());
    fused
}

fn weight(tail: &Tail) -> Shape {
    tail.op.weight_shape(tail.input[1], tail.classes).unwrap()
}

/// A window of the output that begins and ends inside it where there is room.
fn window(op: &ConvTranspose2d, input: [usize; 4], weight: Shape) -> Crop {
    let [h, w] = op.output_shape(input.into(), weight, None).unwrap().extent();
    let offset = [h / 3, w / 4];
    Crop::new(offset, [(h - offset[0]).max(2) - 1, (w - offset[1]).max(3) - 2])
}

#[test]
fn named_problems() {
    let Some(gpu) = adapter::gpu() else { return };
    let mut fused = 0;
    for (problem, crop) in conv_transpose2d_cases().into_iter().zip([false, true].into_iter().cycle()) {
        let (op, input, classes) = (problem.op, problem.input, problem.output_channels);
        let mut tail = Tail { op, input, classes, bias: problem.bias, crop: None };
        tail.crop = crop.then(|| window(&op, input, weight(&tail)));
        // Few values, so that most scores are tied.
        let mut random = Random::new(3);
        let x = Tensor::from_fn(input, |_| random.integer(-1, 1) as f32).unwrap();
        let w = Tensor::from_fn(weight(&tail), |_| random.integer(-1, 1) as f32).unwrap();
        fused += usize::from(tail.check(&gpu, &x, &w, problem.because));
    }
    assert!(fused >= 4, "{fused} in one pass");
}

prop_compose! {
    fn tails()(
        n in 1_usize..=2, [h, w] in [1_usize..=9, 1_usize..=9], classes in 1_usize..=33, apart: bool, bias: bool, relu: bool,
        stride in [1_usize..=9, 1_usize..=9], taps in [1_usize..=18, 1_usize..=18], crop: bool, seed: u64
    ) -> (Tail, u64) {
        let kernel = [taps[0].min(2 * stride[0]), taps[1].min(2 * stride[1])];
        let op = ConvTranspose2d::new(kernel).stride(stride).groups(if apart { classes } else { 1 });
        let op = if relu { op.relu() } else { op };
        let mut tail = Tail { op, input: [n, classes, h, w], classes, bias, crop: None };
        tail.crop = crop.then(|| window(&op, tail.input, weight(&tail)));
        (tail, seed)
    }
}

#[test]
fn generated_problems() {
    let Some(gpu) = adapter::gpu() else { return };
    let fused = std::cell::Cell::new(0);
    for_generated(24, tails(), |(tail, seed)| {
        let mut random = Random::new(seed);
        let (x, w) = match seed % 3 {
            0 => (random.reals(tail.input), random.reals(weight(&tail))),
            _ => (random.integers(tail.input), random.integers(weight(&tail))),
        };
        fused.set(fused.get() + u64::from(tail.check(&gpu, &x, &w, &format!("{tail:?}"))));
    });
    let (fused, tried) = (fused.get(), seeds(24).count() as u64);
    assert!(2 * fused >= tried || tried < 8, "{fused} of {tried} in one pass");
}

/// NaN, infinities and both zeros among the scores, by both kernels.
#[test]
fn special_values() {
    const VALUES: [f32; 8] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1.0, -1.0, f32::MIN];
    on_each(|gpu| {
        for groups in [1, 21] {
            let op = ConvTranspose2d::new([4, 4]).stride([2, 2]).groups(groups);
            let tail = Tail { op, input: [2, 21, 5, 7], classes: 21, bias: false, crop: None };
            let mut random = Random::new(6);
            // In the second image everything is NaN.
            let x =
                Tensor::from_fn(tail.input, |[n, ..]| VALUES[if n == 1 { 0 } else { random.integer(0, 7) as usize }]);
            let w = Tensor::full(weight(&tail), 1.0).unwrap();
            assert!(tail.check(gpu, &x.unwrap(), &w, &format!("{groups} groups")));
        }
    });
}

#[test]
fn dense_weights_that_are_diagonal_are_interpolated_to_labels() {
    let Some(gpu) = adapter::gpu() else { return };
    let tail = Tail {
        op: ConvTranspose2d::new([16, 16]).stride([8, 8]),
        input: [1, 21, 9, 8],
        classes: 21,
        bias: false,
        crop: Some(Crop::new([31, 31], [37, 33])),
    };
    let w = switchback::bilinear_weight(weight(&tail)).unwrap();
    let x = Random::new(1).reals(tail.input);
    assert!(tail.check(&gpu, &x, &w, "bilinear"));
    let mut weights = Weights::new();
    weights.insert("weight", &w);
    let session = gpu.compile(&tail.graph(false), &weights).unwrap();
    assert_eq!(session.plan().node("labels").unwrap().variant(), "interpolate");
    assert!(session.plan().peak_bytes() < gpu.compile(&tail.graph(true), &weights).unwrap().plan().peak_bytes() / 4);
}

#[test]
fn tails_that_are_asked_for_otherwise_stay_apart() {
    let Some(gpu) = adapter::gpu() else { return };
    let tail = |classes| Tail {
        op: ConvTranspose2d::new([4, 4]).stride([2, 2]),
        input: [1, 8, 5, 6],
        classes,
        bias: true,
        crop: None,
    };
    let weights = |tail: &Tail| Weights::random(tail.graph(false).weights_required(), 1).unwrap();
    let few = tail(21);
    assert!(in_one(&gpu.compile(&few.graph(false), &weights(&few)).unwrap()));
    let gather = gpu.with_variant(conv_transpose2d::Variant::Gather);
    assert!(!in_one(&gather.compile(&few.graph(false), &weights(&few)).unwrap()));
    let other = gpu.with_variant(conv2d::Variant::Direct);
    assert!(in_one(&other.compile(&few.graph(false), &weights(&few)).unwrap()), "another operator's variant");
    let many = tail(33);
    assert!(!in_one(&gpu.compile(&many.graph(false), &weights(&many)).unwrap()), "two blocks of channels");
}

/// Every head of FCN, slim, by bilinear and by other last weights: the labels of the network that also gives scores.
#[test]
fn all_heads_of_fcn() {
    let Some(gpu) = adapter::gpu() else { return };
    for &head in Head::ALL {
        let network = Fcn::published(head, 21).slimmed(16);
        let extent = [61, 47];
        let (labels, both) = (network.labels_from_image(extent).unwrap(), network.graph_from_image(extent).unwrap());
        let image = RgbImage::new(extent, Random::new(5).bytes(3 * extent[0] * extent[1])).unwrap();
        for bilinear in [true, false] {
            let mut weights = Weights::random(labels.weights_required(), 7).unwrap();
            if bilinear {
                let last: Vec<(String, Shape)> = labels
                    .weights_required()
                    .into_iter()
                    .filter(|(name, shape)| name.contains("upscore") && shape.n == shape.c)
                    .map(|(name, shape)| (name.to_owned(), shape))
                    .collect();
                for (name, shape) in last {
                    weights.insert(&name, &switchback::bilinear_weight(shape).unwrap());
                }
            }
            let mut session = gpu.compile(&labels, &weights).unwrap();
            let mut apart = gpu.compile(&both, &weights).unwrap();
            // So small a map is gathered from where the stride is large and the weights are dense.
            assert!(in_one(&session) || !bilinear && head.name().starts_with("fcn32"), "{head:?}\n{}", session.plan());
            assert!(!in_one(&apart), "{head:?}\n{}", apart.plan());
            let found = session.run(&image).unwrap();
            let expected = apart.run(&image).unwrap();
            assert_eq!(found.labels("labels").unwrap(), expected.labels("labels").unwrap(), "{head:?}");
        }
    }
}
