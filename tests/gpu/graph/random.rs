//! Random graphs, node by node; in f16, under small limits, and of the next size.

use proptest::prelude::any;
use proptest::sample::select;
use switchback::gpu::{Elements, Texels};
use switchback::kernel::{AnyVariant, conv_transpose2d, conv2d};
use switchback::weights::Weights;
use switchback::{Error, Gpu, Graph};

use super::{assert_checked, bits};
use crate::common::adapter;
use crate::common::graphs::{Operands, Recipe, recipes};
use crate::common::seeds::for_generated;
use crate::devices::with_small_buffers;

/// Whether a device may refuse a graph so.
type MayRefuse = fn(&Error) -> bool;

/// Runs a graph twice, bit for bit the same; with `checked`, every node against the reference, applied to what the device itself
/// gave it. Nothing where the device may refuse it.
fn run(
    gpu: &Gpu,
    graph: &Graph,
    weights: &Weights,
    operands: &Operands,
    checked: bool,
    may_refuse: MayRefuse,
) -> Option<Vec<(String, Vec<u32>)>> {
    let tried = gpu.compile(graph, weights).and_then(|mut session| Ok((session.run(operands.of(graph))?, session)));
    let (outputs, mut session) = match tried {
        Err(error) if may_refuse(&error) => return None,
        tried => tried.unwrap(),
    };
    if checked {
        assert_checked(&session, weights, operands.of(graph), &outputs);
    }
    let found = bits(&outputs);
    assert_eq!(bits(&session.run(operands.of(graph)).unwrap()), found, "two runs differ\n{}", session.plan());
    Some(found)
}

/// Every node of the graph as it is; then with few outputs, so that nodes are folded and fused and values share buffers: bit for bit
/// those of the folded graph, every value of which has a buffer of its own.
fn check(gpu: &Gpu, recipe: &Recipe, operands: &Operands, may_refuse: MayRefuse) {
    let (all, few) = (recipe.all_outputs(), recipe.few_outputs());
    let weights = Weights::random(all.weights_required(), 2).unwrap();
    run(gpu, &all, &weights, operands, true, may_refuse);
    let Some(found) = run(gpu, &few, &weights, operands, false, may_refuse) else { return };
    let folded = few.fold();
    let (open, weights) = (folded.graph().with_every_output(), folded.weights(&weights).unwrap());
    if open.outputs().next().is_none() {
        return; // an input alone
    }
    let Some(everything) = run(gpu, &open, &weights, operands, true, may_refuse) else { return };
    let everything: std::collections::HashMap<_, _> = everything.into_iter().collect();
    let plan = gpu.plan(&few).unwrap();
    // Labels straight from an upsampling of f16 maps may be by weights in f32, which are rounded where it stands apart.
    let in_one = |name: &str| plan.node(name).is_some_and(|node| node.operator() == "conv_transpose2d_argmax");
    for (name, found) in found.iter().filter(|(name, _)| !(gpu.elements().is_half() && in_one(name))) {
        // An input has no other, nor has a node that became part of another, whose name its result keeps.
        let Some(expected) = everything.get(name) else { continue };
        assert!(found == expected, "`{name}` differs when values share buffers\n{plan}");
    }
}

#[test]
fn generated_graphs_node_by_node() {
    let Some(gpu) = adapter::gpu() else { return };
    for_generated(32, recipes(), |recipe| check(&gpu, &recipe, &recipe.operands(1), |_| false));
}

/// Their images as texels.
#[test]
fn generated_graphs_in_f16() {
    let Some(gpu) = adapter::gpu() else { return };
    let gpu = gpu.with_elements(Elements::f16().with_ports()).with_texels(Texels::Bgra8);
    let overflow =
        |error: &Error| matches!(error, Error::Node { cause, .. } if matches!(**cause, Error::Overflow { .. }));
    for_generated(12, recipes(), |recipe| check(&gpu, &recipe, &recipe.operands(1).in_half(), overflow));
}

#[test]
fn generated_graphs_in_small_buffers() {
    let Some(gpu) = adapter::gpu() else { return };
    let gpu = with_small_buffers(&gpu);
    for_generated(8, recipes(), |recipe| check(&gpu, &recipe, &recipe.operands(1), Error::is_out_of_memory));
}

/// Whatever is asked for by name, where it is for such operands at all.
#[test]
fn generated_graphs_by_variants() {
    let Some(gpu) = adapter::gpu() else { return };
    let variants: Vec<AnyVariant> = conv2d::Variant::ALL
        .iter()
        .map(|&variant| variant.into())
        .chain(conv_transpose2d::Variant::ALL.iter().filter(|variant| variant.repeats()).map(|&variant| variant.into()))
        .collect();
    for_generated(8, (recipes(), select(variants)), |(recipe, variant)| {
        check(&gpu.with_variant(variant), &recipe, &recipe.operands(1), Error::is_unsupported);
    });
}

/// Sessions of three sizes that share weights give what each gives alone.
#[test]
fn generated_graphs_of_the_next_size() {
    let Some(gpu) = adapter::gpu() else { return };
    let sizes = [any::<u8>(), any::<u8>()];
    for_generated(6, (recipes(), sizes, any::<bool>()), |(first, sizes, half)| {
        let gpu = if half { gpu.with_elements(Elements::f16()) } else { gpu.clone() };
        let graphs = [[0, 0], [1, 3], [5, 2]].map(|[rows, columns]| {
            let mut recipe = first.clone();
            recipe.input[2] += rows * usize::from(sizes[0] % 3);
            recipe.input[3] += columns * usize::from(sizes[1] % 3);
            (recipe.few_outputs(), recipe.operands(1))
        });
        let required = graphs[0].0.weights_required();
        let weights = Weights::random(required.clone(), 2).unwrap();
        let mut shared = gpu.weights(&weights);
        let mut sessions = Vec::new();
        // Where a size has nodes passed over that fit another, it is another network.
        for (graph, operands) in graphs.iter().filter(|(graph, _)| graph.weights_required() == required) {
            let mut alone = gpu.compile(graph, &weights).unwrap();
            let expected = bits(&alone.run(operands.of(graph)).unwrap());
            sessions.push((shared.compile(graph).unwrap(), graph, operands, expected));
        }
        for (session, graph, operands, expected) in &mut sessions {
            assert_eq!(bits(&session.run(operands.of(graph)).unwrap()), *expected, "{}", session.plan());
        }
    });
}
