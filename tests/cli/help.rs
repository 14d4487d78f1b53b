//! Every subcommand explains itself, with an example.

use crate::switchback;

#[test]
fn every_subcommand_has_help_with_an_example() {
    let commands = [
        &["segment"][..],
        &["visualize"],
        &["convert"],
        &["plan"],
        &["info"],
        &["bench"],
        &["bench", "conv2d"],
        &["bench", "conv_transpose2d"],
        &["bench", "max_pool2d"],
        &["bench", "max_unpool2d"],
        &["bench", "upsampling"],
        &["bench", "fcn8s"],
        &["bench", "fcn-alexnet"],
        &["bench", "segnet"],
        &["bench", "segnet-basic"],
        &["bench", "deconvnet"],
        &["bench", "vgg16"],
        &["tune"],
    ];
    for command in commands {
        let help = switchback(&[command, &["--help"]].concat()).results();
        let example = help.split_once("Example").map(|(_, examples)| examples).unwrap_or_default();
        assert!(example.contains(&format!("switchback {}", command.join(" "))), "{command:?}: {help}");
        assert_whole(example);
    }
}

/// An example can be copied as it is shown: what is too long for a line goes on after a backslash.
fn assert_whole(examples: &str) {
    let lines: Vec<&str> = examples.lines().map(str::trim).collect();
    let (mut is_command, mut goes_on) = (false, false);
    for line in lines.into_iter().filter(|line| !line.is_empty()) {
        let begins = line.starts_with("switchback ");
        assert!(begins || goes_on || !is_command || line.starts_with(char::is_uppercase), "{line:?} in {examples}");
        is_command = begins || goes_on;
        goes_on = is_command && line.ends_with('\\');
    }
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(switchback(&["--version"]).results().trim(), concat!("switchback ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn nothing_and_nonsense_show_the_usage() {
    for arguments in [&[][..], &["segmnt"], &["segment"], &["plan", "--size", "0x7"], &["plan", "--model", "fcn4s"]] {
        let ran = switchback::<&str>(arguments);
        assert!(!ran.success && ran.stderr.contains("--help"), "{arguments:?}: {}", ran.stderr);
    }
}
