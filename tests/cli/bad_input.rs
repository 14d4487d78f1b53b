//! Bad files and impossible wishes: one message that names what is wrong, a nonzero exit, and nothing half done.

use std::path::Path;

use crate::common::project::project;
use crate::{Ran, digits, files, switchback};

/// `segment IMAGE --weights WEIGHTS --adapter cpu --out OUT`
fn segment(image: &Path, weights: &Path, out: &Path) -> Ran {
    let [image, weights, out] = [image, weights, out].map(|path| path.to_str().unwrap());
    switchback(&["segment", image, "--weights", weights, "--adapter", "cpu", "--out", out])
}

#[test]
fn weights_that_are_missing_damaged_or_of_another_network() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let whole = std::fs::read(digits("fcn8s-digits.safetensors")).unwrap();
    let fails = |name: &str, bytes: Option<&[u8]>| {
        let path = folder.path().join(name);
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).unwrap();
        }
        let message = segment(&digits("scene-5.png"), &path, &out).message();
        assert!(message.contains(name), "{message}");
    };
    fails("missing.safetensors", None);
    fails("empty.safetensors", Some(b""));
    fails("half.safetensors", Some(&whole[..whole.len() / 2]));
    fails("header.safetensors", Some(&whole[..100]));
    fails("garbage.safetensors", Some(&[0xA5; 4096]));
    fails("photo.safetensors", Some(&std::fs::read(digits("scene-5.png")).unwrap()));
    assert!(files(&out).is_empty(), "{:?}", files(&out));
}

/// A device that gives zeros for ever, wherever a file is asked for.
#[cfg(unix)]
#[test]
fn what_never_ends_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let (scene, weights) = (digits("scene-5.png"), digits("fcn8s-digits.safetensors"));
    let [scene, weights, out_text] = [&scene, &weights, &out].map(|path| path.to_str().unwrap());
    let zero = "/dev/zero";
    let boxes = folder.path().join("boxes.txt");
    std::fs::write(&boxes, "0 0 9 9\n").unwrap();
    let view = project("tests/golden/decoders/deconvnet.safetensors");
    let [boxes, view] = [&boxes, &view].map(|path| path.to_str().unwrap());
    for (arguments, expected) in [
        (&["segment", zero, "--weights", weights][..], "is of an unknown format"),
        (&["segment", scene, "--weights", zero], "is not a regular file"),
        (&["segment", scene, "--weights", weights, "--classes", zero], "holds more than 1048576 bytes"),
        (&["segment", scene, "--weights", weights, "--truth", zero], "cannot be read as a PNG label map"),
        (
            &["segment", scene, "--weights", view, "--model", "deconvnet", "--boxes", zero],
            "holds more than 16777216 bytes",
        ),
        (
            &["segment", scene, "--weights", view, "--model", "deconvnet", "--boxes", boxes, "--times", zero],
            "is no .npy file",
        ),
    ] {
        let message = switchback(&[arguments, &["--adapter", "cpu", "--out", out_text]].concat()).message();
        assert!(message.contains(&format!("{zero}: ")) && message.contains(expected), "{message}");
    }
    assert!(files(&out).is_empty(), "{:?}", files(&out));
}

#[test]
fn weights_for_another_head_are_told_apart_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (image, weights) = (digits("scene-5.png"), digits("fcn8s-digits.safetensors"));
    let [image, weights, out] = [&image, &weights, folder.path()].map(|path| path.to_str().unwrap());
    let ran =
        switchback(&["segment", image, "--model", "fcn32s", "--weights", weights, "--adapter", "cpu", "--out", out]);
    let message = ran.message();
    assert!(message.contains("FCN-32s") && message.contains("upscore"), "{message}");
}

#[test]
fn outputs_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let weights = digits("fcn8s-digits.safetensors");
    for out in [file.clone(), file.join("below")] {
        let message = segment(&digits("scene-5.png"), &weights, &out).message();
        assert!(message.contains(out.to_str().unwrap()), "{message}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "in the way");

    // A folder stands where the label map should go: nothing of this image is left.
    let out = folder.path().join("out");
    std::fs::create_dir_all(out.join("scene-5.labels.png")).unwrap();
    let message = segment(&digits("scene-5.png"), &weights, &out).message();
    assert!(message.contains("scene-5.labels.png"), "{message}");
    assert_eq!(files(&out), ["scene-5.labels.png"]);
}

#[test]
fn wishes_that_cannot_be_met_are_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let (scene, weights, classes) = (digits("scene-5.png"), digits("fcn8s-digits.safetensors"), digits("README.md"));
    let [scene, weights, classes] = [&scene, &weights, &classes].map(|path| path.to_str().unwrap());
    let out = folder.path().join("out");
    let base = ["segment", scene, "--weights", weights, "--out", out.to_str().unwrap(), "--adapter"];
    let refused = |more: &[&str], expected: &str| {
        let message = switchback(&[&base, more].concat()).message();
        assert!(message.contains(expected), "{message}");
    };
    refused(&["no such device"], "no such device");
    refused(&["cpu", scene], "would both be written to");
    refused(&["cpu", "--truth", folder.path().to_str().unwrap()], "scene-5.truth.png");
    refused(&["cpu", "--truth", "no/such/truth.png"], "no/such/truth.png");
    refused(&["cpu", "no/such/image.png"], "no/such/image.png");
    refused(&["cpu", "--classes", classes], "class names, expected 11");
    refused(&["cpu", "--classes", "no/such/file"], "no/such/file");
    let other = digits("scene-1.png");
    refused(&["cpu", other.to_str().unwrap(), "--truth", scene], "expected one for 2 images");
    assert!(files(&out).is_empty(), "{:?}", files(&out));
}

#[test]
fn truth_of_another_size_or_kind_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (scene, weights) = (digits("scene-5.png"), digits("fcn8s-digits.safetensors"));
    for (truth, expected) in [("scene-1.truth.png", "128, 128"), ("scene-5.png", "expected a label map")] {
        let truth_path = digits(truth);
        let [scene, weights, truth_path, out] =
            [&scene, &weights, &truth_path, folder.path()].map(|path| path.to_str().unwrap());
        let ran = switchback(&[
            "segment",
            scene,
            "--weights",
            weights,
            "--adapter",
            "cpu",
            "--truth",
            truth_path,
            "--out",
            out,
        ]);
        let message = ran.message();
        assert!(message.contains(truth) && message.contains(expected), "{message}");
    }
}
