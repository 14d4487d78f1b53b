//! `switchback segment`: folders, palettes, and DeconvNet by object proposals.

use std::path::{Path, PathBuf};

use switchback::RgbImage;
use switchback::image::{load, read_labels, read_npy, write_npy, write_rgb};
use switchback::net::{DeconvNet, Proposals, Region, Segmentation};
use switchback::weights::Weights;
use switchback::{Tensor, reference};

use crate::common::adapter;
use crate::common::project::project;
use crate::{Ran, files, switchback};

fn decoder(name: &str) -> PathBuf {
    project("tests/golden/decoders").join(format!("{name}.safetensors"))
}

/// A picture of colours that differ from place to place.
fn picture(path: &Path, extent: [usize; 2]) -> RgbImage {
    let bytes = (0..3 * extent[0] * extent[1]).map(|i| ((i * 37) ^ (i / 61 * 11)) as u8).collect();
    let image = RgbImage::new(extent, bytes).unwrap();
    write_rgb(path, &image).unwrap();
    image
}

fn segment(inputs: &[&Path], model: &str, out: &Path, more: &[&str]) -> Ran {
    let inputs: Vec<&str> = inputs.iter().map(|path| path.to_str().unwrap()).collect();
    let weights = decoder(model);
    let words = ["--model", model, "--weights", weights.to_str().unwrap(), "--out", out.to_str().unwrap()];
    switchback(&[&["segment"], inputs.as_slice(), &words, more].concat())
}

#[test]
fn a_folder_is_all_its_images_in_order_and_the_rest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (photos, out) = (folder.path().join("photos"), folder.path().join("out"));
    std::fs::create_dir_all(photos.join("below.png")).unwrap();
    for name in ["b.PNG", "a.png", "old.labels.png"] {
        picture(&photos.join(name), [9, 13]);
    }
    let single = folder.path().join("single.png");
    picture(&single, [13, 9]);
    std::fs::write(photos.join("notes.txt"), "no picture").unwrap();
    let ran = segment(&[&single, &photos], "segnet-basic", &out, &["--adapter", "cpu"]);
    assert!(ran.success, "{}", ran.stderr);
    let skipped =
        "skipped below.png, notes.txt, old.labels.png, expected *.png or *.jpg, and none of the results of this";
    assert!(ran.stderr.contains(skipped), "{}", ran.stderr);
    assert_eq!(files(&out), ["a.labels.png", "b.labels.png", "single.labels.png"]);
    let places = ["single.png", "a.png", "b.PNG"].map(|name| ran.stdout.find(name).unwrap());
    assert!(places.is_sorted(), "{}", ran.stdout);
}

#[test]
fn folders_without_images_and_images_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, photos, out) = (folder.path().join("empty"), folder.path().join("photos"), folder.path().join("out"));
    std::fs::create_dir_all(&empty).unwrap();
    std::fs::create_dir_all(&photos).unwrap();
    let message = segment(&[&empty], "segnet-basic", &out, &["--adapter", "cpu"]).message();
    assert!(message.contains("empty: there is no *.png or *.jpg in this folder"), "{message}");
    picture(&photos.join("a.png"), [9, 13]);
    std::fs::copy(photos.join("a.png"), photos.join("a.jpg")).unwrap();
    let message = segment(&[&photos], "segnet-basic", &out, &["--adapter", "cpu"]).message();
    assert!(message.contains("a.jpg and ") && message.contains("would both be written to"), "{message}");
    assert!(files(&out).is_empty());
}

/// Slim weights with as many classes as CamVid has.
fn camvid(folder: &Path) -> PathBuf {
    slim(folder, 11)
}

/// Slim weights with so many classes.
fn slim(folder: &Path, classes: usize) -> PathBuf {
    let network = switchback::net::SegNetBasic::published(classes).slimmed(16);
    let path = folder.join("slim.safetensors");
    let weights = Weights::random(network.weights_required(), 3).unwrap();
    weights.save(&path, switchback::weights::Element::F32).unwrap();
    path
}

#[test]
fn segnet_speaks_of_camvids_classes_in_camvids_colours() {
    let folder = tempfile::tempdir().unwrap();
    let (photo, weights) = (folder.path().join("street.png"), camvid(folder.path()));
    picture(&photo, [24, 31]);
    let [photo, weights, out] = [&photo, &weights, folder.path()].map(|path| path.to_str().unwrap());
    let base = ["segment", photo, "--model", "segnet-basic", "--weights", weights, "--out", out, "--adapter", "cpu"];
    let ran = |more: &[&str]| {
        let results = switchback(&[&base, more].concat()).results();
        let labels = read_labels(folder.path().join("street.labels.png")).unwrap();
        (results, labels, load(folder.path().join("street.labels.png")).unwrap())
    };
    let (results, labels, shown) = ran(&["--overlay"]);
    let first = usize::from(labels.data()[0]);
    let names = switchback::Dataset::CamVid.class_names(11).unwrap();
    assert!(results.contains("SegNet-Basic with 11 classes") && results.contains(names[first]), "{results}");
    assert_eq!(shown.data()[..3], switchback::Dataset::CamVid.palette().0[first]);
    // Another data set's colours; its classes are others, so they have no names.
    let (results, again, shown) = ran(&["--palette", "voc"]);
    assert_eq!(again, labels);
    assert!(results.split_once("found: ").unwrap().1.trim().split(' ').all(|n| n.parse::<u8>().is_ok()), "{results}");
    assert_eq!(shown.data()[..3], switchback::Palette::voc().0[first]);
}

#[test]
fn classes_beyond_a_palette_are_found_though_they_are_black() {
    let folder = tempfile::tempdir().unwrap();
    let (photo, weights) = (folder.path().join("a.png"), slim(folder.path(), 60));
    picture(&photo, [24, 31]);
    let [photo, weights, out] = [&photo, &weights, folder.path()].map(|path| path.to_str().unwrap());
    let words = ["--weights", weights, "--out", out, "--adapter", "cpu", "--palette", "camvid"];
    let results = switchback(&[&["segment", photo, "--model", "segnet-basic"], &words[..]].concat()).results();
    let mut found: Vec<u8> = read_labels(folder.path().join("a.labels.png")).unwrap().data().to_vec();
    found.sort_unstable();
    found.dedup();
    found.retain(|&class| class != 11); // CamVid's unlabelled
    assert!(found.iter().any(|&class| class > 11), "{found:?}");
    let said: Vec<u8> =
        results.split_once("found: ").unwrap().1.trim().split(' ').map(|n| n.parse().unwrap()).collect();
    assert_eq!(said, found);
}

#[test]
fn what_is_no_class_in_the_truth_is_void() {
    let folder = tempfile::tempdir().unwrap();
    let (photo, weights, truth) =
        (folder.path().join("a.png"), camvid(folder.path()), folder.path().join("a.truth.png"));
    picture(&photo, [24, 31]);
    let [photo, weights, out] = [&photo, &weights, folder.path()].map(|path| path.to_str().unwrap());
    let base = ["segment", photo, "--model", "segnet-basic", "--weights", weights, "--out", out, "--adapter", "cpu"];
    switchback(&base).results();
    let labels = read_labels(folder.path().join("a.labels.png")).unwrap();
    // Right, but for what CamVid's own label maps have as 11, other maps as 255, and a class that there is not.
    let mut pixels = labels.data().to_vec();
    pixels[..9].copy_from_slice(&[11, 255, 200, 11, 255, 200, 11, 255, 200]);
    let write = |pixels: &[u8]| {
        let truth_map = switchback::Labels::new(1, labels.extent(), pixels.to_vec()).unwrap();
        switchback::image::write_labels(&truth, &truth_map, &switchback::Palette::voc()).unwrap();
    };
    write(&pixels);
    let measure = || switchback(&[&base[..], &["--truth", truth.to_str().unwrap()]].concat()).results();
    assert!(measure().contains("pixel accuracy 1.0000  mean accuracy 1.0000  mean IU 1.0000"), "{}", measure());
    write(&vec![11; pixels.len()]);
    assert!(measure().contains("no metrics: every pixel of the true label maps is void"), "{}", measure());
}

/// Two boxes, one of them beyond the image, the other leaving a part of it bare.
const BOXES: &str = "# LEFT TOP WIDTH HEIGHT\n3 5 60 41\n-7,20,35,90\n";

#[test]
fn deconvnet_labels_a_larger_image_by_boxes() {
    let folder = tempfile::tempdir().unwrap();
    let (photo, boxes) = (folder.path().join("photo.png"), folder.path().join("photo.boxes.txt"));
    let image = picture(&photo, [71, 83]);
    std::fs::write(&boxes, BOXES).unwrap();
    let factor = Tensor::from_fn([1, 3, 71, 83], |[_, c, y, x]| (c + y % 3 + x % 2) as f32 - 2.0).unwrap();
    let other = folder.path().join("photo.scores.npy");
    write_npy(&other, &factor).unwrap();

    // The same through the library's parts, by the reference and by a session.
    let weights = Weights::open(decoder("deconvnet")).unwrap();
    let network = DeconvNet::from_weights(&weights).unwrap();
    let graph = network.graph([1, 3, 224, 224].into()).unwrap();
    let regions =
        [Region { left: 3, top: 5, columns: 60, rows: 41 }, Region { left: -7, top: 20, columns: 35, rows: 90 }];
    let proposals = Proposals::new(regions).times(factor);
    let mut by_reference = proposals.start(3, [71, 83]).unwrap();
    for region in proposals.regions() {
        let crop = region.crop(&image, [224, 224], &network.preprocessing()).unwrap();
        let outputs = switchback::graph::interpret(&graph, &weights, &crop).unwrap();
        region.place(outputs.tensor(network.scores_name()).unwrap(), &mut by_reference).unwrap();
    }
    let mut expected = vec![("cpu".to_owned(), proposals.finish(by_reference).unwrap())];
    if let Some(gpu) = adapter::gpu() {
        let mut session = gpu.compile(&graph, &weights).unwrap();
        let by_device = network.propose(&mut session, &image, &proposals).unwrap();
        expected.push((gpu.info().name.clone(), by_device));
    }

    for (adapter, expected) in expected {
        let out = folder.path().join(if adapter == "cpu" { "cpu" } else { "gpu" });
        let more = ["--boxes", boxes.to_str().unwrap(), "--times", other.to_str().unwrap(), "--scores"];
        let more = [&more[..], &["--adapter", &adapter]].concat();
        let results = segment(&[&photo], "deconvnet", &out, &more).results();
        assert!(results.contains("71x83  2 boxes"), "{results}");
        let scores = read_npy(out.join("photo.scores.npy")).unwrap();
        assert!(scores == expected, "{adapter}");
        let labels = read_labels(out.join("photo.labels.png")).unwrap();
        assert_eq!(labels, reference::argmax_channels(&scores).unwrap(), "{adapter}");
        // Where no box reaches, it is background.
        assert_eq!(labels.data()[82], 0);
    }
}

#[test]
fn boxes_that_cannot_be_used_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (photo, boxes, out) = (folder.path().join("a.png"), folder.path().join("a.boxes.txt"), folder.path().join("o"));
    picture(&photo, [20, 20]);
    std::fs::write(&boxes, "0 0 10 10\n0 0 ten 10\n").unwrap();
    let boxes = boxes.to_str().unwrap();
    let refused = |model: &str, more: &[&str], expected: &str| {
        let message = segment(&[&photo], model, &out, &[&["--adapter", "cpu"], more].concat()).message();
        assert!(message.contains(expected), "{message}");
    };
    refused("deconvnet", &["--boxes", boxes], "a.boxes.txt: line 2: expected LEFT TOP WIDTH HEIGHT");
    refused("deconvnet", &["--boxes", "no/such/file"], "no/such/file");
    refused("deconvnet", &["--boxes", out.parent().unwrap().join("o2").to_str().unwrap()], "o2");
    refused("segnet-basic", &["--boxes", boxes], "--boxes is for deconvnet, and the model is segnet-basic");
    refused("deconvnet", &[], "expected at least 193 rows and columns; `--boxes` resizes");
    assert!(files(&out).is_empty());
    std::fs::write(boxes, "0 0 10 10\n").unwrap();
    let wrong = folder.path().join("a.scores.npy");
    write_npy(&wrong, &Tensor::zeros([1, 3, 20, 21]).unwrap()).unwrap();
    refused("deconvnet", &["--boxes", boxes, "--times", wrong.to_str().unwrap()], "the other network's scores");
    assert!(files(&out).is_empty());
}
