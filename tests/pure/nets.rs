//! The published networks: sizes, counts and crops against the literature's, and weights that do not fit.

use switchback::graph::Operation;
use switchback::net::{CoordinateMap, Fcn, Head, Vgg16};
use switchback::weights::Weights;
use switchback::{Conv2d, ConvTranspose2d, Graph, MaxPool2d, Shape, Tensor};

fn shape_of(graph: &Graph, node: &str) -> Shape {
    match graph.node(node).unwrap().outputs()[0] {
        switchback::graph::ValueType::Tensor(shape) => shape,
        other => panic!("{node} gives {other}"),
    }
}

/// First row and column of a node's crop.
fn offset_of(graph: &Graph, node: &str) -> [usize; 2] {
    match graph.node(node).unwrap().operation() {
        Operation::Crop(op) => op.offset,
        Operation::CropAdd(op) => op.offset,
        other => panic!("{node} is {other:?}"),
    }
}

/// Parameters and multiply-adds at 500x500 of the published networks, 21 classes, dense upsampling (Caffe's blobs). At
/// once has the 512 + 256 factors of its two scalings more, each applied to a whole map.
#[test]
fn full_size_counts_are_the_published_ones() {
    let scaled = 512 * 44 * 44 + 256 * 88 * 88;
    let published = [
        (Head::Stride32, 136_152_917, 181_365_854_976),
        (Head::Stride16, 134_815_994, 181_448_086_272),
        (Head::Stride8, 134_489_759, 181_529_034_048),
        (Head::Stride8AtOnce, 134_490_527, 181_529_034_048 + scaled),
    ];
    for (head, parameters, macs) in published {
        let fcn = Fcn::published(head, 21);
        let cost = fcn.graph([1, 3, 500, 500]).unwrap().cost();
        assert_eq!((cost.parameters, cost.macs), (parameters, macs), "{head}");
        let required: usize = fcn.weights_required().iter().map(|(_, shape)| shape.elements()).sum();
        let constants = if head == Head::Stride8AtOnce { 512 + 256 } else { 0 };
        assert_eq!((required + constants) as u64, parameters, "{head}");
    }
    // PASCAL-Context and NYUD, of 60 and 40 classes.
    assert_eq!(Fcn::published(Head::Stride8, 60).graph([1, 3, 1, 1]).unwrap().cost().parameters, 135_589_364);
    assert_eq!(Fcn::published(Head::Stride32, 40).graph([1, 3, 1, 1]).unwrap().cost().parameters, 140_978_024);
}

/// Extents along an axis: image, conv1_x, pool1 ... pool5, fc, upscore2, upscore_pool4, upscore8, and the 16s and 32s
/// networks' last upsampling.
const EXTENTS: [[usize; 13]; 15] = [
    [1, 199, 100, 50, 25, 13, 7, 1, 4, 10, 88, 80, 64],
    [32, 230, 115, 58, 29, 15, 8, 2, 6, 14, 120, 112, 96],
    [64, 262, 131, 66, 33, 17, 9, 3, 8, 18, 152, 144, 128],
    [224, 422, 211, 106, 53, 27, 14, 8, 18, 38, 312, 304, 288],
    [240, 438, 219, 110, 55, 28, 14, 8, 18, 38, 312, 304, 288],
    [256, 454, 227, 114, 57, 29, 15, 9, 20, 42, 344, 336, 320],
    [333, 531, 266, 133, 67, 34, 17, 11, 24, 50, 408, 400, 384],
    [375, 573, 287, 144, 72, 36, 18, 12, 26, 54, 440, 432, 416],
    [480, 678, 339, 170, 85, 43, 22, 16, 34, 70, 568, 560, 544],
    [500, 698, 349, 175, 88, 44, 22, 16, 34, 70, 568, 560, 544],
    [512, 710, 355, 178, 89, 45, 23, 17, 36, 74, 600, 592, 576],
    [513, 711, 356, 178, 89, 45, 23, 17, 36, 74, 600, 592, 576],
    [720, 918, 459, 230, 115, 58, 29, 23, 48, 98, 792, 784, 768],
    [1024, 1222, 611, 306, 153, 77, 39, 33, 68, 138, 1112, 1104, 1088],
    [2048, 2246, 1123, 562, 281, 141, 71, 65, 132, 266, 2136, 2128, 2112],
];

#[test]
fn every_extent_is_the_published_one() {
    let nodes =
        ["conv1_2", "pool1", "pool2", "pool3", "pool4", "pool5", "fc7", "upscore2", "upscore_pool4", "upscore8"];
    // Rows and columns from different lines of the table, so that they cannot be swapped.
    for (rows, columns) in EXTENTS.iter().zip(EXTENTS.iter().cycle().skip(4)) {
        let input = [1, 3, rows[0], columns[0]];
        let graph = |head| Fcn::published(head, 21).slimmed(16).graph(input).unwrap();
        let graph8 = graph(Head::Stride8);
        for (position, node) in nodes.iter().enumerate() {
            let expected = [rows[position + 1], columns[position + 1]];
            assert_eq!(shape_of(&graph8, node).extent(), expected, "{node} of {input:?}");
        }
        assert_eq!(shape_of(&graph(Head::Stride16), "upscore16").extent(), [rows[11], columns[11]]);
        assert_eq!(shape_of(&graph(Head::Stride32), "upscore").extent(), [rows[12], columns[12]]);
        assert_eq!(shape_of(&graph8, "score"), [1, 21, rows[0], columns[0]].into());
    }
}

/// Multiply-adds of FCN-8s with dense upsampling.
#[test]
fn multiply_adds_at_other_sizes() {
    let published = [
        ([1, 1], 12_445_295_184),
        ([32, 32], 16_987_884_672),
        ([64, 64], 22_459_392_528),
        ([224, 224], 62_860_657_728),
        ([240, 320], 80_788_278_912),
        ([256, 256], 73_549_655_952),
        ([333, 500], 136_025_669_760),
        ([375, 500], 146_784_192_192),
        ([480, 640], 215_748_084_864),
        ([500, 375], 146_784_192_192),
        ([512, 512], 190_366_583_952),
        ([513, 513], 190_578_685_008),
        ([720, 1280], 531_429_305_712),
        ([1024, 2048], 1_102_860_140_688),
    ];
    for ([height, width], macs) in published {
        let graph = Fcn::published(Head::Stride8, 21).graph([1, 3, height, width]).unwrap();
        assert_eq!(graph.cost().macs, macs, "{height}x{width}");
    }
}

/// The numbers written into Caffe's prototxts and pytorch-fcn's slices, here derived.
#[test]
fn crop_offsets_are_the_published_ones() {
    for (head, last) in [(Head::Stride32, 19), (Head::Stride16, 27), (Head::Stride8, 31), (Head::Stride8AtOnce, 31)] {
        let graph = Fcn::published(head, 21).slimmed(64).graph([1, 3, 61, 47]).unwrap();
        assert_eq!(offset_of(&graph, "score"), [last; 2], "{head}");
        if head != Head::Stride32 {
            assert_eq!(offset_of(&graph, "fuse_pool4"), [5; 2], "{head}");
        }
        if matches!(head, Head::Stride8 | Head::Stride8AtOnce) {
            assert_eq!(offset_of(&graph, "fuse_pool3"), [9; 2], "{head}");
        }
    }
}

#[test]
fn at_once_scales_before_it_scores() {
    let graph = Fcn::published(Head::Stride8AtOnce, 21).slimmed(64).graph([1, 3, 9, 9]).unwrap();
    let names: Vec<&str> = graph.nodes().iter().map(|node| node.name()).collect();
    let position = |name: &str| names.iter().position(|&n| n == name).unwrap();
    for (pool, scale, score) in [("pool4", "scale_pool4", "score_pool4"), ("pool3", "scale_pool3", "score_pool3")] {
        assert_eq!(position(scale), position(pool) + 1);
        assert_eq!(position(score), position(scale) + 1);
        assert_eq!(*graph.node(scale).unwrap().operation(), Operation::Scale);
    }
    assert!(Fcn::published(Head::Stride8, 21).graph([1, 3, 9, 9]).unwrap().node("scale_pool4").is_none());
}

#[test]
fn every_small_image_is_taken() {
    for &head in Head::ALL {
        let fcn = Fcn::published(head, 3).slimmed(64);
        for height in 1..70 {
            let shape = [1, 3, height, 70 - height];
            let graph = fcn.graph(shape).unwrap_or_else(|error| panic!("{head} {shape:?}: {error}"));
            assert_eq!(shape_of(&graph, "score"), [1, 3, height, 70 - height].into());
        }
    }
}

/// A slim file with one of FCN-8s's tensors replaced.
fn slim(head: Head) -> Weights {
    Weights::random(Fcn::published(head, 4).slimmed(32).weights_required(), 2).unwrap()
}

#[test]
fn widths_and_classes_come_from_the_weights() {
    for &head in Head::ALL {
        let fcn = Fcn::from_weights(head, &slim(head)).unwrap();
        assert_eq!((fcn.head(), fcn.classes()), (head, 4));
        let graph = fcn.graph([2, 3, 40, 30]).unwrap();
        assert_eq!(shape_of(&graph, "conv5_3").c, 16);
        assert_eq!(shape_of(&graph, "fc7").c, 128);
        let mut required: Vec<_> = graph.weights_required();
        let mut declared = fcn.weights_required();
        required.sort_by_key(|weight| weight.0);
        declared.sort_by(|a, b| a.0.cmp(&b.0));
        assert!(required.iter().map(|(n, s)| (*n, *s)).eq(declared.iter().map(|(n, s)| (n.as_str(), *s))), "{head}");
    }
}

#[test]
fn one_filter_a_channel_is_diagonal_upsampling() {
    // 26,816,832 multiply-adds of upsampling beside the convolutions' 180,965,880,576 at full size.
    let mut weights = Weights::new();
    let required = Fcn::published(Head::Stride8, 21).slimmed(64).weights_required();
    for (name, shape) in required {
        let shape = if name.starts_with("upscore") { shape.with_channels(1) } else { shape };
        weights.insert(name, &Tensor::zeros(shape).unwrap());
    }
    let dense = Fcn::published(Head::Stride8, 21).slimmed(64).graph([1, 3, 500, 500]).unwrap().cost().macs;
    let graph = Fcn::from_weights(Head::Stride8, &weights).unwrap().graph([1, 3, 500, 500]).unwrap();
    assert_eq!(dense - graph.cost().macs, 563_153_472 - 26_816_832);
    assert_eq!(shape_of(&graph, "score"), [1, 21, 500, 500].into());
}

#[test]
fn fc6_may_have_another_kernel() {
    let mut weights = slim(Head::Stride8);
    let outputs = weights.shape("fc6.weight").unwrap().n;
    for (kernel, offset) in
        [(3, Some(95)), (4, Some(79)), (5, Some(63)), (7, Some(31)), (8, Some(15)), (1, None), (9, None)]
    {
        weights.insert("fc6.weight", &Tensor::zeros([outputs, 16, kernel, kernel]).unwrap());
        let graph = Fcn::from_weights(Head::Stride8, &weights).unwrap().graph([1, 3, 80, 80]);
        // Each tap less moves the first score by half a cell of stride 32. With 9 taps the image would begin before the
        // scores, with 1 the scores before `pool4`.
        match offset {
            Some(offset) => assert_eq!(offset_of(&graph.unwrap(), "score"), [offset; 2], "{kernel}"),
            None => assert!(graph.unwrap_err().to_string().contains("whole number of cells"), "{kernel}"),
        }
    }
}

#[test]
fn weights_that_do_not_fit_are_listed_by_name() {
    let mut weights = slim(Head::Stride8);
    weights.remove("score_pool3.bias");
    weights.remove("conv3_2.weight");
    weights.insert("upscore2.weight", &Tensor::zeros([4, 4, 6, 6]).unwrap());
    weights.insert("conv2_2.weight", &Tensor::zeros([4, 9, 3, 3]).unwrap());
    weights.insert("upscore16.weight", &Tensor::zeros([4, 4, 32, 32]).unwrap());
    let error = Fcn::from_weights(Head::Stride8, &weights).unwrap_err().to_string();
    for expected in [
        "they do not fit FCN-8s:",
        "`score_pool3.bias` is missing, expected 1x4x1x1",
        "`conv3_2.weight` is missing, expected",
        "`upscore2.weight` is 4x4x6x6, expected 4x4x4x4",
        "`conv2_2.weight` is 4x9x3x3, expected 4x4x3x3",
        "`upscore16.weight` (4x4x32x32) has no place in it",
    ] {
        assert!(error.contains(expected), "{expected}\n  not in: {error}");
    }
    let error = Fcn::from_weights(Head::Stride32, &slim(Head::Stride8)).unwrap_err().to_string();
    assert!(error.contains("`upscore.weight` is missing, expected 4x4x64x64"), "{error}");
}

#[test]
fn an_image_gives_labels_and_scores() {
    let fcn = Fcn::from_weights(Head::Stride16, &slim(Head::Stride16)).unwrap();
    let graph = fcn.graph_from_image([33, 21]).unwrap();
    let outputs: Vec<String> = graph.outputs().map(|(name, kind)| format!("{name}: {kind}")).collect();
    assert_eq!(outputs, ["labels: 1x33x21 labels", "score: 1x4x33x21"]);
    assert_eq!(fcn.labels_from_image([33, 21]).unwrap().outputs().count(), 1);
    assert_eq!(graph.inputs().map(|(name, _)| name).collect::<Vec<_>>(), ["image"]);
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let fcn = Fcn::published(Head::Stride8, 300).slimmed(64);
    let error = fcn.graph([1, 4, 9, 9]).unwrap_err().to_string();
    assert_eq!(error, "FCN-8s: input is 1x4x9x9, expected N x 3 x H x W");
    assert!(fcn.graph([1, 3, 0, 9]).is_err());
    assert!(fcn.graph([1, 3, 1 << 20, 1 << 20]).is_err());
    assert!(fcn.graph([1, 3, usize::MAX, 9]).is_err());
    let error = fcn.graph_from_image([9, 9]).unwrap_err().to_string();
    assert!(error.contains("`labels`") && error.contains("300"), "more classes than a byte holds: {error}");

    // A network over four channels takes no photograph.
    let mut weights = slim(Head::Stride32);
    weights.insert("conv1_1.weight", &Tensor::zeros([2, 4, 3, 3]).unwrap());
    let fcn = Fcn::from_weights(Head::Stride32, &weights).unwrap();
    assert!(fcn.graph([1, 4, 9, 9]).is_ok());
    assert!(fcn.graph_from_image([9, 9]).unwrap_err().to_string().contains("expected N x 4 x H x W"));
}

#[test]
fn heads_have_names() {
    for &head in Head::ALL {
        assert_eq!(head.to_string().parse::<Head>().unwrap(), head);
    }
    let error = "fcn4s".parse::<Head>().unwrap_err().to_string();
    assert_eq!(error, "fcn: head is fcn4s, expected fcn32s, fcn16s, fcn8s, fcn8s-atonce");
}

/// torchvision documents 138,357,544 parameters and 15.47e9 multiply-adds at 224x224 (counted without poolings).
#[test]
fn vgg16_is_torchvision_s() {
    let graph = Vgg16::published(1000).graph([1, 3, 224, 224]).unwrap();
    assert_eq!(graph.cost().parameters, 138_357_544);
    assert_eq!(graph.cost().macs, 15_470_264_320);
    assert_eq!(shape_of(&graph, "classifier.6"), [1, 1000, 1, 1].into());
    for (rows, columns, expected) in [(224, 255, [1, 1]), (256, 287, [2, 2]), (500, 375, [9, 5])] {
        let graph = Vgg16::published(10).graph([1, 3, rows, columns]).unwrap();
        assert_eq!(shape_of(&graph, "classifier.6").extent(), expected, "{rows}x{columns}");
    }
    let error = Vgg16::published(10).graph([1, 3, 223, 224]).unwrap_err().to_string();
    assert_eq!(error, "VGG16: input is 1x3x223x224, expected N x 3 x H x W with H and W at least 224");
    let graph = Vgg16::published(10).graph_from_image([224, 300], switchback::Normalize::TORCHVISION).unwrap();
    assert_eq!(graph.inputs().map(|(name, _)| name).collect::<Vec<_>>(), ["image"]);
}

/// The examples in Caffe's `coord_map.py` and its tests (`test_coord_map.py`): a padded pooling, and a strided
/// convolution with the transposed one that undoes it.
#[test]
fn coordinate_maps_compose_as_in_caffe() {
    let identity = CoordinateMap::IDENTITY;
    let pool = identity.max_pool2d(&MaxPool2d::new([3, 3]).stride([2, 2]).pad(1));
    assert_eq!((pool.scale, pool.shift), ([0.5; 2], [0.0; 2]));
    let down = identity.conv2d(&Conv2d::new([5, 5]).stride([2, 2]));
    assert_eq!((down.scale, down.shift), ([0.5; 2], [-1.0; 2]));
    let up = down.conv_transpose2d(&ConvTranspose2d::new([5, 5]).stride([2, 2]));
    assert_eq!(up, identity);
    let error = down.crop_offset(&identity).unwrap_err().to_string();
    assert!(error.contains("maps of one scale"), "{error}");
    let half = identity.conv2d(&Conv2d::new([2, 2]));
    assert!(identity.crop_offset(&half).unwrap_err().to_string().contains("[0.5, 0.5]"));
    let grown = identity.conv2d(&Conv2d::new([1, 3]).pad([4, 2]));
    assert_eq!(grown.crop_offset(&identity).unwrap(), [4, 1]);
    assert!(identity.crop_offset(&grown).is_err(), "a map cannot be cropped to a larger one");
    let dilated = identity.conv2d(&Conv2d::new([3, 3]).dilation([2, 4]).pad([2, 4]));
    assert_eq!(dilated, identity);
}

#[test]
fn any_map_can_be_looked_at() {
    let graph = Fcn::published(Head::Stride8, 3).slimmed(64).graph([1, 3, 9, 9]).unwrap();
    let inside = graph.with_outputs(["fc7", "pool3"]).unwrap();
    assert_eq!(inside.outputs().map(|(name, _)| name).collect::<Vec<_>>(), ["fc7", "pool3"]);
    assert!(
        inside.weights_required().iter().all(|(name, _)| !name.starts_with("score")),
        "what comes later is not run"
    );
    for (names, refusal) in
        [(vec!["pool9"], "there is no node `pool9`"), (vec!["fc7", "fc7"], "output already"), (vec![], "no outputs")]
    {
        let error = graph.with_outputs(&names).unwrap_err().to_string();
        assert!(error.contains(refusal), "{names:?}: {error}");
    }
}
