//! Whole graphs on the device.

mod folding;
mod hourglass;
mod limits;
mod memory;
mod random;
mod session;
mod shared_weights;
mod texels;
mod variants;

use switchback::graph::{Inputs, Outputs, Session};
use switchback::weights::Weights;
use switchback::{Conv2d, Graph, MaxPool2d, Tensor, Value};

use crate::common::random::Random;

pub(crate) use hourglass::hourglass;

/// Every node whose operands are known must be what the reference makes of them.
fn assert_checked(session: &Session, weights: &Weights, inputs: Inputs, outputs: &Outputs) {
    let checks = session.check_nodes(weights, inputs, outputs).unwrap();
    assert!(!checks.is_empty());
    for check in checks {
        assert!(check.mismatch.is_none(), "node `{}`: {}", check.node, check.mismatch.unwrap_or_default());
    }
}

/// The bits of outputs: NaN are equal to themselves, zeros to zeros of their own sign.
fn bits(outputs: &Outputs) -> Vec<(String, Vec<u32>)> {
    let value = |value: &Value| match value {
        Value::Tensor(tensor) => tensor.data().iter().map(|v| v.to_bits()).collect(),
        Value::Switches(switches) => switches.indices().to_vec(),
        Value::Labels(labels) => labels.data().iter().copied().map(u32::from).collect(),
        Value::Image(image) => image.data().iter().copied().map(u32::from).collect(),
        _ => panic!("a new kind of value"),
    };
    outputs.iter().map(|(name, v)| (name.to_owned(), value(v))).collect()
}

/// A graph of two convolutions and a pooling, its weights and an input.
fn small() -> (Graph, Weights, Tensor) {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 3, 20, 31]).unwrap();
    let y = g.conv2d("conv", x, Conv2d::new([3, 3]).pad(1).relu(), 8).unwrap();
    let y = g.conv2d("conv again", y, Conv2d::new([3, 3]).pad(1).relu(), 8).unwrap();
    let y = g.max_pool2d("pool", y, MaxPool2d::new([2, 2])).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 5).unwrap();
    (graph, weights, Random::new(6).reals([1, 3, 20, 31]))
}
