//! Weights and values beyond a device's limits: split, or refused.

use switchback::gpu::LimitsChoice;
use switchback::kernel::conv2d;
use switchback::weights::Weights;
use switchback::{Conv2d, Error, Gpu, Graph};

use super::assert_checked;
use crate::common::adapter;
use crate::common::random::Random;
use crate::devices::with_small_buffers;

#[test]
fn weights_are_split_over_bindings_and_buffers() {
    let Some(gpu) = adapter::gpu() else { return };
    let gpu = with_small_buffers(&gpu);
    // 128 words a row start where bindings can; 100 do not, so that bindings overlap.
    for channels in [128, 100] {
        let mut g = Graph::builder();
        let x = g.input("x", [1, channels, 3, 3]).unwrap();
        let y = g.conv2d("fc", x, Conv2d::new([1, 1]).relu(), 400).unwrap();
        g.output(y).unwrap();
        let graph = g.build().unwrap();
        let weights = Weights::random(graph.weights_required(), 7).unwrap();
        let mut session = gpu.compile(&graph, &weights).unwrap();
        assert!(session.plan().weight_bytes() > 2 * (64 << 10), "more than two buffers");
        for seed in 0..2 {
            let x = Random::new(seed).reals([1, channels, 3, 3]);
            let outputs = session.run(&x).unwrap();
            assert_checked(&session, &weights, (&x).into(), &outputs);
        }
    }

    let mut g = Graph::builder();
    let x = g.input("x", [1, 1, 80, 80]).unwrap();
    let y = g.relu("too large", x).unwrap();
    g.output(y).unwrap();
    let error = gpu.compile(&g.build().unwrap(), &Weights::new()).unwrap_err();
    assert!(error.is_out_of_memory() && matches!(error, Error::Node { .. }), "{error}");
    let message = error.to_string();
    assert!(message.starts_with("node `too large`: ") && message.contains("needs 25600 "), "{message}");
    assert!(message.contains("offers 16384"), "{message}");
}

#[test]
fn fc6_of_fcn_runs_under_webgpu_limits() {
    let Some(gpu) = adapter::open(Gpu::builder().limits(LimitsChoice::WebGpu)) else { return };
    let mut g = Graph::builder();
    let x = g.input("x", [1, 512, 7, 8]).unwrap();
    let y = g.conv2d("fc6", x, Conv2d::new([7, 7]).relu(), 4096).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 8).unwrap();
    let x = Random::new(9).reals([1, 512, 7, 8]);
    // One variant reads the weight as it is, the other packs it first.
    for variant in [conv2d::Variant::Direct, conv2d::Variant::Tiled] {
        let gpu = gpu.with_variant(variant);
        gpu.trim().unwrap();
        let mut session = gpu.compile(&graph, &weights).unwrap();
        assert_eq!(session.plan().nodes()[0].variant(), variant.name());
        let weight_bytes = session.plan().weight_bytes();
        assert!((4 * 4096 * 512 * 49..4 * 4200 * 512 * 49).contains(&weight_bytes), "{weight_bytes}");
        let peak = gpu.memory().peak;
        assert!(peak < weight_bytes + (129 << 20), "more than one binding besides the weight: {peak}");
        let outputs = session.run(&x).unwrap();
        assert_checked(&session, &weights, (&x).into(), &outputs);
    }
}
