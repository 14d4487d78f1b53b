//! Deconvnet views: every operator that a signal goes back through, and layers that cannot be looked at. What views show is
//! held to PyTorch in `tests/golden/views.rs`.

use switchback::graph::{Inputs, interpret};
use switchback::net::{
    Activation, DeconvNet, DeconvView, Fcn, FcnAlexNet, Head, Region, SegNet, SegNetBasic, Segmentation, Sight, plate,
};
use switchback::weights::Weights;
use switchback::{
    Conv2d, ConvTranspose2d, Crop, CropAdd, Graph, MaxPool2d, Normalize, Pad, Parameters, RgbImage, Tensor,
};

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
            // All weights are above zero, so the signal reaches all that the activation depends on, but for what poolings
            // left out.
            let field = view.receptive_field(strongest).unwrap().within([17, 23]).unwrap();
            let reached = DeconvView::patch(pixels).unwrap();
            if layer == "a" {
                assert_eq!(reached, field, "{layer} {unit}");
            }
            let ends = |region: Region| [region.top + region.rows as i32, region.left + region.columns as i32];
            let inside = field.top <= reached.top && field.left <= reached.left;
            assert!(inside && ends(reached).iter().zip(ends(field)).all(|(a, b)| *a <= b), "{layer} {unit}");
        }
    }
}

#[test]
fn receptive_fields_are_what_the_input_changes() {
    let mut g = Graph::builder();
    let x = g.input("data", [1, 1, 13, 11]).unwrap();
    let down = Conv2d::new([3, 2]).stride([2, 3]).pad(1).dilation([2, 1]);
    let a = g.conv2d_with("down", x, down, 2, Parameters::named("down").without_bias()).unwrap();
    let up = ConvTranspose2d::new([5, 4]).stride([3, 2]).pad([2, 1]);
    let b = g.conv_transpose2d_with("up", a, up, 2, Parameters::named("up").without_bias()).unwrap();
    let c = g.pad("pad", b, Pad::new(2)).unwrap();
    let d = g.crop("crop", c, Crop::new([1, 3], [9, 5])).unwrap();
    let e = g.conv2d_with("last", d, Conv2d::new([2, 2]), 1, Parameters::named("last").without_bias()).unwrap();
    g.output(e).unwrap();
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 1).unwrap();
    let run = |image: &Tensor| interpret(&graph, &weights, image).unwrap().tensor("last").unwrap().clone();
    let view = DeconvView::new(&graph, &weights, "last").unwrap();
    let shape = view.shape();
    let before = run(&Tensor::zeros([1, 1, 13, 11]).unwrap());
    // For each cell of the layer, the cells of the input that change it: the smallest rectangle round them.
    let mut found: Vec<Option<[i32; 4]>> = vec![None; shape.plane()];
    for y in 0..13 {
        for x in 0..11 {
            let mut image = Tensor::zeros([1, 1, 13, 11]).unwrap();
            image.data_mut()[y * 11 + x] = 1.0;
            let after = run(&image);
            let (y, x) = (y as i32, x as i32);
            for (cell, reached) in found.iter_mut().enumerate() {
                if after.data()[cell] != before.data()[cell] {
                    let [top, left, bottom, right] = reached.unwrap_or([y, x, y, x]);
                    *reached = Some([top.min(y), left.min(x), bottom.max(y), right.max(x)]);
                }
            }
        }
    }
    assert!(found.iter().filter(|reached| reached.is_some()).count() > shape.plane() / 2);
    for (cell, reached) in found.into_iter().enumerate() {
        let Some([top, left, bottom, right]) = reached else { continue };
        let at = Activation { unit: 0, row: cell / shape.w, column: cell % shape.w, value: 0.0 };
        let field = view.receptive_field(at).unwrap().within([13, 11]).unwrap();
        // A dilated or strided kernel has gaps at the border of what it looks at.
        let (end, far) = (field.top + field.rows as i32 - 1, field.left + field.columns as i32 - 1);
        assert!(field.top <= top && field.left <= left && end >= bottom && far >= right, "{at:?}");
        assert!(top - field.top <= 2 && left - field.left <= 2 && end - bottom <= 2 && far - right <= 2, "{at:?}");
    }
}

/// The receptive fields that the paper on FCN gives.
#[test]
fn published_receptive_fields() {
    let networks: [(Box<dyn Segmentation>, u32); 2] = [
        (Box::new(Fcn::published(Head::Stride32, 3).slimmed(64)), 404),
        (Box::new(FcnAlexNet::published(3).slimmed(64)), 355),
    ];
    for (network, cells) in networks {
        let weights = Weights::random(network.weights_required(), 1).unwrap();
        let view = DeconvView::new(&network.labels_from_image([40, 70]).unwrap(), &weights, "fc7").unwrap();
        let first = Activation { unit: 0, row: 0, column: 0, value: 1.0 };
        let field = view.receptive_field(first).unwrap();
        assert_eq!([field.rows, field.columns], [cells; 2], "{}", network.title());
        assert!(field.top < 0 && field.within([40, 70]).unwrap().top == 0);
        assert!(view.receptive_field(Activation { row: 99, ..first }).is_err());
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

    // Each sight is one pixel of a 1x1 convolution; two of them, with a gap between and the patches to the right.
    let photo = RgbImage::new([4, 5], (0..60).collect()).unwrap();
    let sight = |activation| view.sight(&photo, activation, &pixels).unwrap();
    let sights = [sight(Activation { unit: 0, row: 1, column: 1, value: 1.0 }), sight(strongest[1])];
    assert_eq!(sights[0].region, Region { top: 1, left: 1, rows: 1, columns: 1 });
    assert_eq!((sights[0].projection.data(), sights[0].patch.data()), (&[128, 128, 255][..], &[18, 19, 20][..]));
    let plate = plate(&sights, 2).unwrap();
    // Tiles of 96 pixels, 3 between them, 12 between the halves.
    assert_eq!(plate.extent(), [96, 2 * (96 + 3 + 96) + 12]);
    let at = |x: usize| &plate.data()[3 * (50 * 402 + x)..][..3];
    assert_eq!([at(5), at(96), at(110), at(200)], [[128, 128, 255], [255; 3], [128; 3], [255; 3]]);
    assert_eq!([at(207), at(401)], [[18, 19, 20], [12, 13, 14]]);
    let wrong = RgbImage::new([4, 4], vec![0; 48]).unwrap();
    assert!(view.sight(&wrong, strongest[0], &pixels).unwrap_err().to_string().contains("as the image"));
}

#[test]
fn plates_are_as_large_as_their_largest_sight() {
    let sight = |rows: usize, columns: usize, byte| {
        let image = RgbImage::new([rows, columns], vec![byte; 3 * rows * columns]).unwrap();
        let region = Region { top: 0, left: 0, rows: rows as u32, columns: columns as u32 };
        let activation = Activation { unit: 0, row: 0, column: 0, value: 1.0 };
        Sight { activation, region, projection: image.clone(), patch: image }
    };
    let sights = [sight(100, 30, 1), sight(40, 60, 2), sight(10, 10, 3)];
    let plate = |columns| plate(&sights, columns);
    assert_eq!(plate(2).unwrap().extent(), [203, 2 * 123 + 12]);
    assert_eq!(plate(1).unwrap().extent(), [306, 132]);
    // In the middle of its tile; the tile that is missing is paper.
    let picture = plate(2).unwrap();
    let at = |y: usize, x: usize| picture.data()[3 * (y * 258 + x)];
    assert_eq!([at(0, 14), at(0, 15), at(0, 44), at(0, 45)], [255, 1, 1, 255]);
    assert_eq!([at(29, 63), at(30, 63), at(69, 122), at(70, 122)], [255, 2, 2, 255]);
    assert_eq!([at(148, 25), at(103, 63), at(148, 135 + 25)], [3, 255, 3]);
    assert!(plate(0).is_err());
    assert!(switchback::net::plate(&[], 3).unwrap_err().to_string().contains("0 sights"));
}
