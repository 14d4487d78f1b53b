//! `switchback convert`: precisions, and starting weights from VGG16.

use std::path::Path;

use switchback::weights::{Element, Weights};

use crate::common::project::project;
use crate::{digits, files, switchback};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn f16_to_f32_and_back_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (original, wide, narrow) = (
        digits("fcn8s-digits.safetensors"),
        folder.path().join("wide.safetensors"),
        folder.path().join("narrow.safetensors"),
    );
    let results = switchback(&["convert", text(&original), text(&wide)]).results();
    assert!(results.contains("1827773 parameters, F32"), "{results}");
    switchback(&["convert", text(&wide), text(&narrow), "--element", "f16"]).results();
    let [original, wide, narrow] = [original, wide, narrow].map(|path| Weights::open(path).unwrap());
    let some = original.names().next().unwrap();
    let element = |weights: &Weights| weights.get(some).unwrap().element();
    assert_eq!([&original, &wide, &narrow].map(element), [Element::F16, Element::F32, Element::F16]);
    for name in original.names() {
        assert_eq!(original.tensor(name).unwrap(), wide.tensor(name).unwrap(), "{name}");
        assert_eq!(original.tensor(name).unwrap(), narrow.tensor(name).unwrap(), "{name}");
    }
}

/// A VGG16 of torchvision's names and 2 to 5 channels, as torchvision saves it: fully connected layers are matrices.
fn small_vgg16(path: &Path) {
    let widths = [2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3];
    let positions = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
    let mut layers = Vec::new();
    let mut inputs = 3;
    for (width, position) in widths.into_iter().zip(positions) {
        layers.push((format!("features.{position}"), vec![width, inputs, 3, 3]));
        inputs = width;
    }
    for (position, outputs, inputs) in [(0, 4, 3 * 49), (3, 4, 4), (6, 5, 4)] {
        layers.push((format!("classifier.{position}"), vec![outputs, inputs]));
    }
    // A safetensors file by hand: the length of the header, the header, the values.
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (layer, shape) in layers {
        for (name, shape) in [("weight", shape.clone()), ("bias", vec![shape[0]])] {
            let begin = data.len();
            let values = (0..shape.iter().product::<usize>()).map(|i| 0.25 - (i * 7 % 11) as f32 / 20.0);
            data.extend(values.flat_map(f32::to_le_bytes));
            let entry = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()]});
            header.insert(format!("{layer}.{name}"), entry);
        }
    }
    let header = serde_json::to_vec(&header).unwrap();
    std::fs::write(path, [&(header.len() as u64).to_le_bytes(), header.as_slice(), &data].concat()).unwrap();
}

#[test]
fn starting_weights_from_vgg16_segment_everything_as_background() {
    let folder = tempfile::tempdir().unwrap();
    let (vgg, fcn) = (folder.path().join("vgg16.safetensors"), folder.path().join("fcn.safetensors"));
    small_vgg16(&vgg);
    for model in ["fcn32s", "fcn16s", "fcn8s", "fcn8s-atonce"] {
        switchback(&["convert", text(&vgg), text(&fcn), "--to", model, "--classes", "7"]).results();
        let scene = digits("scene-5.png");
        let arguments = ["--model", model, "--adapter", "cpu", "--out", text(folder.path())];
        let results =
            switchback(&[&["segment", text(&scene), "--weights", text(&fcn)], &arguments[..]].concat()).results();
        // The score layers are zero, and of equal scores the first class wins.
        assert!(results.contains("7 classes") && results.contains("background only"), "{model}: {results}");
    }
}

fn foreign(name: &str) -> std::path::PathBuf {
    project("tests/golden/foreign").join(name)
}

#[test]
fn other_tools_weights_become_safetensors() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.safetensors");
    let results = switchback(&["convert", text(&foreign("segnet-old.caffemodel")), text(&out)]).results();
    let rows: Vec<Vec<&str>> = results.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.contains(&vec!["conv1_1.weight", "F32", "4x3x3x3"]), "{results}");
    assert!(rows.contains(&vec!["conv1_1_bn.scale", "F32", "4"]), "{results}");
    let converted = Weights::open(&out).unwrap();
    assert_eq!(
        switchback::net::SegNet::from_weights(&converted).map(|_| ()).map_err(|error| error.to_string()),
        Ok(())
    );

    let checkpoint = foreign("unet-checkpoint-numpy.pth.tar");
    let results = switchback(&["convert", text(&checkpoint), text(&out), "--element", "f16"]).results();
    assert!(results.contains("F32 as F16  6x4x3x3"), "{results}");
    assert!(results.contains("left out: whole numbers, not weights"), "{results}");
    assert!(results.contains("out.safetensors: 56 tensors"), "{results}");

    let hostile = foreign("hostile/call-system.pth");
    let message = switchback(&["convert", text(&hostile), text(&folder.path().join("evil"))]).message();
    assert!(message.contains("`posix.system`"), "{message}");
    assert_eq!(files(folder.path()), ["out.safetensors"]);
}

#[test]
fn what_cannot_be_converted_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (vgg, out) = (folder.path().join("vgg16.safetensors"), folder.path().join("out.safetensors"));
    small_vgg16(&vgg);
    let digits = digits("fcn8s-digits.safetensors");
    let message = switchback(&["convert", text(&digits), text(&out), "--to", "fcn8s"]).message();
    assert!(message.contains("fcn8s-digits.safetensors") && message.contains("features.28"), "{message}");
    let message = switchback(&["convert", "no/such.safetensors", text(&out)]).message();
    assert!(message.contains("no/such.safetensors"), "{message}");
    let message = switchback(&["convert", text(&vgg), text(&folder.path().join("no/such/folder/out"))]).message();
    assert!(message.contains("no/such/folder/out"), "{message}");
    assert_eq!(files(folder.path()), ["vgg16.safetensors"]);
}
