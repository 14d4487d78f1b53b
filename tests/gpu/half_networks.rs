//! Networks in f16 by plans that differ in what is one dispatch: every value that both have is the same, bit for bit, and so is
//! every run. A failure names the first node that differs, in the order of computation, and by how much.

use switchback::gpu::Elements;
use switchback::graph::{Node, Operation, Outputs, check_planned_nodes};
use switchback::kernel::{conv_transpose2d, conv2d};
use switchback::net::{DeconvNet, Fcn, Head, SegNet, Segmentation};
use switchback::weights::Weights;
use switchback::{Gpu, Graph, RgbImage, Value};

use crate::common::adapter;
use crate::common::random::Random;

/// How two values of a kind differ, if they do.
fn difference(found: &Value, expected: &Value) -> Option<String> {
    let first = |differ: Vec<usize>, of: usize| Some((*differ.first()?, format!("{} of {of}", differ.len())));
    match (found, expected) {
        (Value::Tensor(found), Value::Tensor(expected)) => {
            let pairs = || found.data().iter().zip(expected.data());
            let differ = pairs().enumerate().filter(|(_, (a, b))| a.to_bits() != b.to_bits());
            let (at, count) = first(differ.map(|(at, _)| at).collect(), found.data().len())?;
            let most = pairs().map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let (shape, plane) = (found.shape(), found.shape().plane());
            let place = [at / plane / shape.c, at / plane % shape.c, at % plane / shape.w, at % shape.w];
            let (a, b) = (found.data()[at], expected.data()[at]);
            Some(format!("{count} elements, by up to {most:e}, the first at {place:?}: {a:e} and {b:e}"))
        }
        (Value::Labels(found), Value::Labels(expected)) => {
            let pairs = found.data().iter().zip(expected.data()).enumerate();
            let differ = pairs.filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
            let (at, count) = first(differ, found.data().len())?;
            Some(format!("{count} labels, the first at {at}"))
        }
        _ => (found != expected).then(|| "other values".to_owned()),
    }
}

/// Refuses a value of `found` that differs from the one of that name of `expected`.
fn assert_same(found: &Outputs, expected: &Outputs, because: &str) {
    for (name, value) in found.iter() {
        if let Some(difference) = expected.get(name).and_then(|expected| difference(value, expected)) {
            panic!("{because}: `{name}` is the first node that differs: {difference}");
        }
    }
}

/// The network with all but what may be within a dispatch as outputs: maps that a pooling reads, and scores of an upsampling
/// whose labels are wanted.
fn closed(graph: &Graph) -> Graph {
    let read_by = |name: &str, which: fn(&Operation) -> bool| {
        let reads = |node: &&Node| graph.operands(node).iter().any(|(operand, _)| operand == name);
        graph.nodes().iter().filter(reads).any(|node| which(node.operation()))
    };
    let within = |node: &Node| match node.operation() {
        Operation::Input | Operation::ConvTranspose2d(_) => true,
        Operation::Conv2d(_) => {
            read_by(node.name(), |op| matches!(op, Operation::MaxPool2d(_) | Operation::MaxPool2dSwitches(_)))
        }
        Operation::Crop(_) => read_by(node.name(), |op| matches!(op, Operation::ArgmaxChannels)),
        _ => false,
    };
    let names = graph.nodes().iter().filter(|node| !within(node)).map(|node| node.name());
    graph.with_outputs(names).unwrap()
}

fn check(gpu: &Gpu, network: &dyn Segmentation, extent: [usize; 2], what: &str) {
    let folded = network.labels_from_image(extent).unwrap().fold();
    let graph = folded.graph();
    let image = RgbImage::new(extent, Random::new(5).bytes(3 * extent[0] * extent[1])).unwrap();
    let weights = Weights::random(graph.weights_required(), 7).unwrap();
    let gpu = gpu.with_elements(Elements::f16());
    let runs = |graph: &Graph| {
        let mut session = gpu.compile(graph, &weights).unwrap();
        let [first, second] = [(); 2].map(|()| session.run(&image).unwrap());
        assert_same(&second, &first, &format!("{what}, run twice"));
        (session, first)
    };
    let (_, apart) = runs(&graph.with_every_output());
    let (session, fused) = runs(&closed(graph));
    let pooled = session.plan().nodes().iter().filter(|node| node.operator() == "conv2d+max_pool2d");
    assert!(pooled.count() >= 4, "{}", session.plan());
    // Labels in one pass are of weights that are not rounded, and held to the reference.
    let (exact, rounded): (Vec<_>, Vec<_>) = fused.into_values().into_iter().partition(|(name, _)| {
        !session.plan().node(name).is_some_and(|node| node.operator() == "conv_transpose2d_argmax" && node.via_f32())
    });
    assert_same(&exact.iter().cloned().collect(), &apart, &format!("{what}, fused and apart"));
    let all: Outputs = exact.into_iter().chain(rounded).collect();
    let labels = |node: &Node| matches!(node.operation(), Operation::ConvTranspose2dArgmax(_));
    let nodes = session.plan().nodes();
    for check in check_planned_nodes(session.graph(), nodes, &weights, &image, &all, labels).unwrap() {
        assert!(check.mismatch.is_none(), "{what}, node `{}`: {}", check.node, check.mismatch.unwrap_or_default());
    }
}

#[test]
fn values_do_not_depend_on_what_is_one_dispatch() {
    let Some(gpu) = adapter::gpu() else { return };
    let fcn = Fcn::published(Head::Stride8, 21).slimmed(4);
    check(&gpu, &fcn, [61, 47], "FCN-8s");
    check(&gpu, &SegNet::published(12).slimmed(8), [50, 70], "SegNet");
    check(&gpu, &DeconvNet::published(21).slimmed(32), [224, 224], "DeconvNet");
}

#[test]
fn nor_do_they_on_matrix_units() {
    let Some(gpu) = adapter::gpu().filter(adapter::has_matrix_units) else { return };
    let gpu = gpu.with_variant(conv2d::Variant::Cooperative).with_variant(conv_transpose2d::Variant::Cooperative);
    check(&gpu, &Fcn::published(Head::Stride8, 21).slimmed(4), [61, 47], "FCN-8s");
    check(&gpu, &SegNet::published(12).slimmed(8), [50, 70], "SegNet");
}
