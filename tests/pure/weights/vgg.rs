//! Torchvision's VGG16 as an FCN's starting point.

use switchback::net::{Fcn, Head, Vgg16};
use switchback::weights::{Weights, vgg};
use switchback::{Shape, Tensor, bilinear_weight};

const WIDTHS: [usize; 13] = [2, 3, 4, 3, 5, 4, 3, 6, 5, 4, 3, 2, 4];
const FC: usize = 6;

/// A slim VGG16 as torchvision stores it, every layer of another width, fully connected layers of rank 2.
fn torchvision(kernel: usize) -> Weights {
    let mut weights = Weights::new();
    let mut channels = 3;
    for (layer, width) in vgg::LAYERS.iter().zip(WIDTHS) {
        put(&mut weights, layer.1, [width, channels, 3, 3]);
        channels = width;
    }
    for (layer, outputs, inputs) in
        [("classifier.0", FC, channels * kernel * kernel), ("classifier.3", FC, FC), (vgg::CLASSIFIER, 10, FC)]
    {
        put(&mut weights, layer, [outputs, inputs, 1, 1]);
        weights.reshape(&format!("{layer}.weight"), &[outputs, inputs]).unwrap();
    }
    weights
}

fn put(weights: &mut Weights, layer: &str, shape: [usize; 4]) {
    let random = Weights::random(
        [(format!("{layer}.weight"), shape.into()), (format!("{layer}.bias"), Shape::vector(shape[0]))],
        4,
    )
    .unwrap();
    for name in random.names() {
        weights.insert(name, &random.tensor(name).unwrap());
    }
}

#[test]
fn fully_connected_layers_become_convolutions() {
    let weights = torchvision(7);
    let convolutional = vgg::fully_convolutional(&weights).unwrap();
    let fc6 = convolutional.tensor("classifier.0.weight").unwrap();
    assert_eq!(fc6.shape(), [FC, 4, 7, 7].into());
    // Torchvision's flattened column c*49 + y*7 + x is channel c, row y, column x.
    let linear = weights.tensor("classifier.0.weight").unwrap();
    for [o, c, y, x] in [[0, 0, 0, 0], [5, 3, 6, 6], [2, 1, 4, 5]] {
        assert_eq!(fc6.get([o, c, y, x]), linear.get([o, c * 49 + y * 7 + x, 0, 0]));
    }
    assert_eq!(convolutional.get("classifier.6.weight").unwrap().shape(), [10, FC, 1, 1]);
    let twice = vgg::fully_convolutional(&convolutional).unwrap();
    assert_eq!(twice.tensor("classifier.0.weight").unwrap(), fc6, "convolutions stay as they are");
    let net = Vgg16::from_weights(&convolutional).unwrap();
    assert_eq!(net.classes(), 10);
    let error = Vgg16::from_weights(&weights).unwrap_err().to_string();
    assert!(error.contains("vgg::fully_convolutional") && error.contains("`classifier.0.weight` is 6x196"), "{error}");
}

#[test]
fn an_fcn_starts_from_vgg16() {
    for &head in Head::ALL {
        let vgg16 = torchvision(7);
        let weights = Fcn::starting_weights(head, &vgg16, 5).unwrap();
        let fcn = Fcn::from_weights(head, &weights).unwrap();
        assert_eq!(fcn.classes(), 5);
        for (caffe, torchvision) in vgg::LAYERS {
            for part in ["weight", "bias"] {
                let name = format!("{caffe}.{part}");
                let expected = vgg16.tensor(&format!("{torchvision}.{part}")).unwrap();
                assert_eq!(weights.tensor(&name).unwrap().data(), expected.data(), "{name}");
            }
        }
        for name in weights.names().filter(|name| name.starts_with("score")) {
            assert!(weights.tensor(name).unwrap().data().iter().all(|&value| value == 0.0), "{name}");
        }
        for name in weights.names().filter(|name| name.starts_with("upscore")) {
            let weight = weights.tensor(name).unwrap();
            assert_eq!(weight, bilinear_weight(weight.shape()).unwrap(), "{name}");
        }
    }
}

#[test]
fn caffes_own_names_are_torchvisions_too() {
    let vgg16 = torchvision(7);
    assert!(!vgg::has_caffe_names(&vgg16));
    let mut caffe = vgg16.clone();
    for (caffes, torchvisions) in vgg::LAYERS.into_iter().chain([("fc8", vgg::CLASSIFIER)]) {
        for part in ["weight", "bias"] {
            caffe.rename(&format!("{torchvisions}.{part}"), format!("{caffes}.{part}")).unwrap();
        }
    }
    assert!(vgg::has_caffe_names(&caffe));
    let renamed = vgg::torchvision_names(&caffe).unwrap();
    assert_eq!(renamed.names().collect::<Vec<_>>(), vgg16.names().collect::<Vec<_>>());
    let start = |weights| Fcn::starting_weights(Head::Stride8, weights, 5).unwrap();
    let (from_caffe, from_torchvision) = (start(&caffe), start(&vgg16));
    assert_eq!(from_caffe.tensor("fc6.weight").unwrap(), from_torchvision.tensor("fc6.weight").unwrap());
    // An FCN's names are Caffe's too, and mean no VGG16.
    assert!(!vgg::has_caffe_names(&from_caffe));
}

#[test]
fn the_kernel_of_fc6_follows_from_its_columns() {
    let weights = Fcn::starting_weights(Head::Stride8, &torchvision(3), 2).unwrap();
    assert_eq!(weights.get("fc6.weight").unwrap().shape(), [FC, 4, 3, 3]);
}

#[test]
fn what_does_not_fit_is_named() {
    let start = |weights: &Weights| Fcn::starting_weights(Head::Stride8, weights, 2).unwrap_err().to_string();

    let mut weights = torchvision(7);
    weights.insert("classifier.0.weight", &Tensor::zeros([FC, 197, 1, 1]).unwrap());
    weights.reshape("classifier.0.weight", &[FC, 197]).unwrap();
    let error = start(&weights);
    assert!(error.contains("`classifier.0.weight` is 6x197, expected 4 x k x k columns"), "{error}");

    let mut weights = torchvision(7);
    weights.remove("features.17.bias");
    assert!(start(&weights).contains("`features.17.bias` is missing"));

    let mut weights = torchvision(7);
    weights.insert("features.1.weight", &Tensor::vector(vec![1.0]).unwrap());
    assert!(start(&weights).contains("`features.1.weight` (1x1x1x1) has no place in it"));

    let mut weights = torchvision(7);
    weights.insert("features.2.weight", &Tensor::zeros([3, 9, 3, 3]).unwrap());
    assert!(start(&weights).contains("`conv1_2.weight` is 3x9x3x3, expected 3x2x3x3"));

    assert!(Fcn::starting_weights(Head::Stride8, &torchvision(7), 0).is_err());
    assert!(start(&Weights::new()).contains("`features.28.weight` is missing"));
}
