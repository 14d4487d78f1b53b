//! Every network from the command line, from weights in every kind of file, against PyTorch's labels of the goldens.

use std::path::{Path, PathBuf};

use safetensors::{SafeTensors, tensor::Dtype};
use switchback::RgbImage;
use switchback::image::{read_labels, read_npy, write_rgb};

use crate::common::adapter;
use crate::common::project::project;
use crate::{Ran, files, switchback};

fn golden(file: &str) -> PathBuf {
    project("tests/golden").join(file)
}

/// Times `f32_error` by which scores may stray, as in `tests/golden`.
const LEEWAY: f32 = 16.0;

/// The picture of a golden run, its labels and its scores.
struct Run {
    extent: [usize; 2],
    image: Vec<u8>,
    labels: Option<Vec<u8>>,
    scores: Vec<f32>,
    /// How far PyTorch's own f32 pass strayed, up to a power of two.
    f32_error: f32,
}

impl Run {
    /// The run of this name in the index of a folder.
    fn open(folder: &str, name: &str) -> Self {
        let index = std::fs::read(golden(&format!("{folder}/{folder}.json"))).unwrap();
        let index: Vec<serde_json::Value> = serde_json::from_slice(&index).unwrap();
        let about = index.iter().find(|run| run["name"] == name).unwrap();
        let f32_error = about["about"]["scores"]["f32_error"].as_f64().unwrap() as f32;
        let file = format!("{folder}/{name}.safetensors");
        let bytes = std::fs::read(golden(&file)).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let image = tensors.tensor("image").unwrap();
        let [1, rows, columns, 3] = *image.shape() else { panic!("{:?}", image.shape()) };
        let scores = tensors.tensor("scores").unwrap();
        assert_eq!(scores.dtype(), Dtype::F32);
        Self {
            extent: [rows, columns],
            image: image.data().to_vec(),
            f32_error,
            labels: tensors.tensor("labels").ok().map(|labels| labels.data().to_vec()),
            scores: scores.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        }
    }
}

/// `segment IMAGE --model MODEL --weights WEIGHTS --out OUT --scores` by an adapter.
fn segment(image: &Path, model: &str, weights: &Path, out: &Path, adapter: &str) -> Ran {
    let [image, weights, out] = [image, weights, out].map(|path| path.to_str().unwrap());
    switchback(&[
        "segment",
        image,
        "--model",
        model,
        "--weights",
        weights,
        "--out",
        out,
        "--scores",
        "--adapter",
        adapter,
    ])
}

/// Labels and scores of the picture have to be PyTorch's, on the reference and on a device.
#[track_caller]
fn check(model: &str, weights: &Path, [of, name]: [&str; 2]) {
    let (run, folder) = (Run::open(of, name), tempfile::tempdir().unwrap());
    let (image, out) = (folder.path().join("picture.png"), folder.path().join("out"));
    write_rgb(&image, &RgbImage::new(run.extent, run.image.clone()).unwrap()).unwrap();
    let gpu = adapter::gpu().map(|gpu| gpu.info().name.clone());
    for adapter in ["cpu"].into_iter().chain(gpu.as_deref()) {
        segment(&image, model, weights, &out, adapter).results();
        let labels = read_labels(out.join("picture.labels.png")).unwrap();
        let how = format!("{model} from {} on {adapter}", weights.display());
        // DeconvNet's scores are too close at some pixels for their labels to be certain.
        if let Some(expected) = run.labels.as_ref().filter(|_| model != "deconvnet") {
            assert!(labels.data() == expected, "{how}: labels differ");
        }
        let scores = read_npy(out.join("picture.scores.npy")).unwrap();
        for (found, expected) in scores.data().iter().zip(&run.scores) {
            assert!((found - expected).abs() <= LEEWAY * run.f32_error, "{how}: {found} for {expected}");
        }
        assert_eq!(scores.data().len(), run.scores.len(), "{how}");
    }
}

#[test]
fn safetensors_of_every_network_label_as_pytorch_does() {
    for (model, weights, maps) in [
        ("fcn32s", "networks/fcn32s.safetensors", ["networks", "fcn32s-1x33x47"]),
        ("fcn16s", "networks/fcn16s.safetensors", ["networks", "fcn16s-1x61x29"]),
        ("fcn8s-atonce", "networks/fcn8s-atonce.safetensors", ["networks", "fcn8s-atonce-1x61x29"]),
        ("fcn-alexnet", "decoders/fcn-alexnet.safetensors", ["decoders", "fcn-alexnet-1x33x47"]),
        ("segnet", "decoders/segnet.safetensors", ["decoders", "segnet-1x45x59"]),
        ("segnet", "decoders/segnet-folded.safetensors", ["decoders", "segnet-1x45x59"]),
        ("segnet-basic", "decoders/segnet-basic.safetensors", ["decoders", "segnet-basic-1x45x59"]),
        ("deconvnet", "decoders/deconvnet.safetensors", ["decoders", "deconvnet-1x224x224"]),
    ] {
        check(model, &golden(weights), maps);
    }
}

#[test]
fn files_of_caffe_and_pytorch_do_as_they_are_and_converted() {
    let folder = tempfile::tempdir().unwrap();
    for (model, weights, maps) in [
        ("fcn8s", "foreign/fcn8s-old.caffemodel", ["networks", "fcn8s-1x33x47"]),
        ("segnet", "foreign/segnet-new.caffemodel", ["decoders", "segnet-1x45x59"]),
        ("deconvnet", "foreign/deconvnet-old.caffemodel", ["decoders", "deconvnet-1x224x224"]),
        ("segnet-basic", "foreign/segnet-basic-checkpoint.pth", ["decoders", "segnet-basic-1x45x59"]),
    ] {
        check(model, &golden(weights), maps);
        let converted = folder.path().join(format!("{model}.safetensors"));
        let table = switchback(&["convert", golden(weights).to_str().unwrap(), converted.to_str().unwrap()]).results();
        assert!(table.contains("conv1") && table.contains("tensors, "), "{table}");
        check(model, &converted, maps);
    }
}

#[test]
fn every_network_can_be_planned_as_published() {
    // Multiply-adds are the network's own, and one for each of the image's bytes.
    for (model, macs, parameters) in [
        ("segnet", "106,712,951,040 MACs", "29,433,483 parameters"),
        ("segnet-basic", "59,189,356,800 MACs", "1,415,563 parameters"),
        ("deconvnet", "32,746,130,432 MACs", "251,772,245 parameters"),
        ("vgg16", "15,470,414,848 MACs", "138,357,544 parameters"),
        ("fcn-alexnet", "MACs", "parameters"),
    ] {
        let results = switchback(&["plan", "--model", model, "--webgpu"]).results();
        for expected in [macs, parameters, "peak"] {
            assert!(results.contains(expected), "{model}: {expected} is not in {results}");
        }
    }
}

#[test]
fn weights_of_another_network_are_counted_and_placed() {
    let folder = tempfile::tempdir().unwrap();
    let (image, out) = (folder.path().join("picture.png"), folder.path().join("out"));
    write_rgb(&image, &RgbImage::new([9, 9], vec![0; 243]).unwrap()).unwrap();
    let weights = golden("decoders/segnet.safetensors");
    let message = segment(&image, "fcn8s", &weights, &out, "cpu").message();
    for expected in [
        "they do not fit FCN-8s: 26 of its 39 tensors match, 13 are missing or misshapen, 126 are left over",
        "`fc6.weight` is missing, expected 4096x10x7x7",
        "`conv1_1_D.weight` (5x4x3x3) has no place in it",
        "They fit `--model segnet`",
    ] {
        assert!(message.contains(expected), "{expected} is not in {message}");
    }
    let fcn8s = golden("networks/fcn8s.safetensors");
    let message = segment(&image, "segnet-basic", &fcn8s, &out, "cpu").message();
    assert!(message.contains("They fit `--model fcn8s` and `--model fcn8s-atonce`"), "{message}");
    assert!(files(&out).is_empty());
}
