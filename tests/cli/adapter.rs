//! Which device computes, by argument or by environment.

use super::common::adapter;
use super::{digits, switchback, switchback_with};

#[test]
fn the_environment_chooses_in_the_words_of_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let [image, weights] = ["scene-5.png", "fcn8s-digits.safetensors"].map(|file| digits(file).display().to_string());
    let segment = ["segment", &image, "--weights", &weights, "--out", folder.path().to_str().unwrap()];
    let by = |argument| switchback(&[segment.as_slice(), &["--adapter", argument]].concat());
    let among = |value| switchback_with("SWITCHBACK_ADAPTER", value, &segment);
    for ran in [by("cpu"), among("cpu")] {
        assert!(ran.results().contains("the reference on the CPU"));
    }
    for ran in [by("no such card"), among("no such card")] {
        let message = ran.message();
        assert!(message.contains("named \"no such card\"") && message.contains("--adapter cpu"), "{message}");
    }
    // The command line goes first.
    let both =
        switchback_with("SWITCHBACK_ADAPTER", "no such card", &[segment.as_slice(), &["--adapter", "cpu"]].concat());
    assert!(both.results().contains("the reference on the CPU"));
}

#[test]
fn each_adapter_is_listed_and_chosen_by_a_number() {
    let Some(_) = adapter::gpu() else { return };
    let listed = switchback(&["info"]).results();
    let rows = switchback(&["info", "--json"]).results();
    let plan = |adapter: &str| switchback(&["plan", "--size", "8x8", "--adapter", adapter]);
    for (number, line) in (1..).zip(rows.lines()) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = row["name"].as_str().unwrap();
        assert_eq!(row["number"], number, "{line}");
        assert!(listed.contains(&format!("#{number} {name} (")), "{listed}");
        assert!(plan(&format!("#{number}")).results().starts_with(&format!("on {name} (")));
    }
    let beyond = rows.lines().count() + 1;
    for choice in [format!("#{beyond}"), "#0".to_owned(), format!("gpu#{beyond}")] {
        let message = plan(&choice).message();
        assert!(message.contains("no GPU adapter number ") && message.contains("found: #1 "), "{message}");
    }
}
