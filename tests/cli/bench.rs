//! `switchback bench`: rows with all they promise, and refusals.

use serde_json::Value;
use switchback::gpu::Timer;

use crate::common::adapter;
use crate::switchback;

/// Rows of `bench ARGUMENTS --json -`.
fn rows(arguments: &[&str]) -> Vec<Value> {
    let ran = switchback(&[&["bench"], arguments, &["--seconds", "0", "--json", "-"]].concat());
    // Of all variants, those that cannot do it, or for which the device has not the means, are named on stderr.
    let left_out = |line: &str| line.contains("cannot do this") || line.contains("cooperative is not supported");
    assert!(ran.success && ran.stderr.lines().all(left_out), "{}", ran.stderr);
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_have_every_field() {
    let Some(gpu) = adapter::gpu() else { return };
    let rows =
        rows(&["conv_transpose2d", "--input", "1x4x5x6", "--weight", "4x3x4x4", "--stride", "2", "--variant", "all"]);
    assert!(rows.len() >= 3, "{rows:?}");
    for row in &rows {
        for field in ["median_ms", "min_ms", "gflop", "gflop_per_s", "gb_per_s", "ceiling_fraction"] {
            assert!(row[field].as_f64().unwrap() > 0.0, "{field}: {row}");
        }
        for field in ["label", "variant", "timer", "adapter", "driver"] {
            assert!(!row[field].as_str().unwrap().is_empty(), "{field}: {row}");
        }
        assert!(row["mad_ms"].as_f64().unwrap() >= 0.0);
        // This takes microseconds on any GPU, so that a pass has many runs where its own time would be much of theirs.
        let repeated = gpu.timer() == Timer::GpuTimestamps && !gpu.caps().software;
        assert_eq!(row["runs_a_pass"].as_u64().unwrap() > 1, repeated, "{row}");
        for field in ["single_median_ms", "single_min_ms"] {
            assert_eq!(row[field].as_f64().is_some_and(|time| time > 0.0), repeated, "{field}: {row}");
        }
        assert!(row["verified"].as_str().unwrap().contains("against the reference"), "{row}");
        assert_eq!(row["op"], "conv_transpose2d");
        assert_eq!(row["element"], "f32");
        assert_eq!(row["input"], serde_json::json!([1, 4, 5, 6]));
        assert_eq!(row["weight"], serde_json::json!([4, 3, 4, 4]));
        assert_eq!(row["output"], serde_json::json!([1, 3, 12, 14]));
        assert_eq!(row["stride"], serde_json::json!([2, 2]));
        assert_eq!(row["pad"], serde_json::json!([0, 0, 0, 0]));
        // 4 channels * 30 cells * 3 outputs * 16 taps, two operations each.
        assert_eq!(row["gflop"].as_f64(), Some(2.0 * 4.0 * 30.0 * 3.0 * 16.0 / 1e9));
    }
}

/// A row says which units bound it; matrix units are only where a kernel uses them.
#[test]
fn products_on_matrix_units_are_held_to_their_ceiling() {
    let Some(gpu) = adapter::gpu() else { return };
    let words = ["conv2d", "--input", "1x64x16x16", "--weight", "64x64x3x3", "--element", "f16", "--variant"];
    let ceiling = |variant: &str| rows(&[words.as_slice(), &[variant]].concat())[0]["ceiling"].clone();
    assert_eq!(ceiling("tiled"), "fma");
    if adapter::has_matrix_units(&gpu) {
        assert_eq!(ceiling("cooperative"), "matrices");
    }
}

#[test]
fn every_operator_can_be_measured() {
    let Some(_) = adapter::gpu() else { return };
    let conv2d = [
        "conv2d",
        "--input",
        "2x4x9x7",
        "--weight",
        "6x2x3x2",
        "--pad",
        "1,0,2,1",
        "--dilation",
        "1x2",
        "--groups",
        "2",
    ];
    assert_eq!(rows(&conv2d).len(), 1);
    assert_eq!(rows(&["conv2d", "--input", "1x2x5x5", "--weight", "2x2x3x3", "--bias", "--relu"]).len(), 1);
    assert_eq!(rows(&["max_pool2d", "--input", "1x3x8x9", "--variant", "all", "--rounding", "ceil"]).len(), 2);
    let unpool =
        rows(&["max_unpool2d", "--input", "1x3x4x5", "--kernel", "3", "--stride", "2", "--variant", "scatter"]);
    assert!(unpool.iter().any(|row| row["op"] == "max_unpool2d" && row["variant"] == "scatter"), "{unpool:?}");
}

#[test]
fn a_network_is_measured_layer_by_layer_and_whole() {
    let Some(_) = adapter::gpu() else { return };
    let rows = rows(&["fcn8s", "--size", "9x13", "--slim", "64"]);
    let row =
        |label: &str| rows.iter().find(|row| row["label"] == label).unwrap_or_else(|| panic!("{label}: {rows:?}"));
    assert_eq!(row("conv1_1")["pad"], serde_json::json!([100, 100, 100, 100]));
    assert_eq!(row("upscore8")["op"], "conv_transpose2d");
    assert_eq!(row("upscore8")["runs_a_pass"], 1);
    let whole = row("whole, host to host");
    assert_eq!(whole["timer"], "wall clock");
    assert!(whole["runs_a_pass"].is_null(), "{whole}");
    let parts: f64 = rows.iter().filter(|row| row["op"] != whole["op"]).map(|row| row["gflop"].as_f64().unwrap()).sum();
    assert!((parts - whole["gflop"].as_f64().unwrap()).abs() < 1e-9);
}

#[test]
fn networks_that_unpool_are_measured_with_their_batch_norms_folded() {
    let Some(_) = adapter::gpu() else { return };
    for (network, size, layers) in [
        ("segnet", "45x37", ["conv1_1", "pool5", "upsample5", "conv1_1_D"]),
        ("segnet-basic", "31x26", ["norm", "conv1", "upsample4", "conv_classifier"]),
        ("deconvnet", "193x195", ["fc6", "fc6-deconv", "unpool1", "seg-score-voc"]),
        ("fcn-alexnet", "8x9", ["conv1", "norm1", "fc7", "upscore"]),
        ("vgg16", "224x225", ["features.0", "features.30", "classifier.0", "classifier.6"]),
    ] {
        let rows = rows(&[network, "--size", size, "--slim", "64"]);
        let labels: Vec<&str> = rows.iter().map(|row| row["label"].as_str().unwrap()).collect();
        for layer in layers {
            assert!(labels.contains(&layer), "{network}: {layer} is not in {labels:?}");
        }
        assert!(rows.iter().all(|row| !["scale", "relu"].contains(&row["op"].as_str().unwrap())), "{network}");
        let shares: f64 = rows.iter().filter_map(|row| row["time_share"].as_f64()).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{network}: {shares}");
        let whole = rows.last().unwrap();
        assert_eq!(whole["op"], format!("{network} {size}"));
        assert!(whole["peak_bytes"].as_u64().unwrap() > 0, "{network}");
    }
}

#[test]
fn a_table_ends_with_what_the_time_and_the_memory_go_into() {
    let Some(_) = adapter::gpu() else { return };
    let results = switchback(&["bench", "segnet-basic", "--size", "9x9", "--slim", "64", "--seconds", "0"]).results();
    let time = results.lines().find(|line| line.starts_with("time by operator: ")).unwrap();
    assert!(time.contains("conv2d ") && time.contains("max_unpool2d "), "{time}");
    assert!(results.contains("planned memory: "), "{results}");
}

#[test]
fn of_all_variants_those_that_cannot_do_it_are_named_and_left_out() {
    let Some(_) = adapter::gpu() else { return };
    let arguments = ["conv2d", "--input", "1x2x6x6", "--weight", "2x2x5x5", "--variant", "all"];
    let ran = switchback(&[&["bench"], &arguments[..], &["--seconds", "0", "--json", "-"]].concat());
    assert!(ran.success && ran.stderr.contains("the variant winograd-f2 cannot do this"), "{}", ran.stderr);
    let rows: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut variants: Vec<&str> = rows.iter().map(|row| row["variant"].as_str().unwrap()).collect();
    assert!(variants.contains(&"direct"), "{variants:?}");
    variants.sort_unstable();
    variants.dedup();
    assert_eq!(variants.len(), rows.len(), "a variant was measured twice");
}

#[test]
fn rows_go_to_a_file_at_once() {
    let Some(_) = adapter::gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let arguments = ["bench", "max_pool2d", "--input", "1x1x4x4", "--seconds", "0", "--json", path.to_str().unwrap()];
    assert!(switchback(&arguments).results().contains("1 rows"));
    let row: Value = serde_json::from_str(std::fs::read_to_string(&path).unwrap().trim()).unwrap();
    assert_eq!(row["op"], "max_pool2d");
}

#[test]
fn impossible_measurements_are_refused() {
    let refused = |arguments: &[&str], expected: &str| {
        let message = switchback(&[&["bench"], arguments].concat()).message();
        assert!(message.contains(expected), "{message}");
    };
    refused(&["conv2d", "--input", "1x1x4x4", "--weight", "1x1x3x3", "--adapter", "cpu"], "needs a GPU");
    refused(&["--json", "no/such/folder/x", "--adapter", "cpu"], "no/such/folder/x: there is no folder no/such/folder");
    if adapter::gpu().is_none() {
        return;
    }
    refused(&["conv2d", "--input", "1x1x4x4", "--weight", "1x1x3x3", "--variant", "fastest"], "fastest");
    let wide = ["conv2d", "--input", "1x1x6x6", "--weight", "1x1x5x5", "--variant"];
    refused(&[&wide[..], &["winograd-f4"]].concat(), "the variant winograd-f4 cannot do this");
    refused(&["conv2d", "--input", "1x2x4x4", "--weight", "1x1x3x3"], "conv2d: weight");
    let four =
        ["bench", "conv_transpose2d", "--input", "1x1x4x4", "--weight", "1x1x3x3", "--output-padding", "1,0,1,0"];
    let ran = switchback(&four);
    assert!(!ran.success && ran.stderr.contains("expected one number or ROWSxCOLUMNS"), "{}", ran.stderr);
    refused(&["conv2d", "--input", "1x1x4x4", "--weight", "1x1x9x9"], "at least 9 rows");
}

#[test]
fn the_largest_seed_is_one_like_others() {
    let Some(_) = adapter::gpu() else { return };
    let seed = u64::MAX.to_string();
    assert_eq!(rows(&["conv2d", "--input", "1x1x4x4", "--weight", "1x1x3x3", "--bias", "--seed", &seed]).len(), 1);
}

#[test]
fn f16_is_measured_and_said_so() {
    let Some(_) = adapter::gpu() else { return };
    for arguments in [
        &["conv2d", "--input", "1x5x9x7", "--weight", "6x5x3x3", "--bias", "--relu"][..],
        &["max_pool2d", "--input", "1x5x8x8", "--kernel", "2", "--stride", "2"],
        &["fcn8s", "--size", "9x9", "--slim", "64"],
    ] {
        let ran = switchback(&[&["bench"], arguments, &["--element", "f16", "--seconds", "0", "--json", "-"]].concat());
        assert!(ran.success, "{arguments:?}: {}", ran.stderr);
        let rows: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let conv = rows.iter().find(|row| ["conv2d", "max_pool2d"].contains(&row["op"].as_str().unwrap())).unwrap();
        assert_eq!(conv["element"], "f16", "{conv}");
    }
}
