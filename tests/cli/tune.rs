//! Measured kernel variants: written, taken, ignored where they do not fit.

use std::fs;
use std::path::Path;

use super::common::adapter;
use super::common::project::project;
use super::{Ran, switchback};

/// `switchback COMMAND .. MORE` of a small network of few shapes.
fn of_network(command: &str, more: [&str; 2]) -> Ran {
    let weights = project("tests/golden/decoders/segnet-basic.safetensors");
    let network = ["--model", "segnet-basic", "--size", "16x16", "--weights", weights.to_str().unwrap()];
    switchback(&[&[command], &network[..], &more].concat())
}

fn plan_by(tuning: &Path) -> Ran {
    of_network("plan", ["--tuning", tuning.to_str().unwrap()])
}

#[test]
fn a_tuning_is_written_and_another_device_s_is_ignored() {
    let Some(_) = adapter::gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.tuning");
    let tuned = of_network("tune", ["--out", file.to_str().unwrap()]).results();
    assert!(tuned.contains("conv1 ") && tuned.contains("direct") && tuned.contains("tiled"), "{tuned}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.lines().filter(|line| line.contains("Conv2d")).count() > 5, "{text}");

    // A plan has the variants of the file, whatever they are.
    let planned = |variant: &str| {
        let line = |line: &str| match line.rsplit_once(" = ") {
            Some((problem, _)) if problem.contains("Conv2d") => format!("{problem} = {variant}\n"),
            _ => format!("{line}\n"),
        };
        fs::write(&file, text.lines().map(line).collect::<String>()).unwrap();
        plan_by(&file).results().lines().find(|line| line.starts_with("conv1 ")).unwrap().to_owned()
    };
    for variant in ["direct", "tiled"] {
        let line = planned(variant);
        assert!(line.contains(&format!(" {variant} ")), "{line}");
    }

    fs::write(&file, &text).unwrap();
    let words = ["bench", "--seconds", "0", "conv2d", "--input", "1x3x9x9", "--weight", "4x3x3x3", "--tuning"];
    let elsewhere = switchback(&[&words[..], &[file.to_str().unwrap()]].concat());
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
