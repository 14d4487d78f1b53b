//! SegNet, SegNet-Basic, DeconvNet and FCN-AlexNet: extents, and weights that do not fit; proposals over a larger image.
//! Counts and layer tables are in `tests/golden/decoders.rs`.

use switchback::graph::{Operation, interpret};
use switchback::net::{DeconvNet, FcnAlexNet, Proposals, Region, SegNet, SegNetBasic, Segmentation};
use switchback::weights::Weights;
use switchback::{Graph, Normalize, RgbImage, Shape, Tensor, reference};

fn extent_of(graph: &Graph, node: &str) -> [usize; 2] {
    match graph.node(node).unwrap().outputs()[0] {
        switchback::graph::ValueType::Tensor(shape) => shape.extent(),
        other => panic!("{node} gives {other}"),
    }
}

/// Slim networks with random weights.
fn networks() -> Vec<(Box<dyn Segmentation>, Weights)> {
    let networks: Vec<Box<dyn Segmentation>> = vec![
        Box::new(SegNet::published(5).slimmed(16)),
        Box::new(SegNetBasic::published(5).slimmed(16)),
        Box::new(DeconvNet::published(5).slimmed(64)),
        Box::new(FcnAlexNet::published(5).slimmed(32)),
    ];
    let with_weights = |network: Box<dyn Segmentation>| {
        let weights = Weights::random(network.weights_required(), 1).unwrap();
        (network, weights)
    };
    networks.into_iter().map(with_weights).collect()
}

fn read(title: &str, weights: &Weights) -> switchback::Result<Box<dyn Segmentation>> {
    Ok(match title {
        "SegNet" => Box::new(SegNet::from_weights(weights)?),
        "SegNet-Basic" => Box::new(SegNetBasic::from_weights(weights)?),
        "DeconvNet" => Box::new(DeconvNet::from_weights(weights)?),
        "FCN-AlexNet" => Box::new(FcnAlexNet::from_weights(weights)?),
        other => panic!("{other}"),
    })
}

#[test]
fn segnet_goes_back_to_the_extents_that_it_pooled() {
    let graph = SegNet::published(11).graph([1, 3, 360, 480].into()).unwrap();
    for (node, extent) in [
        ("pool3", [45, 60]),
        ("pool4", [23, 30]),
        ("pool5", [12, 15]),
        ("upsample5", [23, 30]),
        ("upsample4", [45, 60]),
        ("upsample1", [360, 480]),
    ] {
        assert_eq!(extent_of(&graph, node), extent, "{node}");
    }
    let basic = SegNetBasic::published(11).graph([1, 3, 360, 480].into()).unwrap();
    assert_eq!((extent_of(&basic, "pool4"), extent_of(&basic, "upsample4")), ([23, 30], [45, 60]));
    for (network, _) in &networks()[..2] {
        for rows in 1..40 {
            let graph = network.graph([1, 3, rows, 41 - rows].into()).unwrap();
            assert_eq!(extent_of(&graph, network.scores_name()), [rows, 41 - rows]);
        }
    }
}

#[test]
fn deconvnet_takes_what_leaves_fc6_a_window() {
    let network = DeconvNet::published(21);
    let graph = network.graph([1, 3, 224, 224].into()).unwrap();
    let sizes = [("unpool5", 14), ("unpool4", 28), ("unpool3", 56), ("unpool2", 112), ("unpool1", 224), ("fc7", 1)];
    for (node, cells) in sizes {
        assert_eq!(extent_of(&graph, node), [cells; 2], "{node}");
    }
    let slim = network.slimmed(64);
    for extent in [[193, 193], [250, 199], [225, 301]] {
        let graph = slim.graph(Shape { n: 1, c: 3, h: extent[0], w: extent[1] }).unwrap();
        assert_eq!(extent_of(&graph, "seg-score-voc"), extent);
    }
    let error = slim.graph([1, 3, 224, 192].into()).unwrap_err().to_string();
    assert_eq!(error, "DeconvNet: input is 224x192, expected at least 193 rows and columns");
}

#[test]
fn alexnet_s_crop_is_the_published_one() {
    for extent in [[500, 500], [1, 1], [33, 47]] {
        let graph = FcnAlexNet::published(21).graph([1, 3, extent[0], extent[1]].into()).unwrap();
        match graph.node("score").unwrap().operation() {
            Operation::Crop(op) => assert_eq!((op.offset, op.extent), ([18, 18], extent)),
            other => panic!("{other:?}"),
        }
    }
    let mut weights = Weights::random(FcnAlexNet::published(5).slimmed(32).weights_required(), 1).unwrap();
    weights.insert("upscore.weight", &Tensor::zeros([5, 1, 63, 63]).unwrap());
    let graph = FcnAlexNet::from_weights(&weights).unwrap().graph([1, 3, 9, 9].into()).unwrap();
    match graph.node("upscore").unwrap().operation() {
        Operation::ConvTranspose2d(op) => assert_eq!(op.groups, 5, "one filter a channel"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn widths_and_classes_come_from_the_weights() {
    for (network, weights) in networks() {
        let title = network.title();
        let found = read(title, &weights).unwrap();
        assert_eq!(found.classes(), 5, "{title}");
        let shape = [2, 3, 200, 201].into();
        let (ours, theirs) = (found.graph(shape).unwrap(), network.graph(shape).unwrap());
        assert_eq!(ours.cost(), theirs.cost(), "{title}");
        let mut required = ours.weights_required();
        let mut declared = found.weights_required();
        required.sort_by_key(|weight| weight.0);
        declared.sort_by(|a, b| a.0.cmp(&b.0));
        assert!(required.iter().map(|(n, s)| (*n, *s)).eq(declared.iter().map(|(n, s)| (n.as_str(), *s))), "{title}");

        let graph = found.graph_from_image([199, 210]).unwrap();
        let outputs: Vec<String> = graph.outputs().map(|(name, kind)| format!("{name}: {kind}")).collect();
        assert_eq!(outputs, ["labels: 1x199x210 labels", &format!("{}: 1x5x199x210", found.scores_name())], "{title}");
        assert_eq!(found.labels_from_image([199, 210]).unwrap().outputs().count(), 1);
        let error = found.graph([1, 4, 200, 200].into()).unwrap_err().to_string();
        assert_eq!(error, format!("{title}: input is 1x4x200x200, expected N x 3 x H x W"));
    }
}

#[test]
fn weights_that_do_not_fit_are_listed_by_name() {
    for (network, weights) in networks() {
        let title = network.title();
        let (first, _) = &network.weights_required()[0];
        let mut wrong = weights.clone();
        wrong.remove(first);
        wrong.insert("extra.weight", &Tensor::zeros([1, 2, 3, 4]).unwrap());
        let error = read(title, &wrong).err().unwrap().to_string();
        for expected in [
            format!("they do not fit {title}:"),
            format!("`{first}` is missing, expected"),
            "`extra.weight` (1x2x3x4) has no place in it".to_owned(),
        ] {
            assert!(error.contains(&expected), "{expected}\n  not in: {error}");
        }
        let others = networks();
        for (other, weights) in others.iter().filter(|(other, _)| other.title() != title) {
            assert!(read(title, weights).is_err(), "{}'s weights for {title}", other.title());
        }
    }
}

#[test]
fn what_goes_through_switches_has_the_pooled_map_s_channels() {
    let (_, mut weights) = networks().swap_remove(0);
    let shape = weights.shape("conv3_1_D.weight").unwrap();
    weights.insert("conv3_1_D.weight", &Tensor::zeros([shape.n + 1, shape.c, 3, 3]).unwrap());
    let error = SegNet::from_weights(&weights).unwrap_err().to_string();
    assert!(error.contains("`conv3_1_D.weight` is 9x16x3x3, expected 8x16x3x3"), "{error}");
}

#[test]
fn a_region_is_cut_out_resized_and_put_back() {
    let image = RgbImage::new([2, 3], (1..=18).collect()).unwrap();
    let raw = Normalize::RAW;
    // One to one, with rows and columns beyond the image black.
    let region = Region { top: -1, left: 1, rows: 3, columns: 3 };
    let crop = region.crop(&image, [3, 3], &raw).unwrap();
    assert_eq!(crop.data()[..9], [0.0, 0.0, 0.0, 4.0, 7.0, 0.0, 13.0, 16.0, 0.0]);
    let bgr = region.crop(&image, [3, 3], &Normalize::CAFFE).unwrap();
    assert!((bgr.get([0, 0, 1, 0]).unwrap() - (6.0 - 104.00699)).abs() < 1e-4);
    // Twice as large: PyTorch's interpolate(scale_factor=2, mode="bilinear") of 4 7 / 13 16.
    let region = Region { top: 0, left: 1, rows: 2, columns: 2 };
    let crop = region.crop(&image, [4, 4], &raw).unwrap();
    let expected = [4.0, 4.75, 6.25, 7.0, 6.25, 7.0, 8.5, 9.25, 10.75, 11.5, 13.0, 13.75, 13.0, 13.75, 15.25, 16.0];
    assert_eq!(crop.data()[..16], expected);

    // Back: the scores of the crop where it was, and only where they are larger.
    let mut scores = Tensor::zeros([1, 1, 3, 4]).unwrap();
    let answer = Tensor::new([1, 1, 2, 2], vec![1.0, -2.0, 3.0, 4.0]).unwrap();
    Region { top: 1, left: 2, rows: 2, columns: 2 }.place(&answer, &mut scores).unwrap();
    assert_eq!(scores.data(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 3.0, 4.0]);
    Region { top: -1, left: 3, rows: 4, columns: 4 }.place(&answer, &mut scores).unwrap();
    assert_eq!(scores.get([0, 0, 0, 3]), Some(1.5), "a quarter of the way from 1 to 3");
    assert_eq!(scores.get([0, 0, 2, 3]), Some(4.0));
    Region { top: 50, left: 0, rows: 4, columns: 4 }.place(&answer, &mut scores).unwrap();

    let empty = Region { rows: 0, ..region };
    assert!(empty.crop(&image, [4, 4], &raw).unwrap_err().to_string().contains("at least one row and column"));
    assert!(empty.place(&answer, &mut scores).is_err());
    let far = Region { top: i32::MIN, left: i32::MAX, rows: u32::MAX, columns: u32::MAX };
    assert!(far.crop(&image, [2, 2], &raw).is_ok() && far.place(&answer, &mut scores).is_ok());
    let two = Tensor::zeros([1, 2, 2, 2]).unwrap();
    assert!(region.place(&two, &mut scores).is_err(), "another number of classes");
}

#[test]
fn proposals_are_picked_as_published() {
    let square = |side| Region { top: 0, left: 0, rows: side, columns: 2 * side };
    let regions: Vec<Region> = [111, 112].into_iter().cycle().take(200).map(square).collect();
    let picked = Proposals::new(regions).as_published();
    assert_eq!(picked.regions().len(), 50);
    assert!(picked.regions().iter().all(|region| region.rows == 112));
}

/// The whole procedure on the CPU: one region of the network's own size is the network's answer, at least zero.
#[test]
fn one_region_of_the_network_s_size_is_its_answer() {
    let network = DeconvNet::published(3).slimmed(64);
    let weights = Weights::random(network.weights_required(), 4).unwrap();
    let image = RgbImage::new([193, 200], (0..3 * 193 * 200).map(|i| (i * 7 % 251) as u8).collect()).unwrap();
    let proposals = Proposals::new([Region::whole(image.extent()).unwrap()]);
    let graph = network.graph([1, 3, 193, 200].into()).unwrap();
    let mut scores = proposals.start(3, image.extent()).unwrap();
    for region in proposals.regions() {
        let crop = region.crop(&image, [193, 200], &network.preprocessing()).unwrap();
        let answer = interpret(&graph, &weights, &crop).unwrap();
        region.place(answer.tensor(network.scores_name()).unwrap(), &mut scores).unwrap();
    }
    let direct = network.graph_from_image(image.extent()).unwrap();
    let direct = interpret(&direct, &weights, &image).unwrap();
    let expected = reference::relu(direct.tensor(network.scores_name()).unwrap()).unwrap();
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * b.abs().max(1.0);
    assert!(scores.data().iter().zip(expected.data()).all(near));

    let other = Tensor::from_fn(scores.shape(), |[_, c, _, _]| c as f32 - 1.0).unwrap();
    let product = proposals.clone().times(other).finish(scores.clone()).unwrap();
    let plane = scores.shape().plane();
    assert!(product.data()[..2 * plane].iter().all(|&score| score == 0.0));
    assert_eq!(product.data()[2 * plane..], scores.data()[2 * plane..]);
    let small = Tensor::zeros([1, 3, 2, 2]).unwrap();
    assert!(proposals.times(small).finish(scores).is_err());
}
