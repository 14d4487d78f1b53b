//! Graphs whose weights and activations are kept in f16.

use switchback::gpu::{Elements, Storage};
use switchback::graph::{Inputs, Outputs, Session};
use switchback::kernel::{conv_transpose2d, conv2d};
use switchback::weights::Weights;
use switchback::{Conv2d, ConvTranspose2d, Crop, Error, Gpu, Graph, MaxPool2d, RgbImage, Tensor, reference};

use crate::common::adapter;
use crate::common::half_graphs::{every_operator, upsamplings};
use crate::common::random::Random;
use crate::devices::with_limits;
use crate::graph::hourglass;

fn assert_checked(session: &Session, weights: &Weights, inputs: Inputs, outputs: &Outputs) {
    let checks = session.check_nodes(weights, inputs, outputs).unwrap();
    assert!(!checks.is_empty());
    for check in checks {
        assert!(check.mismatch.is_none(), "node `{}`: {}", check.node, check.mismatch.unwrap_or_default());
    }
}

/// The variants of a convolution that this device has.
fn variants(gpu: &Gpu) -> impl Iterator<Item = conv2d::Variant> {
    let matrices = gpu.caps().cooperative.is_some();
    conv2d::Variant::ALL.iter().copied().filter(move |&variant| variant != conv2d::Variant::Cooperative || matrices)
}

#[test]
fn every_node_keeps_its_bound() {
    let Some(gpu) = adapter::gpu() else { return };
    for channels in [6, 7] {
        let graph = every_operator(channels);
        let names: Vec<&str> = graph.nodes().iter().map(|node| node.name()).filter(|&name| name != "x").collect();
        let graph = graph.with_outputs(&names).unwrap();
        let weights = Weights::random(graph.weights_required(), 3).unwrap();
        // What f16 holds, since with ports the input is kept in it too.
        let x = reference::half_tensor(&Random::new(4).reals([2, 3, 21, 26]));
        for elements in [Elements::f16(), Elements::f16().with_ports()] {
            for variant in variants(&gpu) {
                let mut session =
                    gpu.with_variant(variant).with_elements(elements.clone()).compile(&graph, &weights).unwrap();
                let halves = session.plan().nodes().iter().filter(|node| node.storages()[0] == Storage::Halves).count();
                assert!(halves > 10, "{}", session.plan());
                for _ in 0..2 {
                    let outputs = session.run(&x).unwrap();
                    assert_checked(&session, &weights, (&x).into(), &outputs);
                }
            }
        }
    }
}

/// Fully connected layers, whose weights are read once: of odd and even channels, two images.
#[test]
fn kernels_that_cover_their_map_are_dot_products() {
    let Some(gpu) = adapter::gpu() else { return };
    // Bindings that hold a few rows of `first` only.
    let small = wgpu::Limits { max_storage_buffer_binding_size: 4 << 10, ..wgpu::Limits::defaults() };
    for (channels, gpu) in [(7, gpu.clone()), (8, gpu.clone()), (9, with_limits(&gpu, small))] {
        let mut g = Graph::builder();
        let x = g.input("x", [2, channels, 5, 3]).unwrap();
        let first = g.conv2d("first", x, Conv2d::new([5, 3]).relu(), 21).unwrap();
        let second = g.conv2d("second", first, Conv2d::new([1, 1]).stride([2, 3]), 18).unwrap();
        let third = g.conv2d("third", second, Conv2d::new([1, 1]), 5).unwrap();
        [first, second, third].into_iter().for_each(|edge| g.output(edge).unwrap());
        let graph = g.build().unwrap();
        let weights = Weights::random(graph.weights_required(), 3).unwrap();
        let x = reference::half_tensor(&Random::new(4).reals([2, channels, 5, 3]));
        for elements in [Elements::f16(), Elements::f16().with_ports()] {
            let mut session = gpu.with_elements(elements).compile(&graph, &weights).unwrap();
            let halves =
                session.plan().nodes().iter().filter(|node| !node.via_f32() && node.variant() == "dot-product");
            assert!(halves.count() >= 2, "{}", session.plan());
            for _ in 0..2 {
                let outputs = session.run(&x).unwrap();
                assert_checked(&session, &weights, (&x).into(), &outputs);
            }
        }
    }
}

#[test]
fn every_transposed_convolution_keeps_its_bound() {
    let Some(gpu) = adapter::gpu() else { return };
    let variants = [None].into_iter().chain(conv_transpose2d::Variant::ALL.iter().copied().map(Some));
    for variant in variants {
        if variant == Some(conv_transpose2d::Variant::Cooperative) && gpu.caps().cooperative.is_none() {
            continue;
        }
        let gpu = variant.map_or_else(|| gpu.clone(), |variant| gpu.with_variant(variant));
        for channels in [4, 5] {
            let graph = upsamplings(channels);
            let weights = Weights::random(graph.weights_required(), 3).unwrap();
            let x = reference::half_tensor(&Random::new(4).reals([2, channels, 5, 7]));
            for elements in [Elements::f16(), Elements::f16().with_ports(), Elements::f16().keep_f32("odd")] {
                let mut session = gpu.with_elements(elements).compile(&graph, &weights).unwrap();
                for _ in 0..2 {
                    let outputs = session.run(&x).unwrap();
                    assert_checked(&session, &weights, (&x).into(), &outputs);
                }
            }
        }
    }
}

/// Small integers are f16 exactly: f16 and f32 give the same, by kernels of f16's own.
#[test]
fn integers_are_exact_upsampled() {
    let Some(gpu) = adapter::gpu() else { return };
    let twice = ConvTranspose2d::new([4, 4]).stride([2, 2]);
    let eighth = ConvTranspose2d::new([16, 16]).stride([8, 8]);
    for (op, inputs, channels, extent) in [
        (twice, 21, 21, [6, 5]),
        (twice.groups(2), 8, 12, [6, 5]),
        (ConvTranspose2d::new([2, 2]).stride([2, 2]).relu(), 37, 70, [6, 5]),
        (ConvTranspose2d::new([3, 3]).pad(1), 33, 40, [6, 5]),
        (eighth, 5, 3, [6, 5]),
        // One channel a group.
        (twice.groups(8), 8, 8, [6, 5]),
        (eighth.groups(5).relu(), 5, 5, [3, 9]),
        (ConvTranspose2d::new([3, 5]).stride([2, 4]).groups(7).pad(1), 7, 7, [5, 4]),
        // One cell.
        (ConvTranspose2d::new([7, 7]).relu(), 100, 33, [1, 1]),
        (ConvTranspose2d::new([3, 4]).pad(1).groups(2), 12, 8, [1, 1]),
    ] {
        let mut g = Graph::builder();
        let x = g.input("x", [2, inputs, extent[0], extent[1]]).unwrap();
        let y = g.conv_transpose2d("up", x, op, channels).unwrap();
        g.output(y).unwrap();
        let graph = g.build().unwrap();
        let mut weights = Weights::new();
        let mut random = Random::new(5);
        let mut units = |shape| Tensor::from_fn(shape, |_| random.integer(-1, 1) as f32).unwrap();
        for (name, shape) in graph.weights_required() {
            weights.insert(name, &units(shape));
        }
        let x = units([2, inputs, extent[0], extent[1]].into());
        let compile = |gpu: &Gpu| gpu.compile(&graph, &weights).unwrap();
        let expected = compile(&gpu).run(&x).unwrap().tensor("up").unwrap().clone();
        let variants = [None, Some(conv_transpose2d::Variant::Phased), Some(conv_transpose2d::Variant::Cooperative)];
        for variant in variants {
            if variant == Some(conv_transpose2d::Variant::Cooperative) && gpu.caps().cooperative.is_none() {
                continue;
            }
            if variant.is_some() && op.groups > 1 && (inputs / op.groups % 2 == 1 || channels / op.groups % 2 == 1) {
                // Words of two groups.
                continue;
            }
            let gpu = variant.map_or_else(|| gpu.clone(), |variant| gpu.with_variant(variant));
            let mut session = compile(&gpu.with_elements(Elements::f16().with_ports()));
            assert!(!session.plan().node("up").unwrap().via_f32(), "{}", session.plan());
            let found = session.run(&x).unwrap();
            assert!(*found.tensor("up").unwrap() == expected, "{op:?} by {variant:?}");
        }
    }
}

/// Two dispatches pack the weight, and share the words of an odd input channel at which they meet.
#[test]
fn a_weight_over_the_binding_limit_is_packed_in_parts() {
    let Some(gpu) = adapter::open(Gpu::builder().rails(true).limits(switchback::gpu::LimitsChoice::WebGpu)) else {
        return;
    };
    // DeconvNet's fc6-deconv with a third of its input channels: 140 MB in f32.
    let op = ConvTranspose2d::new([7, 7]);
    let mut g = Graph::builder();
    let x = g.input("x", [1, 1400, 1, 1]).unwrap();
    let y = g.conv_transpose2d("up", x, op, 512).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let mut random = Random::new(6);
    let mut units = |shape| Tensor::from_fn(shape, |_| random.integer(-1, 1) as f32).unwrap();
    let required = graph.weights_required();
    let tensors: Vec<Tensor> = required.iter().map(|&(_, shape)| units(shape)).collect();
    let x = units([1, 1400, 1, 1].into());
    let expected = reference::conv_transpose2d(&op, &x, &tensors[0], tensors.get(1)).unwrap().exact();
    let mut weights = Weights::new();
    required.iter().zip(&tensors).for_each(|((name, _), tensor)| weights.insert(*name, tensor));
    let mut session = gpu.with_elements(Elements::f16().with_ports()).compile(&graph, &weights).unwrap();
    let found = session.run(&x).unwrap();
    expected.check(found.tensor("up").unwrap()).unwrap();
    let planned = session.plan().node("up").unwrap();
    assert_eq!((planned.variant(), planned.via_f32()), ("product", false));
    assert!(session.plan().weight_bytes() < 72 << 20, "{}", session.plan());
}

/// The last upsampling writes labels; that of bilinear weights reads f16, others their map widened. The shapes are such that every
/// device does so.
#[test]
fn labels_come_from_scores_in_f16_that_are_never_written() {
    let Some(gpu) = adapter::gpu() else { return };
    let twice = ConvTranspose2d::new([8, 8]).stride([4, 4]);
    let odd = ConvTranspose2d::new([9, 7]).stride([4, 4]);
    for (channels, up, variant) in [
        (4, twice.groups(4), "interpolate"),
        (5, twice.groups(5), "interpolate"),
        (5, twice, "shared-phases"),
        (6, twice, "shared-phases"),
        (31, odd, "phased"),
        (32, odd, "phased"),
    ] {
        let mut g = Graph::builder();
        let x = g.input("x", [2, channels, 17, 19]).unwrap();
        let x = g.conv2d("score", x, Conv2d::new([1, 1]), channels).unwrap();
        let up = g.conv_transpose2d("up", x, up, channels).unwrap();
        let cropped = g.crop("cropped", up, Crop::new([3, 2], [61, 66])).unwrap();
        let labels = g.argmax_channels("labels", cropped).unwrap();
        g.output(labels).unwrap();
        let graph = g.build().unwrap().with_outputs(["score", "labels"]).unwrap();
        let weights = Weights::random(graph.weights_required(), 7).unwrap();
        let x = reference::half_tensor(&Random::new(8).reals([2, channels, 17, 19]));
        let mut session = gpu.with_elements(Elements::f16()).compile(&graph, &weights).unwrap();
        let planned = session.plan().node("labels").unwrap();
        assert_eq!(
            (planned.operator(), planned.variant(), planned.via_f32()),
            ("conv_transpose2d_argmax", variant, variant != "interpolate")
        );
        assert_eq!(session.plan().node("score").unwrap().storages(), [Storage::Halves]);
        let outputs = session.run(&x).unwrap();
        assert_checked(&session, &weights, (&x).into(), &outputs);
    }
}

#[test]
fn an_image_is_labelled() {
    let Some(gpu) = adapter::gpu() else { return };
    let extent = [23, 30];
    let graph = hourglass(extent);
    let image = RgbImage::new(extent, Random::new(10).bytes(3 * extent[0] * extent[1])).unwrap();
    let weights = Weights::random(graph.weights_required(), 11).unwrap();
    let mut session = gpu.with_elements(Elements::f16()).compile(&graph, &weights).unwrap();
    let outputs = session.run(&image).unwrap();
    assert_checked(&session, &weights, (&image).into(), &outputs);
}

/// Small integers are f16 exactly: f16 and f32 give the same.
#[test]
fn integers_are_exact() {
    let Some(gpu) = adapter::gpu() else { return };
    for (groups, inputs, channels) in [(1, 5, 9), (2, 8, 12), (2, 6, 10), (4, 4, 4), (1, 37, 70)] {
        let mut g = Graph::builder();
        let x = g.input("x", [2, inputs, 13, 17]).unwrap();
        let y = g.conv2d("conv", x, Conv2d::new([3, 3]).pad(1).groups(groups).relu(), channels).unwrap();
        let y = g.max_pool2d("pool", y, MaxPool2d::new([2, 2]).ceil()).unwrap();
        let y = g.conv2d("last", y, Conv2d::new([1, 1]), 4).unwrap();
        g.output(y).unwrap();
        let graph = g.build().unwrap();
        let mut weights = Weights::new();
        let mut random = Random::new(5);
        let mut units = |shape| Tensor::from_fn(shape, |_| random.integer(-1, 1) as f32).unwrap();
        for (name, shape) in graph.weights_required() {
            weights.insert(name, &units(shape));
        }
        let x = units([2, inputs, 13, 17].into());
        let run = |gpu: &Gpu| gpu.compile(&graph, &weights).unwrap().run(&x).unwrap().tensor("last").unwrap().clone();
        let expected = run(&gpu.with_variant(conv2d::Variant::Tiled));
        let largest = expected.data().iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        assert!((1.0..=2048.0).contains(&largest), "{largest}: not exact in f16");
        for elements in [Elements::f16(), Elements::f16().with_ports()] {
            for variant in [conv2d::Variant::Tiled, conv2d::Variant::Staged, conv2d::Variant::Cooperative] {
                if variant == conv2d::Variant::Cooperative && gpu.caps().cooperative.is_none() {
                    continue;
                }
                let gpu = gpu.with_variant(variant).with_elements(elements.clone());
                assert!(run(&gpu) == expected, "{groups} groups of {inputs} by {}", variant.name());
            }
        }
    }
}

/// One convolution of which weights or results are too large, and then a second.
fn large(weight: f32) -> (Graph, Weights, Tensor) {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 1, 2, 3]).unwrap();
    let y = g.conv2d("first", x, Conv2d::new([1, 1]), 2).unwrap();
    let y = g.conv2d("second", y, Conv2d::new([1, 1]), 1).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let mut weights = Weights::new();
    for (name, shape) in graph.weights_required() {
        let value = if name == "first.weight" { weight } else { 0.25 };
        weights.insert(name, &Tensor::full(shape, value).unwrap());
    }
    (graph, weights, Tensor::full([1, 1, 2, 3], 3.0).unwrap())
}

#[test]
fn results_beyond_f16_are_an_error_that_names_the_node() {
    let Some(gpu) = adapter::gpu() else { return };
    let (graph, weights, x) = large(60_000.0);
    for variant in variants(&gpu) {
        let gpu = gpu.with_variant(variant);
        let mut session = gpu.with_elements(Elements::f16()).compile(&graph, &weights).unwrap();
        let error = session.run(&x).unwrap_err();
        assert!(matches!(&error, Error::Node { node, .. } if node == "first"), "{error}");
        let message = error.to_string();
        assert!(message.contains("65504") && message.contains("--keep-f32 first"), "{message}");
        // The session runs on.
        let zeros = Tensor::zeros([1, 1, 2, 3]).unwrap();
        session.run(&zeros).unwrap();
        let mut kept = gpu.with_elements(Elements::f16().keep_f32("first")).compile(&graph, &weights).unwrap();
        if variant == conv2d::Variant::Cooperative {
            // Asked for by name it rounds what is in f32 too.
            for mut session in [kept, gpu.compile(&graph, &weights).unwrap()] {
                let error = session.run(&x).unwrap_err().to_string();
                assert!(error.contains("`second`: an operand") && error.contains("another variant"), "{error}");
            }
            continue;
        }
        let expected = gpu.compile(&graph, &weights).unwrap().run(&x).unwrap();
        let found = kept.run(&x).unwrap();
        let (expected, found) = (expected.tensor("second").unwrap(), found.tensor("second").unwrap());
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-3 * a.abs();
        assert!(expected.data().iter().zip(found.data()).all(close), "{expected:?} {found:?}");
    }
}

/// What is no finite number in f32 is none in f16, and no error.
#[test]
fn infinities_and_nans_are_not_beyond_f16() {
    let Some(gpu) = adapter::gpu() else { return };
    let (graph, weights, x) = large(1.0);
    for variant in variants(&gpu) {
        for elements in [Elements::f16(), Elements::f16().with_ports()] {
            let mut session = gpu.with_variant(variant).with_elements(elements).compile(&graph, &weights).unwrap();
            for value in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let outputs = session.run(&Tensor::full(x.shape(), value).unwrap()).unwrap();
                let found = outputs.tensor("second").unwrap();
                assert!(found.data().iter().all(|y| !y.is_finite()), "{value} by {}: {found:?}", variant.name());
            }
        }
    }
}

/// What an application records itself is reported when it asks.
#[test]
fn results_beyond_f16_of_a_recorded_run_are_reported() {
    let Some(gpu) = adapter::gpu() else { return };
    let (graph, weights, x) = large(60_000.0);
    let session = gpu.with_elements(Elements::f16()).compile(&graph, &weights).unwrap();
    let run = |x: &Tensor| {
        session.write(x).unwrap();
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        session.record(&mut encoder);
        gpu.queue().submit([encoder.finish()]);
        session.check_overflow()
    };
    let error = run(&x).unwrap_err();
    assert!(matches!(&error, Error::Node { node, .. } if node == "first"), "{error}");
    run(&Tensor::zeros([1, 1, 2, 3]).unwrap()).unwrap();
    let (f32, _, _) = large(1.0);
    gpu.compile(&f32, &weights).unwrap().check_overflow().unwrap();
}

#[test]
fn weights_beyond_f16_are_an_error_that_names_them() {
    let Some(gpu) = adapter::gpu() else { return };
    let (graph, weights, _) = large(70_000.0);
    let gpu = gpu.with_variant(conv2d::Variant::Tiled);
    // With ports, so that the first convolution reads f16.
    let f16 = || Elements::f16().with_ports();
    let refused = |elements| gpu.with_elements(elements).compile(&graph, &weights).map(|_| ()).unwrap_err().to_string();
    let error = refused(f16());
    assert!(error.contains("70000") && error.contains("`first.weight`") && error.contains("--keep-f32"), "{error}");
    let kept = gpu.with_elements(f16().keep_f32("first.weight"));
    let small = Tensor::full([1, 1, 2, 3], 0.5).unwrap();
    let outputs = kept.compile(&graph, &weights).unwrap().run(&small).unwrap();
    let expected = gpu.compile(&graph, &weights).unwrap().run(&small).unwrap();
    let (a, b) = (outputs.tensor("second").unwrap().data()[0], expected.tensor("second").unwrap().data()[0]);
    assert!((a - b).abs() <= 2e-3 * b.abs(), "{a} {b}");
    let error = refused(f16().keep_f32("fist"));
    assert!(error.contains("no node or weight `fist`"), "{error}");
}
