//! Folding: what becomes part of a convolution, what stays, and that results are the same.

use proptest::prelude::any;
use switchback::graph::{Operation, Weight, interpret};
use switchback::weights::Weights;
use switchback::{BatchNorm, Conv2d, ConvTranspose2d, Edge, Graph, GraphBuilder, Parameters, Result, Tensor, Value};

use crate::common::graphs::recipes;
use crate::common::random::Random;
use crate::common::seeds::for_generated;

/// A graph over `x`, 2x4x5x7, that ends in the edge that `build` gives.
fn graph(build: impl FnOnce(&mut GraphBuilder, Edge) -> Result<Edge>) -> Graph {
    let mut g = Graph::builder();
    let x = g.input("x", [2, 4, 5, 7]).unwrap();
    let y = build(&mut g, x).unwrap();
    g.output(y).unwrap();
    g.build().unwrap()
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.nodes().iter().map(|node| node.name()).collect()
}

/// How far two tensors are apart, over the largest magnitude.
fn distance(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.shape(), b.shape());
    let largest = a.data().iter().fold(1e-20_f32, |largest, value| largest.max(value.abs()));
    let difference = |(a, b): (&f32, &f32)| (a - b).abs();
    a.data().iter().zip(b.data()).map(difference).fold(0.0, f32::max) / largest
}

/// Folds, demands these nodes, and compares the output with the original's.
#[track_caller]
fn check(graph: &Graph, expected: &[&str]) -> Graph {
    let folded = graph.fold();
    assert_eq!(names(folded.graph()), expected);
    let weights = Weights::random(graph.weights_required(), 3).unwrap();
    let x = Random::new(4).reals([2, 4, 5, 7]);
    let [(name, before)] = interpret(graph, &weights, &x).unwrap().into_values().try_into().unwrap();
    let after = interpret(folded.graph(), &folded.weights(&weights).unwrap(), &x).unwrap();
    let Value::Tensor(before) = before else { panic!("{name}") };
    let apart = distance(&before, after.tensor(&name).unwrap());
    assert!(apart < 4e-6, "{apart}");
    folded.graph().clone()
}

#[test]
fn what_alone_reads_a_convolution_becomes_part_of_it() {
    let conv = Conv2d::new([3, 3]).pad(1);
    let with_bias = graph(|g, x| {
        let x = g.conv2d("conv", x, conv, 6)?;
        let x = g.batch_norm("norm", x, BatchNorm::new().epsilon(1e-3))?;
        g.relu("relu", x)
    });
    let folded = check(&with_bias, &["x", "conv"]);
    assert!(matches!(folded.node("conv").unwrap().operation(), Operation::Conv2d(op) if op.relu));
    assert_eq!(folded.cost().parameters + 4 * 6, with_bias.cost().parameters);
    assert_eq!(folded.cost().macs + 2 * 6 * 35, with_bias.cost().macs);

    let chain = graph(|g, x| {
        let x = g.conv2d_with("conv", x, conv.groups(2), 6, Parameters::named("filter").without_bias())?;
        let x = g.scale("scale", x, "scale.factor", Some("scale.shift".into()))?;
        let x = g.batch_norm("norm", x, BatchNorm::new())?;
        let x = g.scale("half", x, 0.5, None)?;
        let x = g.relu("relu", x)?;
        g.relu("again", x)
    });
    let folded = check(&chain, &["x", "conv", "again"]);
    assert_eq!(folded.weights_required(), [("filter.weight", [6, 2, 3, 3].into()), ("conv.bias", [1, 6, 1, 1].into())]);

    let up = ConvTranspose2d::new([3, 2]).stride([2, 1]);
    check(
        &graph(|g, x| {
            let x = g.conv_transpose2d("up", x, up, 3)?;
            let x = g.batch_norm("norm", x, BatchNorm::new())?;
            let x = g.relu("relu", x)?;
            g.batch_norm("after", x, BatchNorm::new())
        }),
        &["x", "up", "after"],
    );
    check(&graph(|g, x| g.conv2d("a", x, conv, 2).and_then(|x| g.conv2d("b", x, conv, 2))), &["x", "a", "b"]);
}

#[test]
fn what_others_need_stays() {
    let conv = Conv2d::new([1, 1]);
    let norm = BatchNorm::new();
    // The convolution has two readers.
    let read_twice = graph(|g, x| {
        let x = g.conv2d("conv", x, conv, 3)?;
        let y = g.batch_norm("norm", x, norm)?;
        g.add("sum", x, y)
    });
    check(&read_twice, &["x", "conv", "norm", "sum"]);
    // The norm's result has two: what is before it folds, what is after it not.
    let tail_twice = graph(|g, x| {
        let x = g.conv2d("conv", x, conv, 3)?;
        let x = g.batch_norm("norm", x, norm)?;
        let y = g.relu("relu", x)?;
        g.add("sum", x, y)
    });
    check(&tail_twice, &["x", "conv", "relu", "sum"]);
    // A ReLU is between.
    let rectified = graph(|g, x| g.conv2d("conv", x, conv.relu(), 3).and_then(|x| g.batch_norm("norm", x, norm)));
    check(&rectified, &["x", "conv", "norm"]);
    // Another node has the same filter; ReLU needs no change of it.
    let shared = graph(|g, x| {
        let a = g.conv2d("a", x, conv, 4)?;
        let a = g.batch_norm("norm", a, norm)?;
        let b = g.conv2d_with("b", x, conv, 4, Parameters::named("a"))?;
        let b = g.relu("relu", b)?;
        g.add("sum", a, b)
    });
    check(&shared, &["x", "a", "norm", "b", "sum"]);
    // The filter is a constant.
    let constant = graph(|g, x| {
        let filter: Weight = Tensor::full([2, 4, 1, 1], 0.25)?.into();
        let x = g.conv2d_with("conv", x, conv, 2, Parameters::weight(filter))?;
        g.batch_norm("norm", x, norm)
    });
    check(&constant, &["x", "conv", "norm"]);
    // Axis 1 of a transposed convolution in groups is not its output channels.
    let groups = graph(|g, x| {
        let x = g.conv_transpose2d("up", x, ConvTranspose2d::new([2, 2]).groups(2), 6)?;
        g.batch_norm("norm", x, norm)
    });
    check(&groups, &["x", "up", "norm"]);
    // The name of the new bias is taken.
    let taken = graph(|g, x| {
        let x = g.conv2d_with("conv", x, conv, 4, Parameters::named("conv").without_bias())?;
        let x = g.batch_norm("norm", x, norm)?;
        g.scale("scale", x, "conv.bias", None)
    });
    check(&taken, &["x", "conv", "norm", "scale"]);
    // The convolution is an output.
    let mut g = Graph::builder();
    let x = g.input("x", [2, 4, 5, 7]).unwrap();
    let a = g.conv2d("conv", x, conv, 3).unwrap();
    let b = g.relu("relu", a).unwrap();
    g.output(b).unwrap();
    g.output(a).unwrap();
    assert_eq!(names(g.build().unwrap().fold().graph()), ["x", "conv", "relu"]);
}

#[test]
fn dead_nodes_go_and_outputs_keep_their_names() {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 4, 5, 7]).unwrap();
    g.conv2d("dead", x, Conv2d::new([1, 1]), 3).unwrap();
    let y = g.conv2d("conv", x, Conv2d::new([1, 1]), 3).unwrap();
    let y = g.relu("relu", y).unwrap();
    let z = g.relu("relu of relu", y).unwrap();
    g.output(y).unwrap();
    g.output(z).unwrap();
    let folded = g.build().unwrap().fold();
    assert_eq!(names(folded.graph()), ["x", "conv", "relu of relu"]);
    let outputs: Vec<&str> = folded.graph().outputs().map(|(name, _)| name).collect();
    assert_eq!(outputs, ["relu", "relu of relu"]);
    assert_eq!(names(folded.graph().fold().graph()), names(folded.graph()), "folding twice is folding once");
}

#[test]
fn a_variance_below_zero_is_refused_by_name() {
    for relu in [false, true] {
        let conv = if relu { Conv2d::new([1, 1]).relu() } else { Conv2d::new([1, 1]) };
        let graph = graph(|g, x| g.conv2d("conv", x, conv, 3).and_then(|x| g.batch_norm("norm", x, BatchNorm::new())));
        let mut weights = Weights::random(graph.weights_required(), 3).unwrap();
        weights.insert("norm.running_var", &Tensor::vector(vec![1.0, -0.5, 1.0]).unwrap());
        let error = graph.fold().weights(&weights).unwrap_err().to_string();
        assert_eq!(error, "weights: `norm.running_var` holds -0.5, expected variances from 0");
    }
}

#[test]
fn generated_graphs_give_the_same() {
    for_generated(48, (recipes(), any::<u64>()), |(recipe, seed)| {
        let graph = recipe.few_outputs();
        let weights = Weights::random(graph.weights_required(), seed).unwrap();
        let operands = recipe.operands(seed);
        let run = |graph: &Graph, weights: &Weights| interpret(graph, weights, operands.of(graph)).unwrap();
        let folded = graph.fold();
        let before = run(&graph, &weights);
        let after = run(folded.graph(), &folded.weights(&weights).unwrap());
        for (name, value) in before.iter() {
            if let Value::Tensor(value) = value {
                let apart = distance(value, after.tensor(name).unwrap());
                assert!(apart < 1e-4, "{name}: {apart}");
            }
        }
    });
}

/// Upsampling of `channels` maps by a weight that `filter` gives: input channel, output channel, row, column.
fn upsampling(channels: usize, filter: impl FnMut([usize; 4]) -> f32) -> (Graph, Weights) {
    let mut g = Graph::builder();
    let x = g.input("x", [1, channels, 3, 5]).unwrap();
    let y = g.conv_transpose2d("up", x, ConvTranspose2d::new([4, 4]).stride([2, 2]), channels).unwrap();
    g.output(y).unwrap();
    let mut weights = Weights::new();
    weights.insert("up.weight", &Tensor::from_fn([channels, channels, 4, 4], filter).unwrap());
    weights.insert("up.bias", &Tensor::from_fn([1, channels, 1, 1], |[_, c, ..]| c as f32).unwrap());
    (g.build().unwrap(), weights)
}

#[test]
fn diagonal_weights_are_set_apart() {
    let diagonal = |[c, o, u, v]: [usize; 4]| if c == o { (1 + c + 2 * u + 3 * v) as f32 } else { 0.0 };
    let (graph, weights) = upsampling(3, diagonal);
    let apart = graph.with_diagonal_weights_apart(&weights).unwrap();
    let groups = |graph: &Graph| match graph.node("up").unwrap().operation() {
        Operation::ConvTranspose2d(op) => op.groups,
        other => panic!("{other:?}"),
    };
    assert_eq!((groups(&graph), groups(&apart)), (1, 3));
    assert_eq!(apart.cost().macs * 3, graph.cost().macs);
    let x = Tensor::from_fn([1, 3, 3, 5], |[_, c, y, x]| (7 * c + 3 * y) as f32 - x as f32).unwrap();
    let [expected, found] = [&graph, &apart].map(|graph| interpret(graph, &weights, &x).unwrap());
    assert_eq!(expected.tensor("up").unwrap(), found.tensor("up").unwrap());
    let plan = apart.plan(&switchback::gpu::Caps::WEBGPU).unwrap();
    assert_eq!(plan.node("up").unwrap().variant(), "interpolate");

    // One word off the diagonal, however small, and the weight is what it was.
    let (graph, weights) = upsampling(3, |index| if index == [2, 0, 3, 3] { 1e-30 } else { diagonal(index) });
    assert_eq!(groups(&graph.with_diagonal_weights_apart(&weights).unwrap()), 1);
    // A single channel has nothing to be set apart.
    let (graph, weights) = upsampling(1, diagonal);
    assert_eq!(groups(&graph.with_diagonal_weights_apart(&weights).unwrap()), 1);
}
