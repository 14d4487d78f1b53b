//! Building graphs and running them on the CPU.

use switchback::gpu::Caps;
use switchback::graph::{Inputs, Operation, Outputs, check_nodes, interpret, interpret_with};
use switchback::weights::Weights;
use switchback::{
    Conv2d, ConvTranspose2d, Crop, CropAdd, Error, Graph, MaxPool2d, Normalize, Palette, Parameters, RgbImage,
    Switches, Tensor, Value, reference,
};

use crate::common::random::Random;

/// The message of an error that has to be there.
fn message<T>(result: Result<T, Error>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn errors_name_the_node_and_leave_the_builder_as_it_was() {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 3, 8, 8]).unwrap();
    let y = g.input("y", [1, 4, 8, 8]).unwrap();
    let image = g.image("image", [8, 8]).unwrap();
    let labels = g.argmax_channels("labels", x).unwrap();
    let (pooled, switches) = g.max_pool2d_switches("pool", x, MaxPool2d::new([2, 2])).unwrap();

    let rows = [
        (message(g.add("sum", x, y)), "node `sum`: add: b is 1x4x8x8, expected 1x3x8x8"),
        (message(g.relu("x", y)), "node `x`: graph: the name is taken already (input)"),
        (message(g.relu("", y)), "graph: a relu node has an empty name"),
        (message(g.relu("r", image)), "node `r`: relu: input is 8x8 RGB image, expected a tensor"),
        (message(g.relu("r", switches)), "node `r`: relu: input is 1x3x4x4 switches into 8x8, expected a tensor"),
        (message(g.normalize("n", x, Normalize::RAW)), "node `n`: normalize: image is 1x3x8x8, expected an 8-bit RGB"),
        (message(g.colorize("c", x, Palette::voc())), "node `c`: colorize: labels is 1x3x8x8, expected a label map"),
        (message(g.max_unpool2d("u", pooled, pooled)), "node `u`: max_unpool2d: switches is 1x3x4x4, expected pooling"),
        (message(g.max_unpool2d("u", x, switches)), "node `u`: max_unpool2d: switches is 1x3x4x4, expected 1x3x8x8"),
        (message(g.conv2d("conv", x, Conv2d::new([9, 9]), 2)), "node `conv`: conv2d: input is 8, expected at least 9"),
        (message(g.conv2d("conv", x, Conv2d::new([1, 1]).groups(2), 2)), "node `conv`: conv2d: groups is 2, expected"),
        (message(g.conv2d("conv", labels, Conv2d::new([1, 1]), 2)), "node `conv`: conv2d: input is 1x8x8 labels"),
        (
            message(g.crop("crop", x, Crop::new([1, 0], [8, 8]))),
            "node `crop`: crop: input is 8x8, expected at least 9x8",
        ),
        (message(g.concat("cat", &[])), "node `cat`: concat: inputs is none"),
        (message(g.input("z", [1, 0, 2, 2])), "node `z`: input: shape is 1x0x2x2"),
    ];
    for (found, expected) in rows {
        assert!(found.starts_with(expected), "{found}\nshould begin with\n{expected}");
    }

    // None of these names is taken, none of the weights registered.
    g.conv2d("conv", x, Conv2d::new([3, 3]), 2).unwrap();
    let sum = g.add("sum", x, x).unwrap();
    g.output(sum).unwrap();
    assert!(message(g.output(sum)).contains("`sum` is an output already"));
    let graph = g.build().unwrap();
    assert_eq!(graph.nodes().len(), 7);
    assert_eq!(graph.node("sum").map(|node| node.operation().clone()), Some(Operation::Add));
    assert!(graph.weights_required().is_empty(), "the convolution has no part in the output");
}

#[test]
fn edges_of_other_builders_are_refused() {
    let (mut a, mut b) = (Graph::builder(), Graph::builder());
    let of_a = a.input("x", [1, 1, 2, 2]).unwrap();
    b.input("x", [1, 1, 2, 2]).unwrap();
    assert_eq!(message(b.relu("y", of_a)), "node `y`: graph: an edge belongs to another builder");
    assert_eq!(message(b.output(of_a)), "graph: an edge belongs to another builder");
    assert!(message(a.build()).contains("no outputs"));
}

#[test]
fn shared_weights_are_one_requirement_of_one_shape() {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 3, 8, 8]).unwrap();
    let down = Conv2d::new([4, 4]).stride([2, 2]).pad(1);
    let up = ConvTranspose2d::new([4, 4]).stride([2, 2]).pad(1);
    let code = g.conv2d("code", x, down, 5).unwrap();
    let back = g.conv_transpose2d_with("back", code, up, 3, Parameters::weight("code.weight")).unwrap();
    g.output(back).unwrap();
    let other = g.conv2d_with("other", code, down, 5, Parameters::weight("code.weight"));
    assert_eq!(message(other), "node `other`: weights: `code.weight` is 5x5x4x4 here and 5x3x4x4 in another node");
    let graph = g.build().unwrap();
    assert_eq!(graph.weights_required(), [("code.weight", [5, 3, 4, 4].into()), ("code.bias", [1, 5, 1, 1].into())]);
    assert_eq!(graph.cost().parameters, 5 * 3 * 4 * 4 + 5);
}

#[test]
fn constants_need_no_weight_file_and_must_fit() {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 2, 1, 2]).unwrap();
    let misshapen = Parameters::weight(Tensor::full([2, 2, 3, 3], 1.0).unwrap());
    let error = message(g.conv2d_with("c", x, Conv2d::new([1, 1]), 2, misshapen));
    assert_eq!(error, "node `c`: conv2d: weight is 2x2x3x3, expected 2x2x1x1");
    let factor = Tensor::vector(vec![1.0, 2.0, 3.0]).unwrap();
    assert!(message(g.scale("s", x, factor, None)).starts_with("node `s`: scale: factor is 1x3x1x1"));
    let y = g.scale("s", x, Tensor::vector(vec![10.0, 100.0]).unwrap(), Some(0.5.into())).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let x = Tensor::new([1, 2, 1, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
    let y = interpret(&graph, &Weights::new(), &x).unwrap();
    assert_eq!(y.tensor("s").unwrap().data(), [10.5, 20.5, 300.5, 400.5]);
}

/// An encoder that pools with switches, and a decoder that unpools with them and shares the encoder's weights.
fn hourglass() -> Graph {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 2, 7, 6]).unwrap();
    let same = Conv2d::new([3, 3]).pad(1).relu();
    let c = g.conv2d("conv", x, same, 3).unwrap();
    let (p, switches) = g.max_pool2d_switches("pool", c, MaxPool2d::new([2, 2]).ceil()).unwrap();
    let u = g.max_unpool2d("unpool", p, switches).unwrap();
    let back = ConvTranspose2d::new([3, 3]).pad(1);
    let d = g.conv_transpose2d_with("back", u, back, 2, Parameters::weight("conv.weight")).unwrap();
    let y = g.crop_add("sum", d, x, CropAdd::new([0, 0])).unwrap();
    for edge in [c, p, switches, u, d, y] {
        g.output(edge).unwrap();
    }
    g.build().unwrap()
}

#[test]
fn the_interpreter_is_the_reference_node_by_node() {
    let graph = hourglass();
    let mut random = Random::new(1);
    let x = random.reals([1, 2, 7, 6]);
    let weights = Weights::random(graph.weights_required(), 2).unwrap();
    let mut seen = Vec::new();
    let outputs =
        interpret_with(&graph, &weights, &x, |node, values| seen.push((node.name().to_owned(), values.len())));
    let outputs = outputs.unwrap();
    let names = ["conv", "pool", "unpool", "back", "sum"];
    assert_eq!(seen, names.map(|name| (name.to_owned(), if name == "pool" { 2 } else { 1 })));

    let (w, b) = (weights.tensor("conv.weight").unwrap(), weights.tensor("conv.bias").unwrap());
    let c = reference::conv2d(&Conv2d::new([3, 3]).pad(1).relu(), &x, &w, Some(&b)).unwrap().tensor();
    let (p, switches) = reference::max_pool2d(&MaxPool2d::new([2, 2]).ceil(), &c).unwrap();
    let u = reference::max_unpool2d(&Default::default(), &p, &switches).unwrap();
    let d = reference::conv_transpose2d(&ConvTranspose2d::new([3, 3]).pad(1), &u, &w, None).unwrap().tensor();
    let y = reference::add(&d, &x).unwrap().tensor();
    assert_eq!(outputs.switches("pool.switches").unwrap(), &switches);
    for (name, expected) in [("conv", c), ("pool", p), ("unpool", u), ("back", d), ("sum", y)] {
        assert_eq!(outputs.tensor(name).unwrap(), &expected, "{name}");
    }
    let checks = check_nodes(&graph, &weights, &x, &outputs).unwrap();
    assert_eq!(checks.iter().map(|check| check.node.as_str()).collect::<Vec<_>>(), names);
    assert!(checks.iter().all(|check| check.mismatch.is_none()), "{checks:?}");
}

#[test]
fn a_planted_fault_is_found_at_its_node_alone() {
    let graph = hourglass();
    let x = Random::new(3).reals([1, 2, 7, 6]);
    let weights = Weights::random(graph.weights_required(), 4).unwrap();
    let outputs = interpret(&graph, &weights, &x).unwrap();
    let without = |name: &str, planted: Value| -> Vec<String> {
        let replace =
            |(other, value): (String, Value)| if other == name { (other, planted.clone()) } else { (other, value) };
        let outputs = Outputs::from_iter(outputs.clone().into_values().into_iter().map(replace));
        let checks = check_nodes(&graph, &weights, &x, &outputs).unwrap();
        checks.into_iter().filter(|check| check.mismatch.is_some()).map(|check| check.node).collect()
    };
    let mut sum = outputs.tensor("sum").unwrap().clone();
    sum.data_mut()[5] += 0.01;
    assert_eq!(without("sum", Value::Tensor(sum)), ["sum"]);
    let mut unpooled = outputs.tensor("unpool").unwrap().clone();
    unpooled.data_mut().rotate_right(1);
    assert_eq!(without("unpool", Value::Tensor(unpooled)), ["unpool", "back"]);
    let switches = outputs.switches("pool.switches").unwrap();
    let mut indices = switches.indices().to_vec();
    indices[0] = [0, 1, 6, 7].into_iter().find(|&index| index != indices[0]).unwrap();
    let moved = Switches::new(switches.shape(), switches.origin(), switches.pool(), indices).unwrap();
    assert_eq!(without("pool.switches", Value::Switches(moved)), ["pool", "unpool"]);
    let misplaced = [("pool.switches".to_owned(), outputs.get("pool").unwrap().clone())];
    let misplaced =
        outputs.clone().into_values().into_iter().filter(|(name, _)| name != "pool.switches").chain(misplaced);
    let error = message(check_nodes(&graph, &weights, &x, &misplaced.collect()));
    assert_eq!(error, "node `pool.switches`: check: output is 1x3x4x3, expected 1x3x4x3 switches into 7x6");
}

#[test]
fn inputs_are_checked_against_the_graph() {
    let mut g = Graph::builder();
    let a = g.input("a", [1, 1, 2, 2]).unwrap();
    let b = g.input("b", [1, 1, 2, 2]).unwrap();
    let y = g.add("y", a, b).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let (one, image) = (Tensor::full([1, 1, 2, 2], 1.0).unwrap(), RgbImage::new([2, 2], vec![0; 12]).unwrap());
    let wide = Tensor::full([1, 1, 2, 3], 1.0).unwrap();
    let run = |inputs: Inputs| interpret(&graph, &Weights::new(), inputs);
    let rows = [
        (Inputs::from(&one), "graph: one value is given without a name, but there are 2 inputs: `a`, `b`"),
        (Inputs::new().with("a", &one), "graph: no value is given for the input `b`"),
        (Inputs::new().with("a", &one).with("a", &one), "graph: the input `a` is given twice"),
        (Inputs::new().with("a", &one).with("y", &one), "graph: there is no input `y`; the inputs are `a`, `b`"),
        (Inputs::new().with("a", &one).with("b", &wide), "node `b`: input: value is 1x1x2x3, expected 1x1x2x2"),
        (Inputs::new().with("a", &one).with("b", &image), "node `b`: input: value is 2x2 RGB image, expected 1x1x2x2"),
    ];
    for (inputs, expected) in rows {
        let found = message(run(inputs));
        assert!(found.starts_with(expected), "{found}\nshould begin with\n{expected}");
    }
    let y = run(Inputs::new().with("b", &one).with("a", &one)).unwrap();
    assert_eq!(y.tensor("y").unwrap().data(), [2.0; 4]);
    assert_eq!(message(y.labels("y").map(drop)), "graph: output `y` is a tensor, not labels");
    assert_eq!(message(y.tensor("a").map(drop)), "graph: there is no output `a`; the outputs are `y`");
}

#[test]
fn weights_are_checked_by_name() {
    let graph = hourglass();
    let x = Tensor::zeros([1, 2, 7, 6]).unwrap();
    let mut weights = Weights::new();
    weights.insert("conv.weight", &Tensor::zeros([3, 2, 3, 2]).unwrap());
    weights.insert("left.over", &Tensor::zeros([1, 1, 1, 1]).unwrap());
    let found = message(interpret(&graph, &weights, &x));
    assert!(found.contains("`conv.weight` is 3x2x3x2, expected 3x2x3x3"), "{found}");
    assert!(found.contains("`conv.bias` is missing, expected 1x3x1x1"), "{found}");
    assert!(!found.contains("left.over"), "{found}");
    weights.insert("conv.weight", &Tensor::zeros([3, 2, 3, 3]).unwrap());
    weights.insert("conv.bias", &Tensor::zeros([1, 3, 1, 1]).unwrap());
    interpret(&graph, &weights, &x).unwrap();
}

#[test]
fn labels_and_pictures_come_from_images() {
    let mut g = Graph::builder();
    let image = g.image("image", [3, 2]).unwrap();
    let x = g.normalize("x", image, Normalize::RAW).unwrap();
    let labels = g.argmax_channels("labels", x).unwrap();
    let picture = g.colorize("picture", labels, Palette::voc()).unwrap();
    g.output(image).unwrap();
    g.output(labels).unwrap();
    g.output(picture).unwrap();
    let image = RgbImage::new([3, 2], vec![9, 1, 1, 1, 9, 1, 1, 1, 9, 5, 5, 5, 0, 2, 2, 0, 0, 1]).unwrap();
    let outputs = interpret(&g.build().unwrap(), &Weights::new(), &image).unwrap();
    assert_eq!(outputs.image("image").unwrap(), &image);
    assert_eq!(outputs.labels("labels").unwrap().data(), [0, 1, 2, 0, 1, 2]);
    assert_eq!(&outputs.image("picture").unwrap().data()[..6], [0, 0, 0, 128, 0, 0]);
    assert!(message(outputs.argmax_channels()).contains("there are 3 outputs (`image`, `labels`, `picture`), not one"));
}

#[test]
fn the_class_of_each_pixel_from_scores_or_labels() {
    let scores = Tensor::new([1, 2, 1, 2], vec![1.0, 2.0, 3.0, 0.0]).unwrap();
    for with_labels in [false, true] {
        let mut g = Graph::builder();
        let x = g.input("scores", [1, 2, 1, 2]).unwrap();
        let y = if with_labels { g.argmax_channels("labels", x).unwrap() } else { g.relu("relu", x).unwrap() };
        g.output(y).unwrap();
        let outputs = interpret(&g.build().unwrap(), &Weights::new(), &scores).unwrap();
        assert_eq!(outputs.argmax_channels().unwrap().data(), [1, 0]);
    }
}

#[test]
fn a_value_too_large_for_the_device_is_named_with_the_way_out() {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 3, 600, 600]).unwrap();
    let y = g.conv2d("conv1_1", x, Conv2d::new([3, 3]).pad(1), 64).unwrap();
    let y = g.conv2d("conv1_2", y, Conv2d::new([1, 1]), 150).unwrap();
    g.output(y).unwrap();
    let error = g.build().unwrap().plan(&Caps::WEBGPU).unwrap_err();
    assert!(error.is_out_of_memory());
    let error = error.to_string();
    let (needed, available) = (4 * 150 * 600 * 600, 128 << 20);
    for part in ["node `conv1_2`", &format!("needs {needed} "), &format!("offers {available}"), "smaller image"] {
        assert!(error.contains(part), "{error} should contain {part}");
    }
}
