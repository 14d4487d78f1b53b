//! Deconvnet views of VGG16 and SegNet against PyTorch: the kept activation, the signal at every pooling, the pixels.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use switchback::graph::{Inputs, interpret};
use switchback::net::{Activation, DeconvView, SegNet, Segmentation, Vgg16};
use switchback::weights::{Weights, vgg};
use switchback::{Graph, Tensor};

use crate::common::adapter;
use crate::common::project::project;
use crate::file::File;
use crate::maps::{About, Preprocessing, strays};

/// Times `f32_error` by which the reference may stray.
const REFERENCE: f64 = 2.0;
/// Times `f32_error` by which a device may stray, minimal filtering included.
const DEVICE: f64 = 16.0;

#[derive(Deserialize)]
struct View {
    name: String,
    network: String,
    weights: String,
    maps: String,
    prefix: String,
    normalize: Preprocessing,
    filter: String,
    unit: usize,
    position: [usize; 2],
    about: BTreeMap<String, About>,
}

fn folder() -> PathBuf {
    project("tests/golden/decoders")
}

fn views() -> Vec<View> {
    let index: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(folder().join("decoders.json")).unwrap()).unwrap();
    let views = index.into_iter().filter(|run| run["family"] == "view");
    let views: Vec<View> = views.map(|view| serde_json::from_value(view).unwrap()).collect();
    assert_eq!(views.len(), 5);
    views
}

impl View {
    fn file(&self) -> File {
        File::open(folder().join(&self.maps))
    }

    /// The node that is the layer: torchvision's name of VGG16's.
    fn node(&self) -> &str {
        self.filter.trim_end_matches(".weight")
    }

    fn build(&self, input: &Tensor) -> (Graph, Weights) {
        let weights = Weights::open(folder().join(&self.weights)).unwrap();
        if self.network == "vgg16" {
            // Its classifier wants a larger picture, and has no part in the views.
            let weights = vgg::fully_convolutional(&weights).unwrap();
            let graph = Vgg16::from_weights(&weights).unwrap().features(input.shape()).unwrap();
            return (graph, weights);
        }
        (SegNet::from_weights(&weights).unwrap().graph(input.shape()).unwrap(), weights)
    }

    #[track_caller]
    fn check(&self, map: &str, found: &Tensor, leeway: f64) {
        let expected = self.file().floats(&format!("{}{map}", self.prefix));
        match strays(&expected, found, self.about[map].f32_error, leeway) {
            Ok(worst) => println!("{} {map}: {worst:.2} times f32's own error", self.name),
            Err(fault) => panic!("{} {map}: {fault}", self.name),
        }
    }

    /// The node whose signal reaches a pooling from above: what undid the first convolution after it.
    fn above(&self, pool: usize) -> String {
        match self.network.as_str() {
            "vgg16" => format!("back/features.{}", [5, 10, 17, 24][pool - 1]),
            _ => format!("back/conv{}_1", pool + 1),
        }
    }
}

/// A view of each layer by `run`, which gives the values of nodes.
fn check(leeway: f64, mut run: impl FnMut(&DeconvView, &[String], Inputs) -> Vec<Tensor>) {
    for view in views() {
        let input = view.normalize.input(&view.file());
        let (graph, weights) = view.build(&input);
        let deconv = DeconvView::new(&graph, &weights, view.node()).unwrap();
        let inputs = |keep| Inputs::new().with("data", &input).with("keep", keep);

        let nothing = deconv.nothing().unwrap();
        let [activations, pixels] = &run(&deconv, &[view.node().to_owned(), "pixels".to_owned()], inputs(&nothing))[..]
        else {
            panic!()
        };
        assert!(pixels.data().iter().all(|&pixel| pixel == 0.0), "nothing kept is nothing seen");
        let Activation { unit, row, column, value } = deconv.strongest_of(activations, view.unit).unwrap();
        assert_eq!((unit, [row, column]), (view.unit, view.position), "{}", view.name);

        let keep = deconv.keep(Activation { unit, row, column, value }).unwrap();
        let maps: Vec<&str> = view.about.keys().map(String::as_str).collect();
        let nodes = maps.iter().map(|map| match *map {
            "kept" | "pixels" => (*map).to_owned(),
            pool => view.above(pool.trim_start_matches("at_pool").parse().unwrap()),
        });
        let found = run(&deconv, &nodes.collect::<Vec<_>>(), inputs(&keep));
        for (map, found) in maps.iter().zip(&found) {
            view.check(map, found, leeway);
        }
    }
}

#[test]
fn the_reference_sees_what_pytorch_sees() {
    check(REFERENCE, |view, nodes, inputs| {
        let graph = view.graph().with_outputs(nodes).unwrap();
        let outputs = interpret(&graph, view.weights(), inputs).unwrap();
        nodes.iter().map(|node| outputs.tensor(node).unwrap().clone()).collect()
    });
}

#[test]
fn a_device_sees_what_pytorch_sees() {
    let Some(gpu) = adapter::gpu() else { return };
    check(DEVICE, |view, nodes, inputs| {
        let graph = view.graph().with_outputs(nodes).unwrap();
        let outputs = gpu.compile(&graph, view.weights()).unwrap().run(inputs).unwrap();
        nodes.iter().map(|node| outputs.tensor(node).unwrap().clone()).collect()
    });
}
