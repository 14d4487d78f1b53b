//! Options that others leave without effect are refused, not ignored.

use crate::common::adapter;
use crate::{digits, switchback, switchback_with};

/// Fails before any work, in words that name the option.
fn refused(arguments: &[&str], expected: &str) {
    let ran = switchback(arguments);
    assert!(!ran.success && ran.stdout.is_empty(), "{arguments:?}: {}", ran.stdout);
    assert!(ran.stderr.contains(expected), "{arguments:?}: {}", ran.stderr);
}

#[test]
fn names_to_keep_in_f32_need_f16() {
    let (scene, weights) = (digits("scene-5.png"), digits("fcn8s-digits.safetensors"));
    let [scene, weights] = [&scene, &weights].map(|path| path.to_str().unwrap());
    let expected = "--keep-f32 names what `--element f16` is to leave in f32";
    refused(&["plan", "--webgpu", "--keep-f32", "conv1_1"], expected);
    refused(&["plan", "--webgpu", "--element", "f32", "--keep-f32", "conv1_1"], expected);
    refused(&["plan", "--webgpu", "--element", "f32 but conv1_1"], expected);
    refused(&["segment", scene, "--weights", weights, "--adapter", "cpu", "--keep-f32", "conv1_1"], expected);
    refused(&["bench", "segnet", "--keep-f32", "conv1_1"], expected);
}

#[test]
fn a_tuning_needs_what_it_was_measured_with() {
    let (scene, weights) = (digits("scene-5.png"), digits("fcn8s-digits.safetensors"));
    let [scene, weights] = [&scene, &weights].map(|path| path.to_str().unwrap());
    let segment = ["segment", scene, "--weights", weights, "--tuning", "a.tuning"];
    refused(&[&segment[..], &["--adapter", "cpu"]].concat(), "--tuning is for the kernels of a GPU adapter");
    refused(&[&segment[..], &["--element", "f16"]].concat(), "--tuning is for kernels in f32");
    refused(&["plan", "--webgpu", "--tuning", "a.tuning"], "'--webgpu' cannot be used with '--tuning <FILE>'");
    refused(&["tune", "--out", "b.tuning", "--tuning", "a.tuning"], "cannot be used with '--tuning <FILE>'");
    refused(&["tune", "--out", "b.tuning", "--element", "f16"], "tune measures kernels in f32");
    let Some(_) = adapter::gpu() else { return };
    for workload in [
        &["conv2d", "--weight", "1x1x3x3", "--variant", "tiled"][..],
        &["conv_transpose2d", "--weight", "1x1x3x3", "--variant", "all"],
        &["max_pool2d"],
        &["max_unpool2d"],
    ] {
        let words = [&["bench"], workload, &["--input", "1x1x4x4", "--tuning", "a.tuning"]].concat();
        refused(&words, "--tuning would have no effect");
    }
}

#[test]
fn bilinear_weights_are_an_option_of_networks_that_are_published_with_them() {
    for network in ["segnet", "segnet-basic", "deconvnet", "vgg16"] {
        refused(&["bench", network, "--bilinear"], "unexpected argument '--bilinear'");
    }
    let Some(_) = adapter::gpu() else { return };
    for network in ["fcn8s", "fcn-alexnet"] {
        let words = ["bench", network, "--bilinear", "--size", "8x9", "--slim", "64", "--seconds", "0", "--json", "-"];
        assert!(switchback(&words).results().contains("\"interpolate"), "{network}");
    }
}

/// The environment is no option: it may name an adapter though a command needs none.
#[test]
fn an_adapter_of_the_environment_excludes_nothing() {
    let plan = ["plan", "--webgpu", "--size", "64x64"];
    let planned = switchback(&plan).results();
    for adapter in ["cpu", "no such card", ""] {
        assert_eq!(switchback_with("SWITCHBACK_ADAPTER", adapter, &plan).results(), planned, "{adapter:?}");
    }
    refused(&[&plan[..], &["--adapter", "cpu"]].concat(), "cannot be used with '--adapter");
}
