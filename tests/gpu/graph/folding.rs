//! Batch norms and scalings that became part of a convolution.

use switchback::graph::interpret;
use switchback::weights::Weights;
use switchback::{BatchNorm, Conv2d, ConvTranspose2d, Graph};

use crate::common::random::Random;
use crate::devices::on_each;

/// What a session folds: the same scores as the reference's, which folds nothing, by one dispatch.
#[test]
fn a_batch_norm_becomes_part_of_the_convolution() {
    on_each(|gpu| {
        let mut g = Graph::builder();
        let x = g.input("x", [2, 3, 11, 7]).unwrap();
        let x = g.conv2d("conv", x, Conv2d::new([3, 3]).pad(1), 9).unwrap();
        let x = g.batch_norm("norm", x, BatchNorm::new()).unwrap();
        let x = g.relu("relu", x).unwrap();
        let x = g.conv_transpose2d("up", x, ConvTranspose2d::new([2, 2]).stride([2, 2]), 5).unwrap();
        let x = g.scale("scale", x, "scale.scale", Some("scale.shift".into())).unwrap();
        g.output(x).unwrap();
        let graph = g.build().unwrap();
        let weights = Weights::random(graph.weights_required(), 7).unwrap();
        let x = Random::new(8).reals([2, 3, 11, 7]);
        let mut session = gpu.compile(&graph, &weights).unwrap();
        let names: Vec<&str> = session.plan().nodes().iter().map(|node| node.name()).collect();
        assert_eq!(names, ["conv", "up"]);
        assert_eq!(session.plan().nodes().len(), graph.plan(gpu.caps()).unwrap().nodes().len());
        let found = session.run(&x).unwrap();
        let expected = interpret(&graph, &weights, &x).unwrap();
        let [expected, found] = [&expected, &found].map(|outputs| outputs.tensor("scale").unwrap().data().to_vec());
        let largest = expected.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        for (expected, found) in expected.iter().zip(&found) {
            assert!((expected - found).abs() <= 1e-5 * largest, "{found} for {expected}");
        }
    });
}
