//! Compiled pipelines are kept from one command to the next.

use std::fs;
use std::path::Path;

use super::common::adapter;
use super::{Ran, files, switchback_with};

fn bench(cache: &Path, more: &[&str]) -> Ran {
    let words = ["bench", "--seconds", "0", "conv2d", "--input", "1x3x9x9", "--weight", "4x3x3x3"];
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
    bench(&kept, &["--no-cache"]).results();
    assert!(!kept.exists(), "--no-cache keeps nothing");
    bench(&kept, &[]).results();
    let names = files(&kept);
    assert!(names.len() == 1 && names[0].ends_with(".bin"), "{names:?}");
    let path = kept.join(&names[0]);
    let whole = fs::read(&path).unwrap();
    bench(&kept, &[]).results();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let again = bench(&kept, &[]);
    assert!(again.success && again.stderr.contains("truncated or damaged"), "{}", again.stderr);
    assert!(fs::read(&path).unwrap().len() >= whole.len(), "it was rebuilt");
    bench(&kept, &[]).results();
}
