//! Slim SegNet, SegNet-Basic, DeconvNet, FCN-AlexNet and U-Net against PyTorch's maps, computed in f64, with their batch
//! norms in every form (data and provenance: `tests/golden/decoders`).
//!
//! Pictures were redrawn until no pooling window's winner was within what f32 strays there, so that switches have to be
//! equal whatever the rounding. `networks.rs` says why the leeways are what they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use switchback::graph::{Node, ValueType, interpret, interpret_with};
use switchback::net::{DeconvNet, FcnAlexNet, SegNet, SegNetBasic, Segmentation};
use switchback::weights::Weights;
use switchback::{Graph, Switches, Tensor, Value};

use crate::common::adapter;
use crate::common::project::project;
use crate::file::File;
use crate::maps::{About, Preprocessing, strays};

/// The U-Net of the examples.
#[allow(dead_code, reason = "it has a main of its own")]
#[path = "../../examples/unet.rs"]
mod unet;

/// Times `f32_error` by which the reference may stray: it rounds once a node.
const REFERENCE: f64 = 2.0;
/// Times `f32_error` by which a device may stray, minimal filtering included.
const DEVICE: f64 = 16.0;

#[derive(Deserialize)]
struct Run {
    name: String,
    family: String,
    weights: String,
    folded: Option<String>,
    maps: String,
    normalize: Preprocessing,
    about: BTreeMap<String, About>,
}

fn folder() -> PathBuf {
    project("tests/golden/decoders")
}

fn runs() -> Vec<Run> {
    let index: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(folder().join("decoders.json")).unwrap()).unwrap();
    let runs = index.into_iter().filter(|run| run["family"] != "view");
    let runs: Vec<Run> = runs.map(|run| serde_json::from_value(run).unwrap()).collect();
    assert_eq!(runs.len(), 11);
    runs
}

/// The network that weights are for, at a shape of its input.
fn graph(family: &str, weights: &Weights, input: &Tensor) -> switchback::Result<Graph> {
    let network: Box<dyn Segmentation> = match family {
        "segnet" => Box::new(SegNet::from_weights(weights)?),
        "segnet-basic" => Box::new(SegNetBasic::from_weights(weights)?),
        "deconvnet" => Box::new(DeconvNet::from_weights(weights)?),
        "fcn-alexnet" => Box::new(FcnAlexNet::from_weights(weights)?),
        "unet" => return unet::unet(weights, input.shape()),
        other => panic!("{other}"),
    };
    network.graph(input.shape())
}

impl Run {
    fn file(&self) -> File {
        File::open(folder().join(&self.maps))
    }

    /// The weights in every form: batch norms as statistics, as factor and shift, and as part of the convolutions.
    fn forms(&self) -> Vec<(&'static str, Weights)> {
        let open = |name: &String| Weights::open(folder().join(name)).unwrap();
        let mut forms = vec![("as published", open(&self.weights))];
        // U-Net's convolutions have no bias, which what is absorbed would need.
        if let (Some(folded), false) = (&self.folded, self.family == "unet") {
            let folded = open(folded);
            forms.push(("absorbed", absorbed(&self.family, &folded)));
            forms.push(("folded", folded));
        }
        forms
    }

    #[track_caller]
    fn check(&self, map: &str, found: &Tensor, leeway: f64, how: &str) {
        match strays(&self.file().floats(map), found, self.about[map].f32_error, leeway) {
            Ok(worst) => println!("{} {map} {how}: {worst:.2} times f32's own error", self.name),
            Err(fault) => panic!("{} {map} {how}: {fault}", self.name),
        }
    }

    fn check_labels(&self, scores: &Tensor) {
        let labels = switchback::reference::argmax_channels(scores).unwrap();
        // DeconvNet's scores are too close at some pixels for their labels to be certain.
        if self.family != "deconvnet" {
            assert!(labels.data() == self.file().bytes("labels").1, "{}: labels differ", self.name);
        }
    }

    /// The recorded switches of a pooling.
    fn check_switches(&self, pool: &str, found: &Switches) {
        let mask = format!("{pool}_mask");
        // DeconvNet's first two are large, and left out.
        let recorded = self.family != "deconvnet" || !["pool1", "pool2"].contains(&pool);
        assert!(!recorded || self.file().switches(&mask) == found.indices(), "{}: {mask} differs", self.name);
    }
}

/// The weights with every batch norm as part of the convolution before it, and without the batch norms: as `BN-absorber.py`
/// of SegNet-Tutorial makes them.
fn absorbed(family: &str, folded: &Weights) -> Weights {
    let input = Tensor::zeros([1, 3, 224, 224]).unwrap();
    let mut weights = graph(family, folded, &input).unwrap().fold().weights(folded).unwrap();
    for name in folded.names().filter(|name| name.ends_with(".scale") || name.ends_with(".shift")) {
        assert!(weights.remove(name));
    }
    weights
}

/// What a run left behind, by the names of Caffe's blobs: batch norms and ReLUs there work in place, so that a blob goes
/// by its convolution's name and holds what they make of it.
struct Blobs {
    /// The blob that each node writes.
    of: BTreeMap<String, String>,
    maps: BTreeMap<String, Tensor>,
    switches: BTreeMap<String, Switches>,
}

impl Blobs {
    fn observe(&mut self, graph: &Graph, node: &Node, values: &[Value]) {
        let in_place = matches!(node.operation().name(), "batch_norm" | "scale" | "relu");
        let operand = graph.operands(node).swap_remove(0).0;
        let blob = if in_place { self.of[&operand].clone() } else { node.name().to_owned() };
        self.of.insert(node.name().to_owned(), blob.clone());
        match values {
            [Value::Tensor(map)] => self.maps.insert(blob, map.clone()),
            [Value::Tensor(map), Value::Switches(switches)] => {
                self.switches.insert(blob.clone(), switches.clone());
                self.maps.insert(blob, map.clone())
            }
            _ => panic!("{}", node.name()),
        };
    }
}

/// The blob that a recorded map is of.
fn blob_of(family: &str, map: &str) -> String {
    match (family, map) {
        ("segnet", "scores") => "conv1_1_D".to_owned(),
        ("segnet-basic", "scores") => "conv_classifier".to_owned(),
        ("deconvnet", "scores") => "seg-score-voc".to_owned(),
        ("fcn-alexnet", "scores") => "score".to_owned(),
        ("unet", "scores") => "outc.conv".to_owned(),
        ("segnet", map) if map.starts_with("pool") && map.ends_with("_D") => {
            map.replace("pool", "upsample").trim_end_matches("_D").to_owned()
        }
        _ => map.to_owned(),
    }
}

#[test]
fn the_reference_gives_pytorch_s_maps_switches_and_labels() {
    for run in runs() {
        let input = run.normalize.input(&run.file());
        for (form, weights) in run.forms() {
            let graph = graph(&run.family, &weights, &input).unwrap();
            let mut blobs = Blobs { of: BTreeMap::new(), maps: BTreeMap::new(), switches: BTreeMap::new() };
            interpret_with(&graph, &weights, &input, |node, values| blobs.observe(&graph, node, values)).unwrap();
            for map in run.about.keys() {
                run.check(map, &blobs.maps[&blob_of(&run.family, map)], REFERENCE, form);
            }
            for (pool, switches) in &blobs.switches {
                run.check_switches(pool, switches);
            }
            run.check_labels(&blobs.maps[&blob_of(&run.family, "scores")]);
        }
    }
}

#[test]
fn a_device_gives_pytorch_s_scores_and_labels() {
    let Some(gpu) = adapter::gpu() else { return };
    for run in runs() {
        let input = run.normalize.input(&run.file());
        for (form, weights) in run.forms() {
            let graph = graph(&run.family, &weights, &input).unwrap();
            let mut session = gpu.compile(&graph, &weights).unwrap();
            let folded = session.plan().nodes().iter().all(|node| !matches!(node.operator(), "batch_norm" | "scale"));
            assert!(folded, "{}\n{}", run.name, session.plan());
            let outputs = session.run(&input).unwrap();
            let [(_, Value::Tensor(scores))] = &outputs.into_values()[..] else { panic!("{}", run.name) };
            run.check("scores", scores, DEVICE, form);
            run.check_labels(scores);
        }
    }
}

/// Every node of the unfolded network, from what the device itself computed before it.
#[test]
fn a_device_computes_every_node_as_the_reference_does() {
    let Some(gpu) = adapter::gpu() else { return };
    for run in runs() {
        let input = run.normalize.input(&run.file());
        let (_, weights) = &run.forms()[0];
        let graph = graph(&run.family, weights, &input).unwrap().with_every_output();
        let mut session = gpu.compile(&graph, weights).unwrap();
        let outputs = session.run(&input).unwrap();
        let checks = session.check_nodes(weights, &input, &outputs).unwrap();
        assert_eq!(checks.len(), session.plan().nodes().len(), "{}", run.name);
        for check in checks {
            assert!(check.mismatch.is_none(), "{} `{}`: {}", run.name, check.node, check.mismatch.unwrap_or_default());
        }
    }
}

#[derive(Deserialize)]
struct Table {
    rows: Vec<(String, String, usize, usize, usize, u64, u64)>,
}

/// Every layer of the full-size networks: extents, parameters and multiply-adds as PyTorch counts them, and their sums as
/// published. A batch norm's own multiply-adds are not counted there, and disappear in the convolutions here.
#[test]
fn full_size_layers_are_the_published_ones() {
    let tables: BTreeMap<String, Table> =
        serde_json::from_slice(&fs::read(folder().join("full_size.json")).unwrap()).unwrap();
    assert_eq!(tables.len(), 3);
    for (name, Table { rows }) in tables {
        let (network, parameters, macs): (Box<dyn Segmentation>, u64, u64) = match name.as_str() {
            "segnet 360x480" => (Box::new(SegNet::published(11)), 29_449_355, 106_712_432_640),
            "segnet-basic 360x480" => (Box::new(SegNetBasic::published(11)), 1_416_587, 59_188_838_400),
            "deconvnet 224x224" => (Box::new(DeconvNet::published(21)), 251_805_653, 32_745_979_904),
            other => panic!("{other}"),
        };
        let extent = if name.starts_with("deconvnet") { [224, 224] } else { [360, 480] };
        let graph = network.graph([1, 3, extent[0], extent[1]].into()).unwrap();
        let nodes: Vec<&Node> = graph.nodes().iter().filter(|node| node.operation().name() != "input").collect();
        assert_eq!(nodes.len(), rows.len(), "{name}");
        for (node, (layer, kind, channels, height, width, parameters, macs)) in nodes.iter().zip(rows) {
            let expected = ValueType::Tensor([1, channels, height, width].into());
            assert_eq!((node.name(), node.outputs()[0]), (layer.as_str(), expected), "{name}");
            assert_eq!(node.cost().parameters, parameters, "{name} {layer}");
            if matches!(kind.as_str(), "conv" | "deconv") {
                assert_eq!(node.cost().macs, macs, "{name} {layer}");
            }
        }
        assert_eq!(graph.cost().parameters, parameters, "{name}");
        assert_eq!(graph.fold().graph().cost().macs, macs, "{name}");
        let required: usize = network.weights_required().iter().map(|(_, shape)| shape.elements()).sum();
        assert_eq!(required as u64, parameters, "{name}");
    }
}

/// Faults that a comparison has to see: poolings that round down, another epsilon, the other channel order.
#[test]
fn nearly_right_networks_stray() {
    let run = runs().into_iter().find(|run| run.name == "segnet-1x45x59").unwrap();
    let (input, weights) = (run.normalize.input(&run.file()), Weights::open(folder().join(&run.weights)).unwrap());
    let scores = |network: SegNet, input: &Tensor| {
        let graph = network.graph(input.shape()).unwrap();
        interpret(&graph, &weights, input).unwrap().tensor("conv1_1_D").unwrap().clone()
    };
    let wrong = |found: &Tensor| strays(&run.file().floats("scores"), found, run.about["scores"].f32_error, DEVICE);
    let network = SegNet::from_weights(&weights).unwrap();
    assert!(wrong(&scores(network.clone(), &input)).is_ok());
    assert!(wrong(&scores(network.clone().epsilon(1e-9), &input)).is_err());
    let [n, c, h, w] = input.shape().dims();
    let rgb = Tensor::from_fn([n, c, h, w], |[n, c, y, x]| input.get([n, 2 - c, y, x]).unwrap()).unwrap();
    assert!(wrong(&scores(network, &rgb)).is_err());
}
