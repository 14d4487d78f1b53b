//! Random graphs, node by node.

use switchback::graph::Inputs;
use switchback::weights::Weights;
use switchback::{Gpu, Graph, RgbImage};

use super::{assert_checked, bits};
use crate::common::adapter;
use crate::common::graphs::{IMAGE, INPUT, Recipe, recipes};
use crate::common::random::Random;
use crate::common::seeds::for_generated;

/// Whether every scaling and batch norm of a graph stays a node of its own.
fn folds_no_numbers(graph: &Graph) -> bool {
    let folded = graph.fold();
    let live: Vec<String> = graph.with_every_output().outputs().map(|(name, _)| name.to_owned()).collect();
    let changes_numbers = |name: &&String| {
        let operator = graph.node(name).map(|node| node.operation().name());
        matches!(operator, Some("scale" | "batch_norm"))
    };
    live.iter().filter(changes_numbers).all(|name| folded.graph().node(name).is_some())
}

/// Every node against the reference, applied to what the device itself gave it; then the same graph with few outputs,
/// so that values share buffers, twice, bit for bit.
fn check_recipe(gpu: &Gpu, recipe: &Recipe) {
    let mut random = Random::new(1);
    let x = random.reals(INPUT);
    let image = RgbImage::new(IMAGE, random.bytes(3 * IMAGE[0] * IMAGE[1])).unwrap();
    let (all, few) = (recipe.all_outputs(), recipe.few_outputs());
    let weights = Weights::random(all.weights_required(), 2).unwrap();
    let inputs = |graph: &Graph| {
        let given = [("x", (&x).into()), ("image", (&image).into())];
        let used = given.into_iter().filter(|(name, _)| graph.inputs().any(|(input, _)| input == *name));
        used.fold(Inputs::new(), |inputs, (name, value): (_, switchback::graph::ValueRef)| inputs.with(name, value))
    };
    let mut session = gpu.compile(&all, &weights).unwrap();
    let everything = session.run(inputs(&all)).unwrap();
    assert_checked(&session, &weights, inputs(&all), &everything);

    let mut session = gpu.compile(&few, &weights).unwrap();
    let first = session.run(inputs(&few)).unwrap();
    let again = session.run(inputs(&few)).unwrap();
    assert_eq!(bits(&first), bits(&again), "two runs differ");
    let everything: std::collections::HashMap<_, _> = bits(&everything).into_iter().collect();
    let exact = folds_no_numbers(&few);
    for (name, found) in bits(&first) {
        if exact {
            assert_eq!(found, everything[&name], "`{name}` differs when values share buffers\n{}", session.plan());
        }
    }
    if !exact {
        // Folding rounds elsewhere: the folded graph itself, with every value in a buffer of its own.
        let folded = few.fold();
        let weights = folded.weights(&weights).unwrap();
        let open = folded.graph().with_every_output();
        let mut session = gpu.compile(&open, &weights).unwrap();
        let everything = session.run(inputs(&open)).unwrap();
        assert_checked(&session, &weights, inputs(&open), &everything);
    }
}

#[test]
fn generated_graphs_node_by_node() {
    let Some(gpu) = adapter::gpu() else { return };
    for_generated(48, recipes(), |recipe| check_recipe(&gpu, &recipe));
}
