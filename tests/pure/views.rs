//! Deconvnet views: every operator that a signal goes back through, and layers that cannot be looked at. What views show is
//! held to PyTorch in `tests/golden/views.rs`.

use switchback::graph::{Inputs, interpret};
use switchback::net::{
    Activation, DeconvNet, DeconvView, Fcn, FcnAlexNet, Head, Region, SegNet, SegNetBasic, Segmentation,
};
use switchback::weights::Weights;
use switchback::{Conv2d, ConvTranspose2d, Crop, CropAdd, Graph, MaxPool2d, Normalize, Pad, Parameters, Tensor};

use crate::common::random::Random;

/// Where all weights, biases apart, and all inputs are positive, ReLU changes nothing, and a view is the transpose of what
/// led to the activation: the pixels' product with the image is the activation's square.
#[test]
fn a_view_is_the_adjoint_of_the_way_forward() {
    let mut g = Graph::builder();
    let x = g.input("data", [1, 3, 17, 23]).unwrap();
    let conv = |g: &mut switchback::GraphBuilder, name: &str, x, op: Conv2d, width| {
        g.conv2d_with(name, x, op, width, Parameters::named(name).without_bias()).unwrap()
    };
    let a = conv(&mut g, "a", x, Conv2d::new([3, 3]).stride([2, 1]).pad([0, 2]).relu(), 4);
    let pooled = g.max_pool2d("pool", a, MaxPool2d::new([2, 2]).ceil()).unwrap();
    let b = conv(&mut g, "b", pooled, Conv2d::new([3, 2]).pad(1).groups(2).dilation([1, 2]), 6);
    let up = ConvTranspose2d::new([4, 3]).stride([2, 2]).pad([1, 0]);
    let up = g.conv_transpose2d_with("up", b, up, 4, Parameters::named("up").without_bias()).unwrap();
    let skip = conv(&mut g, "skip", a, Conv2d::new([1, 1]), 4);
    let skip = g.pad("pad", skip, Pad::new(6)).unwrap();
    let fused = g.crop_add("fuse", up, skip, CropAdd::new([1, 2]).scale(0.5)).unwrap();
    let cropped = g.crop("crop", fused, Crop::new([1, 2], [5, 6])).unwrap();
    let scaled = g.scale("scale", cropped, "scale.scale", None).unwrap();
    let both = g.concat("concat", &[cropped, scaled, cropped]).unwrap();
    let sum = g.add("sum", both, both).unwrap();
    let last = conv(&mut g, "last", sum, Conv2d::new([3, 3]), 5);
    g.output(last).unwrap();
    let graph = g.build().unwrap();

    let mut weights = Weights::random(graph.weights_required(), 1).unwrap();
    for name in weights.clone().names() {
        let tensor = weights.tensor(name).unwrap();
        weights.insert(name, &Tensor::new(tensor.shape(), tensor.data().iter().map(|v| v.abs()).collect()).unwrap());
    }
    let image = Random::new(3).reals([1, 3, 17, 23]);
    let image = Tensor::new(image.shape(), image.data().iter().map(|v| v.abs()).collect()).unwrap();
    for layer in ["a", "pool", "b", "up", "fuse", "crop", "concat", "last"] {
        let view = DeconvView::new(&graph, &weights, layer).unwrap();
        let run = |keep: &Tensor| {
            let inputs = Inputs::new().with("data", &image).with("keep", keep);
            interpret(view.graph(), view.weights(), inputs).unwrap()
        };
        let activations = run(&view.nothing().unwrap());
        let activations = activations.tensor(layer).unwrap();
        for unit in 0..view.shape().c {
            let strongest = view.strongest_of(activations, unit).unwrap();
            let pixels = run(&view.keep(strongest).unwrap());
            let pixels = pixels.tensor("pixels").unwrap();
            let product: f64 = image.data().iter().zip(pixels.data()).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            let square = f64::from(strongest.value).powi(2);
            assert!((product / square - 1.0).abs() < 1e-5, "{layer} {unit}: {product} for {square}");
        }
    }
}

#[test]
fn every_network_can_be_looked_into() {
    let networks: [(Box<dyn Segmentation>, &[&str]); 5] = [
        (Box::new(Fcn::published(Head::Stride8, 4).slimmed(32)), &["conv1_1", "conv4_3", "fc7", "score_fr", "score"]),
        (Box::new(FcnAlexNet::published(4).slimmed(32)), &["conv1", "norm1", "conv5", "fc7"]),
        (Box::new(SegNet::published(4).slimmed(32)), &["conv1_2", "pool3", "conv5_3"]),
        (Box::new(SegNetBasic::published(4).slimmed(32)), &["conv4"]),
        (Box::new(DeconvNet::published(4).slimmed(64)), &["conv3_3", "fc7", "fc6-deconv"]),
    ];
    for (network, layers) in networks {
        let weights = Weights::random(network.weights_required(), 5).unwrap();
        let graph = network.labels_from_image([193, 193]).unwrap();
        for layer in layers {
            let view = DeconvView::new(&graph, &weights, layer).unwrap();
            assert_eq!(view.graph().inputs().map(|(name, _)| name).collect::<Vec<_>>(), ["image", "keep"]);
            // Every filter on the way back is one of the way there.
            let mut required = view.graph().weights_required();
            required.retain(|(name, _)| name.ends_with(".weight"));
            let forward = graph.fold().graph().weights_required().len();
            assert!(required.len() <= forward, "{layer}");
        }
    }
}

#[test]
fn what_cannot_be_looked_at_is_said() {
    let network = SegNet::published(4).slimmed(32);
    let weights = Weights::random(network.weights_required(), 5).unwrap();
    let graph = network.graph([1, 3, 33, 33].into()).unwrap();
    let error = DeconvView::new(&graph, &weights, "conv3_3_D").unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    assert!(error.to_string().contains("max_unpool2d") && error.to_string().contains("layer before it"), "{error}");
    let error = DeconvView::new(&graph, &weights, "conv9").unwrap_err().to_string();
    assert!(error.starts_with("graph: there is no layer `conv9`; there are conv1_1, conv1_2, pool1,"), "{error}");
    let two = network.graph([2, 3, 33, 33].into()).unwrap();
    assert!(DeconvView::new(&two, &weights, "conv1_1").unwrap_err().to_string().contains("expected one image"));
    assert!(DeconvView::new(&graph, &Weights::new(), "conv1_1").is_err());

    let view = DeconvView::new(&graph, &weights, "conv2_1").unwrap();
    let outside = Activation { unit: 99, row: 0, column: 0, value: 1.0 };
    assert!(view.keep(outside).is_err());
    let activations = Tensor::zeros(view.shape()).unwrap();
    assert!(view.strongest_of(&activations, 99).unwrap_err().to_string().contains("below 4 in `conv2_1`"));
    assert!(view.strongest(&Tensor::zeros([1, 1, 1, 1]).unwrap(), 1).is_err());
    assert!(view.strongest(&activations, 9).unwrap().is_empty(), "units that do not respond are left out");
}

#[test]
fn the_strongest_come_first_and_pictures_are_grey_where_nothing_is() {
    let mut g = Graph::builder();
    let image = g.image("image", [4, 5]).unwrap();
    let x = g.normalize("data", image, Normalize::CAFFE).unwrap();
    let x = g.conv2d("conv", x, Conv2d::new([1, 1]), 3).unwrap();
    g.output(x).unwrap();
    let graph = g.build().unwrap();
    let view = DeconvView::new(&graph, &Weights::random(graph.weights_required(), 1).unwrap(), "conv").unwrap();
    let activations = Tensor::from_fn([1, 3, 4, 5], |[_, c, y, x]| [1.0, -1.0, 2.0][c] * ((y + x) % 5) as f32).unwrap();
    let strongest = view.strongest(&activations, 9).unwrap();
    let found: Vec<_> = strongest.iter().map(|a| (a.unit, a.row, a.column, a.value)).collect();
    assert_eq!(found, [(2, 0, 4, 8.0), (0, 0, 4, 4.0)]);

    let mut pixels = Tensor::zeros([1, 3, 4, 5]).unwrap();
    assert_eq!(DeconvView::patch(&pixels), None);
    assert!(view.picture(&pixels).unwrap().data().iter().all(|&byte| byte == 128));
    // Blue, the network's first channel, at two places.
    pixels.data_mut()[6] = 0.5;
    pixels.data_mut()[13] = -0.25;
    assert_eq!(DeconvView::patch(&pixels), Some(Region { top: 1, left: 1, rows: 2, columns: 3 }));
    let picture = view.picture(&pixels).unwrap();
    assert_eq!(picture.data()[3 * 6..][..3], [128, 128, 255]);
    assert_eq!(picture.data()[3 * 13..][..3], [128, 128, 65]);
}
