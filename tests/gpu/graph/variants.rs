//! Kernel variants that are asked for, within a graph.

use switchback::kernel::{conv_transpose2d, conv2d, max_unpool2d};
use switchback::weights::Weights;
use switchback::{ConvTranspose2d, Gpu, Graph, RgbImage};

use super::{assert_checked, hourglass};
use crate::common::adapter;
use crate::common::random::Random;

#[test]
fn every_variant_serves_a_graph() {
    let Some(gpu) = adapter::gpu() else { return };
    let extent = [23, 30];
    let graph = hourglass(extent);
    let image = RgbImage::new(extent, Random::new(10).bytes(3 * extent[0] * extent[1])).unwrap();
    let weights = Weights::random(graph.weights_required(), 11).unwrap();
    let check = |gpu: &Gpu, op: &str, variant: &str| {
        let mut session = gpu.compile(&graph, &weights).unwrap();
        let chosen: Vec<_> = session.plan().nodes().iter().filter(|node| node.operator() == op).collect();
        assert!(!chosen.is_empty() && chosen.iter().all(|node| node.variant() == variant), "{op} {variant}");
        assert_eq!(gpu.plan(&graph).unwrap().to_string(), session.plan().to_string(), "{op} {variant}");
        for _ in 0..2 {
            let outputs = session.run(&image).unwrap();
            assert_checked(&session, &weights, (&image).into(), &outputs);
        }
    };
    let matrices = gpu.caps().cooperative.is_some();
    // These are for other shapes than this graph has; tests/gpu/conv2d holds them to theirs.
    let elsewhere = [conv2d::Variant::Depthwise, conv2d::Variant::DotProduct, conv2d::Variant::SplitK];
    let here = |variant: &conv2d::Variant| *variant != conv2d::Variant::Cooperative || matrices;
    let served = |variant: &&conv2d::Variant| here(variant) && !elsewhere.contains(variant);
    for &variant in conv2d::Variant::ALL.iter().filter(served) {
        check(&gpu.with_variant(variant), "conv2d", variant.name());
    }
    // These are for other shapes than this graph has.
    let special = [
        conv_transpose2d::Variant::FlippedSplitK,
        conv_transpose2d::Variant::SharedPhases,
        conv_transpose2d::Variant::Product,
        conv_transpose2d::Variant::Interpolate,
    ];
    let here = |variant: &conv_transpose2d::Variant| *variant != conv_transpose2d::Variant::Cooperative || matrices;
    let served = |variant: &&conv_transpose2d::Variant| here(variant) && !special.contains(variant);
    for &variant in conv_transpose2d::Variant::ALL.iter().filter(served) {
        check(&gpu.with_variant(variant), "conv_transpose2d", variant.name());
    }
    for &variant in max_unpool2d::Variant::ALL {
        check(&gpu.with_variant(variant), "max_unpool2d", variant.name());
    }
}

#[test]
fn transposed_convolutions_of_special_shapes_serve_a_graph() {
    let Some(gpu) = adapter::gpu() else { return };
    let up = ConvTranspose2d::new([4, 4]).stride([2, 2]);
    // The first and the last are chosen on every device; phases that share cells are asked for.
    let shared = gpu.with_variant(conv_transpose2d::Variant::SharedPhases);
    for (gpu, input, op, variant) in [
        (&gpu, [2, 6, 1, 1], up, "product"),
        (&shared, [2, 6, 3, 5], up, "shared-phases"),
        (&gpu, [2, 6, 3, 5], up.groups(6), "interpolate"),
    ] {
        let mut g = Graph::builder();
        let x = g.input("x", input).unwrap();
        let y = g.conv_transpose2d("up", x, op, 6).unwrap();
        g.output(y).unwrap();
        let graph = g.build().unwrap();
        let weights = Weights::random(graph.weights_required(), 12).unwrap();
        let mut session = gpu.compile(&graph, &weights).unwrap();
        assert_eq!(session.plan().node("up").unwrap().variant(), variant);
        let x = Random::new(13).reals(input);
        for _ in 0..2 {
            let outputs = session.run(&x).unwrap();
            assert_checked(&session, &weights, (&x).into(), &outputs);
        }
    }
}
