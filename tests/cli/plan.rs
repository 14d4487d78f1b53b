//! `switchback plan` and `switchback info`.

use crate::common::adapter;
use crate::{digits, switchback};

#[test]
fn the_published_network_has_the_published_size() {
    let results = switchback(&["plan", "--model", "fcn8s", "--size", "500x500", "--webgpu"]).results();
    // The network's 181,529,034,048 multiply-adds, and one for each of the image's 750,000 bytes.
    let expected = [
        "conv1_1",
        "1x64x698x698",
        "fc6",
        "upscore_pool4",
        "1x500x500 labels",
        "181,529,784,048 MACs",
        "134,489,759 parameters",
        "peak",
    ];
    for expected in expected {
        assert!(results.contains(expected), "{expected} is not in {results}");
    }
    // The last upsampling and the labels are one pass, which writes no scores.
    assert!(results.contains("conv_transpose2d_argmax") && !results.contains("568x568"), "{results}");
}

#[test]
fn widths_and_classes_come_from_the_weights() {
    let weights = digits("fcn8s-digits.safetensors");
    let arguments = ["plan", "--size", "97x64", "--webgpu", "--weights", weights.to_str().unwrap()];
    let results = switchback(&arguments).results();
    assert!(results.contains("1x12x295x262") && results.contains("1x11x22x18"), "{results}");
}

#[test]
fn an_image_that_no_device_can_hold_is_refused_with_numbers() {
    let message = switchback(&["plan", "--size", "4000x4000", "--webgpu"]).message();
    // 3 channels of 16 million f32.
    assert!(message.contains("192000000 bytes") && message.contains("smaller image"), "{message}");
}

#[test]
fn info_shows_each_adapter_to_people_and_to_machines() {
    let Some(gpu) = adapter::gpu() else {
        assert!(switchback(&["info"]).message().contains("no GPU adapter"));
        return;
    };
    let name = &gpu.info().name;
    assert!(switchback(&["info"]).results().contains(name));
    assert!(switchback(&["info", "--names"]).results().lines().any(|line| line == name));
    for line in switchback(&["info", "--json"]).results().lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(row["name"].is_string() && row["max_binding_bytes"].as_u64() >= Some(1 << 20), "{line}");
    }
}

#[test]
fn f16_takes_half_the_memory() {
    let planned = |element: &str| switchback(&["plan", "--webgpu", "--element", element]).results();
    let mebibytes = |plan: &str, before: &str| -> f64 {
        let line = plan.lines().find(|line| line.starts_with(before)).unwrap();
        line[before.len()..].split_whitespace().next().unwrap().parse().unwrap()
    };
    let (f32, f16) = (planned("f32"), planned("f16"));
    assert!(f16.contains("1x64x698x698 f16") && f16.contains(" via f32"), "{f16}");
    assert!(mebibytes(&f16, "activations: peak ") <= 0.5 * mebibytes(&f32, "activations: peak "));
    // conv1_1's map and pool1, which is the end of conv1_2.
    assert!(f16.contains("conv1_2        conv2d+max_pool2d  "), "{f16}");
    assert!(mebibytes(&f16, "activations: peak ") <= 1.03 * (59.47 + 14.87));
    // 270 MB.
    assert!(mebibytes(&f16, "weights on the device: ") <= 270e6 / f64::from(1 << 20));
    let kept = switchback(&["plan", "--webgpu", "--element", "f16", "--keep-f32", "conv1_1,fc6.weight"]).results();
    assert!(kept.lines().any(|line| line.starts_with("conv1_1 ") && !line.contains("698 f16")), "{kept}");
    assert!(mebibytes(&kept, "weights on the device: ") > 400.0);
    let unknown = switchback(&["plan", "--webgpu", "--element", "f16", "--keep-f32", "fc66"]);
    assert!(!unknown.success && unknown.stderr.contains("`fc66`"), "{}", unknown.stderr);
}
