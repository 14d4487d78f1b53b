//! Measured kernel variants: written, taken, ignored where they do not fit.

use std::fs;
use std::path::Path;

use super::common::adapter;
use super::{Ran, digits, switchback};

fn plan_by(tuning: &Path) -> Ran {
    let words = ["bench", "--seconds", "0", "--json", "-", "conv2d", "--input", "1x3x9x9", "--weight", "4x3x3x3"];
    switchback(&[words.as_slice(), &["--tuning", tuning.to_str().unwrap()]].concat())
}

#[test]
fn a_tuning_is_written_and_another_device_s_is_ignored() {
    let Some(_) = adapter::gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.tuning");
    let (weights, out) = (digits("fcn8s-digits.safetensors"), file.to_str().unwrap());
    let tuned = switchback(&["tune", "--size", "8x8", "--weights", weights.to_str().unwrap(), "--out", out]).results();
    assert!(tuned.contains("conv1_1") && tuned.contains("direct") && tuned.contains("tiled"), "{tuned}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.lines().filter(|line| line.contains("Conv2d")).count() > 5, "{text}");

    // A plan has the variants of the file, whatever they are.
    let planned = |variant: &str| {
        let line = |line: &str| match line.rsplit_once(" = ") {
            Some((problem, _)) if problem.contains("Conv2d") => format!("{problem} = {variant}\n"),
            _ => format!("{line}\n"),
        };
        fs::write(&file, text.lines().map(line).collect::<String>()).unwrap();
        let words = ["plan", "--size", "8x8", "--weights", weights.to_str().unwrap(), "--tuning", out];
        let plan = switchback(&words).results();
        plan.lines().find(|line| line.starts_with("conv1_1 ")).unwrap().to_owned()
    };
    for variant in ["direct", "tiled"] {
        let line = planned(variant);
        assert!(line.contains(&format!(" {variant} ")), "{line}");
    }
    fs::write(&file, &text).unwrap();
    let elsewhere = plan_by(&file);
    assert!(elsewhere.success && elsewhere.stderr.contains("is for a node of this graph"), "{}", elsewhere.stderr);

    let ignored = |text: &str, why: &str| {
        fs::write(&file, text).unwrap();
        let ran = plan_by(&file);
        assert!(ran.success && ran.stderr.contains("is ignored") && ran.stderr.contains(why), "{}", ran.stderr);
    };
    ignored(&text[..text.len() / 2], "expected");
    ignored(&text.replacen("device ", "device Another ", 1), "it was measured on Another");
    ignored(&text.replacen(env!("CARGO_PKG_VERSION"), "0.0.1", 1), "it was made by version 0.0.1");
    ignored("", "switchback tuning of version");
    fs::remove_file(&file).unwrap();
    assert!(plan_by(&file).stderr.contains("is ignored"));
}
