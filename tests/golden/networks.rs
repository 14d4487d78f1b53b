//! Slim FCNs and VGG16 against PyTorch's maps, computed in f64 (data and provenance: `tests/golden/networks`).
//!
//! The index says how far PyTorch's own f32 pass strayed from them (`f32_error`, up to a power of two). The reference
//! rounds to f32 once a node, where PyTorch also rounds within sums, and may stray by twice that; a device rounds as
//! often as PyTorch in another order, and may stray by eight times. The generator keeps only pictures on which every
//! winning class leads by 16 `f32_error`; two scores that stray by half of that cannot change places, so labels have to
//! be equal. A crop that is off by one or a factor left out strays much further, which the last tests show.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use switchback::gpu::LimitsChoice;
use switchback::graph::{check_nodes, interpret_with};
use switchback::kernel::conv2d;
use switchback::net::{Fcn, Head, Vgg16};
use switchback::weights::{Weights, vgg};
use switchback::{ChannelOrder, Gpu, Graph, Normalize, RgbImage, Tensor, Value, reference};

use crate::common::adapter;
use crate::common::project::project;

use crate::file::File;

/// Times `f32_error` by which the reference may stray.
const REFERENCE: f64 = 2.0;
/// Times `f32_error` by which a device may stray.
const DEVICE: f64 = 8.0;
/// The same inside a network whose convolutions may be by minimal filtering in tiles of more than 2x2 cells, which
/// rounds more coarsely.
const FILTERED: f64 = 16.0;

#[derive(Deserialize)]
struct Run {
    name: String,
    head: Option<String>,
    weights: String,
    maps: String,
    normalize: Preprocessing,
    about: BTreeMap<String, About>,
}

#[derive(Deserialize)]
struct Preprocessing {
    order: String,
    mean: [f32; 3],
    scale: [f32; 3],
}

#[derive(Deserialize)]
struct About {
    f32_error: f64,
}

fn folder() -> PathBuf {
    project("tests/golden/networks")
}

fn runs() -> Vec<Run> {
    let runs: Vec<Run> = serde_json::from_slice(&fs::read(folder().join("networks.json")).unwrap()).unwrap();
    assert_eq!(runs.len(), 9);
    runs
}

fn run(name: &str) -> Run {
    runs().into_iter().find(|run| run.name == name).unwrap()
}

impl Run {
    fn file(&self) -> File {
        File::open(folder().join(&self.maps))
    }

    fn head(&self) -> Option<Head> {
        self.head.as_ref().map(|name| format!("fcn{name}").parse().unwrap())
    }

    fn weights(&self) -> Weights {
        let weights = Weights::open(folder().join(&self.weights)).unwrap();
        if self.head.is_some() { weights } else { vgg::fully_convolutional(&weights).unwrap() }
    }

    fn preprocessing(&self) -> Normalize {
        let order = if self.normalize.order == "bgr" { ChannelOrder::Bgr } else { ChannelOrder::Rgb };
        Normalize { order, mean: self.normalize.mean, factor: self.normalize.scale }
    }

    /// The picture; only of runs over one.
    fn image(&self) -> RgbImage {
        let (shape, bytes) = self.file().bytes("image");
        assert_eq!(shape[0], 1);
        RgbImage::new([shape[1], shape[2]], bytes).unwrap()
    }

    /// The network's input. VGG16's is exact in f32, and so not in the file.
    fn input(&self) -> Tensor {
        match self.head {
            Some(_) => self.file().floats("input"),
            None => reference::normalize(&self.preprocessing(), &self.image()).unwrap().tensor(),
        }
    }

    fn graph(&self) -> Graph {
        let (weights, shape) = (self.weights(), self.input().shape());
        match self.head() {
            Some(head) => Fcn::from_weights(head, &weights).unwrap().graph(shape).unwrap(),
            None => Vgg16::from_weights(&weights).unwrap().graph(shape).unwrap(),
        }
    }

    /// The graph's node for each of the file's maps.
    fn nodes(&self) -> Vec<(&str, &str)> {
        let maps = self.about.keys().map(String::as_str).filter(|&map| map != "scores_224");
        maps.map(|map| (map, self.node(map))).collect()
    }

    fn node<'a>(&self, map: &'a str) -> &'a str {
        match (map, self.head.is_some()) {
            ("scores", true) => "score",
            (map, true) => map,
            ("pool5", false) => "features.30",
            ("fc7", false) => "classifier.3",
            ("scores", false) => "classifier.6",
            (other, false) => panic!("{other}"),
        }
    }

    /// How far `found` strays from the file's map at most, in multiples of `f32_error`; refuses more than `leeway`.
    fn strays(&self, map: &str, found: &Tensor, leeway: f64) -> Result<f64, String> {
        let (expected, error) = (self.file().floats(map), self.about[map].f32_error);
        if expected.shape() != found.shape() {
            return Err(format!("{} {map}: {} for {}", self.name, found.shape(), expected.shape()));
        }
        let mut worst = 0.0_f64;
        for (position, (&found, &expected)) in found.data().iter().zip(expected.data()).enumerate() {
            let strayed = (f64::from(found) - f64::from(expected)).abs() / error;
            let sound = strayed <= leeway;
            if !sound {
                return Err(format!(
                    "{} {map}: {found} for {expected} at {position}, {strayed} times f32's own error",
                    self.name
                ));
            }
            worst = worst.max(strayed);
        }
        Ok(worst)
    }

    #[track_caller]
    fn check(&self, map: &str, found: &Tensor, leeway: f64) {
        match self.strays(map, found, leeway) {
            Ok(worst) => println!("{} {map}: {worst:.2} times f32's own error", self.name),
            Err(fault) => panic!("{fault}"),
        }
    }

    /// Runs the network on a device; maps inside it may stray by the first leeway, the scores by the second.
    fn check_on(&self, gpu: &Gpu, [inside, scores]: [f64; 2]) {
        let (weights, input, nodes) = (self.weights(), self.input(), self.nodes());
        let graph = self.graph().with_outputs(nodes.iter().map(|(_, node)| node)).unwrap();
        let outputs = gpu.compile(&graph, &weights).unwrap().run(&input).unwrap();
        for (map, node) in nodes {
            self.check(map, outputs.tensor(node).unwrap(), if map == "scores" { scores } else { inside });
        }
        let found = gpu.compile(&self.graph(), &weights).unwrap().run(&input).unwrap();
        self.check_labels(found.argmax_channels().unwrap().data());
    }

    #[track_caller]
    fn check_labels(&self, found: &[u8]) {
        assert!(found == self.file().bytes("labels").1, "{}: labels differ", self.name);
    }
}

#[test]
fn the_reference_gives_pytorch_s_maps_and_labels() {
    for run in runs() {
        let mut nodes = run.nodes();
        let outputs = interpret_with(&run.graph(), &run.weights(), &run.input(), |node, values| {
            nodes.retain(|(map, name)| {
                let found = *name == node.name();
                if let (true, Value::Tensor(tensor)) = (found, &values[0]) {
                    run.check(map, tensor, REFERENCE);
                }
                !found
            });
        })
        .unwrap();
        assert!(nodes.is_empty(), "{}: no node for {nodes:?}", run.name);
        run.check_labels(outputs.argmax_channels().unwrap().data());
    }
}

#[test]
fn the_reference_labels_an_image() {
    for run in runs().into_iter().filter(|run| run.input().shape().n == 1) {
        let (image, weights) = (run.image(), run.weights());
        let Some(head) = run.head() else { continue };
        // The preset, not the file's own numbers.
        let graph = Fcn::from_weights(head, &weights).unwrap().graph_from_image(image.extent()).unwrap();
        let outputs = interpret_with(&graph, &weights, &image, |_, _| {}).unwrap();
        run.check("scores", outputs.tensor("score").unwrap(), REFERENCE);
        run.check_labels(outputs.labels("labels").unwrap().data());
    }
}

/// Torchvision's own answer, by fully connected layers over one window of 224x224.
#[test]
fn the_convolutional_classifier_gives_the_fully_connected_one_s_scores() {
    let run = run("vgg16-1x257x300");
    let (image, weights) = (run.image(), run.weights());
    let corner = (0..224).flat_map(|y| image.data()[3 * 300 * y..][..3 * 224].to_vec()).collect();
    let corner = RgbImage::new([224, 224], corner).unwrap();
    let graph = Vgg16::from_weights(&weights).unwrap().graph_from_image([224, 224], run.preprocessing()).unwrap();
    let outputs = interpret_with(&graph, &weights, &corner, |_, _| {}).unwrap();
    run.check("scores_224", outputs.tensor("classifier.6").unwrap(), REFERENCE);
}

#[test]
fn a_device_gives_pytorch_s_maps_and_labels() {
    let Some(gpu) = adapter::gpu() else { return };
    for run in runs() {
        run.check_on(&gpu, [FILTERED, DEVICE]);
        for &variant in conv2d::Variant::ALL.iter().filter(|&&variant| variant != conv2d::Variant::Cooperative) {
            // Asked for by name, F(4x4, 4x4) computes every layer, the scores' own of 1x1 among them, and tiles of 8x8
            // cells all others, the long sums of fc6's 7x7 among them.
            let leeway = match variant {
                conv2d::Variant::WinogradF4 => [FILTERED, DEVICE],
                conv2d::Variant::WinogradPieces | conv2d::Variant::WinogradEight => [FILTERED, FILTERED],
                _ => [DEVICE, DEVICE],
            };
            run.check_on(&gpu.with_variant(variant), leeway);
        }
    }
}

/// From the picture's bytes to labels, with no more than every WebGPU device has.
#[test]
fn a_device_of_default_limits_labels_an_image() {
    let Some(gpu) = adapter::open(Gpu::builder().rails(true).limits(LimitsChoice::WebGpu)) else { return };
    for name in ["fcn32s-1x33x47", "fcn16s-1x61x29", "fcn8s-1x1x1", "fcn8s-atonce-1x61x29"] {
        let run = run(name);
        let (weights, image) = (run.weights(), run.image());
        let fcn = Fcn::from_weights(run.head().unwrap(), &weights).unwrap();
        let mut session = gpu.compile(&fcn.labels_from_image(image.extent()).unwrap(), &weights).unwrap();
        run.check_labels(session.run(&image).unwrap().labels("labels").unwrap().data());
    }
}

/// Every node against the reference's answer to the device's own operands, where the bound is derived and not measured:
/// it is that of plain sums, so minimal filtering is left out.
#[test]
fn every_node_keeps_its_bound() {
    let Some(gpu) = adapter::gpu() else { return };
    let gpu = gpu.with_variant(conv2d::Variant::Tiled);
    for name in ["fcn32s-1x33x47", "fcn16s-1x61x29", "fcn8s-2x17x23", "fcn8s-atonce-1x61x29", "vgg16-1x257x300"] {
        let run = run(name);
        let (weights, input, graph) = (run.weights(), run.input(), run.graph());
        let names: Vec<&str> = graph.nodes().iter().map(|node| node.name()).filter(|&name| name != "data").collect();
        let graph = graph.with_outputs(&names).unwrap();
        let outputs = gpu.compile(&graph, &weights).unwrap().run(&input).unwrap();
        let checks = check_nodes(&graph, &weights, &input, &outputs).unwrap();
        assert_eq!(checks.len(), names.len());
        for check in checks {
            assert_eq!(check.mismatch, None, "{name}: {}", check.node);
        }
    }
}

/// Faults that a comparison has to see.
#[test]
fn strayed_maps_are_refused() {
    let run = run("fcn8s-1x61x29");
    let right = run.file().floats("scores");
    assert_eq!(run.strays("scores", &right, DEVICE).unwrap(), 0.0);
    let shape = right.shape();
    let shifted = |[n, c, y, x]: [usize; 4]| right.get([n, c, y, (x + 1).min(shape.w - 1)]).unwrap();
    assert!(run.strays("scores", &Tensor::from_fn(shape, shifted).unwrap(), DEVICE).is_err());
    let error = run.about["scores"].f32_error as f32;
    for fault in [f32::NAN, f32::INFINITY, 1.1 * DEVICE as f32 * error] {
        let mut wrong = right.clone();
        *wrong.data_mut().last_mut().unwrap() += fault;
        assert!(run.strays("scores", &wrong, DEVICE).is_err(), "{fault}");
    }
    let transposed = right.clone().reshape([shape.n, shape.c, shape.w, shape.h]).unwrap();
    assert!(run.strays("scores", &transposed, DEVICE).is_err());
}

/// Networks that are nearly the right one.
#[test]
fn a_wrong_network_strays() {
    let run = run("fcn8s-atonce-1x61x29");
    let (weights, input) = (run.weights(), run.input());
    let scores = |head: Head| {
        let graph = Fcn::from_weights(head, &weights).unwrap().graph(input.shape()).unwrap();
        interpret_with(&graph, &weights, &input, |_, _| {}).unwrap().tensor("score").unwrap().clone()
    };
    assert!(run.strays("scores", &scores(Head::Stride8AtOnce), REFERENCE).is_ok());
    assert!(run.strays("scores", &scores(Head::Stride8), DEVICE).is_err(), "the factors of 0.01 and 0.0001 matter");
}

/// The demo's smallest scene: at least 99.9 % of its labels are PyTorch's.
#[cfg(feature = "image")]
#[test]
fn the_demo_s_network_labels_as_pytorch_does() {
    use switchback::image;
    let digits = project("examples/digits");
    let weights = Weights::open(digits.join("fcn8s-digits.safetensors")).unwrap();
    let scene = image::load(digits.join("scene-5.png")).unwrap();
    let expected = image::read_labels(digits.join("scene-5.pytorch.png")).unwrap();
    let graph = Fcn::from_weights(Head::Stride8, &weights).unwrap().labels_from_image(scene.extent()).unwrap();
    let outputs = interpret_with(&graph, &weights, &scene, |_, _| {}).unwrap();
    let found = outputs.labels("labels").unwrap();
    let differ = found.data().iter().zip(expected.data()).filter(|(found, expected)| found != expected).count();
    println!("{differ} of {} labels differ", expected.data().len());
    assert!(differ * 1000 <= expected.data().len(), "{differ} of {}", expected.data().len());
}
