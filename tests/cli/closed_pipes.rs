//! Readers that go before a command ends, as `| head -n 1` does: files are written all the same.

use std::path::Path;
use std::process::{Output, Stdio};

use crate::common::adapter;
use crate::common::project::project;
use crate::{command, digits, files};

/// Runs a command whose stdout nobody reads.
fn unread(arguments: &[&str]) -> Output {
    let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    child.wait_with_output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn files_are_written_though_nobody_reads_what_is_said_about_them() {
    let folder = tempfile::tempdir().unwrap();
    let (scene, weights, out) = (digits("scene-5.png"), digits("fcn8s-digits.safetensors"), folder.path());
    let [scene, weights] = [text(&scene), text(&weights)];
    let picture = out.join("units.png");
    let half = out.join("half.safetensors");
    let base = ["segment", scene, "--weights", weights, "--adapter", "cpu", "--out", text(out)];
    for arguments in [
        &[&base[..], &["--truth", text(&digits("scene-5.truth.png"))]].concat()[..],
        &["visualize", scene, "--weights", weights, "--adapter", "cpu", "--layer", "conv1_2", "--out", text(&picture)],
        &["convert", weights, text(&half), "--element", "f16"],
    ] {
        let ran = unread(arguments);
        assert!(ran.status.success() && ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    assert_eq!(files(out), ["half.safetensors", "scene-5.labels.png", "units.png"]);

    let Some(_) = adapter::gpu() else { return };
    let (rows, tuning) = (out.join("rows.jsonl"), out.join("a.tuning"));
    let bench = ["bench", "max_pool2d", "--input", "1x1x4x4", "--seconds", "0", "--json", text(&rows)];
    let slim = project("tests/golden/decoders/segnet-basic.safetensors");
    let tune = ["tune", "--model", "segnet-basic", "--size", "4x4", "--weights", text(&slim), "--out", text(&tuning)];
    assert!(unread(&bench).status.success() && unread(&tune).status.success());
    assert!(rows.is_file() && tuning.is_file(), "{:?}", files(out));
}

#[test]
fn what_is_only_said_ends_without_a_word() {
    let ran = unread(&["plan", "--webgpu", "--size", "64x64"]);
    assert!(ran.status.success() && ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[cfg(unix)]
#[test]
fn a_file_that_is_stdout_ends_without_a_word() {
    // More than a pipe holds.
    let ran = unread(&["convert", text(&digits("fcn8s-digits.safetensors")), "/dev/stdout"]);
    assert!(ran.status.success() && ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn an_error_that_nobody_reads_is_no_panic() {
    let mut child = command(&["convert", "no/such/file", "out"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
