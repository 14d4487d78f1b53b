//! The demo: the digits' label maps agree with PyTorch's, and the metrics are those that PyTorch's maps give.

use std::path::Path;

use switchback::image::{Confusion, load, read_labels, read_npy};

use crate::common::adapter;
use crate::{digits, files, switchback};

/// Pixels of two label maps that agree, in 0 to 1.
fn agreement(a: &Path, b: &Path) -> f64 {
    let [a, b] = [a, b].map(|path| read_labels(path).unwrap());
    assert_eq!(a.extent(), b.extent());
    a.data().iter().zip(b.data()).filter(|(a, b)| a == b).count() as f64 / a.data().len() as f64
}

/// Segments scenes into `out`; gives what it printed.
fn segment(scenes: &[u8], out: &Path, more: &[&str]) -> String {
    let images: Vec<String> =
        scenes.iter().map(|n| digits(&format!("scene-{n}.png")).to_str().unwrap().to_owned()).collect();
    let [weights, truth] = ["fcn8s-digits.safetensors", ""].map(|file| digits(file).to_str().unwrap().to_owned());
    let arguments = ["--weights", &weights, "--truth", &truth, "--out", out.to_str().unwrap()];
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    switchback(&[&["segment"], images.as_slice(), &arguments, more].concat()).results()
}

#[test]
fn labels_on_the_device_agree_with_pytorch() {
    let Some(gpu) = adapter::gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let scenes = [1, 2, 3, 4, 5];
    let results = segment(&scenes, folder.path(), &["--overlay", "--adapter", &gpu.info().name]);
    for n in scenes {
        let found = folder.path().join(format!("scene-{n}.labels.png"));
        let agreement = agreement(&found, &digits(&format!("scene-{n}.pytorch.png")));
        assert!(agreement >= 0.999, "scene-{n}: {agreement} of the pixels agree");
        let overlay = load(folder.path().join(format!("scene-{n}.overlay.png"))).unwrap();
        assert_eq!(overlay.extent(), load(digits(&format!("scene-{n}.png"))).unwrap().extent());
    }
    assert!(results.contains("pixel accuracy 0.9"), "{results}");
    assert_eq!(files(folder.path()).len(), 2 * scenes.len());
}

#[test]
fn labels_by_the_reference_agree_with_pytorch() {
    let folder = tempfile::tempdir().unwrap();
    let classes = digits("classes.txt");
    let more = ["--adapter", "cpu", "--scores", "--classes", classes.to_str().unwrap()];
    let results = segment(&[5], folder.path(), &more);
    let found = folder.path().join("scene-5.labels.png");
    let agreement = agreement(&found, &digits("scene-5.pytorch.png"));
    assert!(agreement >= 0.999, "{agreement} of the pixels agree");
    // The digits' README gives PyTorch's figure for this scene, and its two digits.
    assert!(results.contains("pixel accuracy 0.9025") && results.contains("found: 0 6"), "{results}");
    let scores = read_npy(folder.path().join("scene-5.scores.npy")).unwrap();
    assert_eq!(scores.shape(), [1, 11, 97, 64].into());
    assert_eq!(switchback::reference::argmax_channels(&scores).unwrap(), read_labels(&found).unwrap());
}

#[test]
fn pytorchs_maps_give_pytorchs_metrics() {
    let mut confusion = Confusion::new(11).unwrap();
    for n in 1..=6 {
        let [truth, answer] =
            ["truth", "pytorch"].map(|kind| read_labels(digits(&format!("scene-{n}.{kind}.png"))).unwrap());
        confusion.add(&truth, &answer).unwrap();
    }
    let metrics = confusion.metrics().unwrap();
    let found = [metrics.pixel_accuracy, metrics.mean_accuracy, metrics.mean_iu, metrics.frequency_weighted_iu];
    // From the digits' README.
    for (found, expected) in found.into_iter().zip([0.9702, 0.9013, 0.6992, 0.9489]) {
        assert!((found - expected).abs() <= 0.00005, "{found} for {expected}");
    }
}
