//! Graphs of every operator with weights and activations in f16, node by node against the reference.

use switchback::gpu::Elements;
use switchback::kernel::{conv_transpose2d, conv2d};
use switchback::weights::Weights;
use switchback::{Gpu, Graph, reference};
use wasm_bindgen_test::wasm_bindgen_test;

use super::gpu;
use crate::common::half_graphs::{every_operator, upsamplings};
use crate::common::random::Random;

async fn check(gpu: &Gpu, graph: &Graph, input: [usize; 4]) {
    let weights = Weights::random(graph.weights_required(), 3).unwrap();
    let x = reference::half_tensor(&Random::new(4).reals(input));
    let mut session = gpu.compile_async(graph, &weights).await.unwrap();
    let outputs = session.run_async(&x).await.unwrap();
    for check in session.check_nodes(&weights, &x, &outputs).unwrap() {
        assert!(check.mismatch.is_none(), "node `{}`: {}", check.node, check.mismatch.unwrap_or_default());
    }
}

#[wasm_bindgen_test]
async fn every_operator_keeps_its_bound() {
    let gpu = gpu().await.with_elements(Elements::f16().with_ports());
    for channels in [6, 7] {
        let graph = every_operator(channels);
        let names: Vec<&str> = graph.nodes().iter().map(|node| node.name()).filter(|&name| name != "x").collect();
        let graph = graph.with_outputs(&names).unwrap();
        for &variant in conv2d::Variant::ALL.iter().filter(|&&variant| variant != conv2d::Variant::Cooperative) {
            check(&gpu.with_variant(variant), &graph, [2, 3, 21, 26]).await;
        }
    }
}

#[wasm_bindgen_test]
async fn every_transposed_convolution_keeps_its_bound() {
    let gpu = gpu().await.with_elements(Elements::f16());
    let without = conv_transpose2d::Variant::Cooperative;
    for channels in [4, 5] {
        let graph = upsamplings(channels);
        check(&gpu, &graph, [2, channels, 5, 7]).await;
        for &variant in conv_transpose2d::Variant::ALL.iter().filter(|&&variant| variant != without) {
            check(&gpu.with_variant(variant), &graph, [2, channels, 5, 7]).await;
        }
    }
}
