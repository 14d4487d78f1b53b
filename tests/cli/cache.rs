//! Compiled pipelines are kept from one command to the next.

use std::fs;
use std::path::Path;

use super::common::adapter;
use super::common::project::project;
use super::{Ran, digits, files, switchback_with};

/// Labels the smallest scene by a small network, of some ten pipelines.
fn segment(cache: &Path, more: &[&str]) -> Ran {
    let (scene, weights) = (digits("scene-5.png"), project("tests/golden/decoders/segnet-basic.safetensors"));
    let out = cache.with_file_name("out");
    let [scene, weights, out] = [&scene, &weights, &out].map(|path| path.to_str().unwrap());
    let words = ["segment", scene, "--model", "segnet-basic", "--weights", weights, "--out", out];
    switchback_with("SWITCHBACK_CACHE", cache, &[&words, more].concat())
}

#[test]
fn pipelines_are_kept_damaged_ones_replaced() {
    let Some(gpu) = adapter::gpu() else { return };
    if gpu.info().backend != "vulkan" {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    segment(&kept, &["--no-cache"]).results();
    assert!(!kept.exists(), "--no-cache keeps nothing");
    segment(&kept, &[]).results();
    let names = files(&kept);
    assert!(names.len() == 1 && names[0].ends_with(".bin"), "{names:?}");
    let path = kept.join(&names[0]);
    let whole = fs::read(&path).unwrap();
    segment(&kept, &[]).results();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let again = segment(&kept, &[]);
    assert!(again.success && again.stderr.contains("truncated or damaged"), "{}", again.stderr);
    assert!(fs::read(&path).unwrap().len() >= whole.len(), "it was rebuilt");
    segment(&kept, &[]).results();
}
