//! The commands that users type, run as they type them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed assumption fails the test")]

#[path = "../common/mod.rs"]
mod common;

mod adapter;
mod bad_images;
mod bad_input;
mod bench;
mod cache;
mod closed_pipes;
mod convert;
mod demo;
mod help;
mod networks;
mod options;
mod plan;
mod segment;
#[cfg(unix)]
mod signals;
mod tune;
mod visualize;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::project::{program, project};

/// What a command printed and how it ended.
struct Ran {
    stdout: String,
    stderr: String,
    success: bool,
}

/// Runs `switchback` with these arguments.
fn switchback<S: AsRef<OsStr>>(arguments: &[S]) -> Ran {
    // Tests leave the user's folders alone.
    switchback_with("SWITCHBACK_CACHE", "off", arguments)
}

/// Runs `switchback` with a variable of its environment set.
fn switchback_with<S: AsRef<OsStr>>(variable: &str, value: impl AsRef<OsStr>, arguments: &[S]) -> Ran {
    let output = command(arguments).env(variable, value).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { stdout: text(output.stdout), stderr: text(output.stderr), success: output.status.success() }
}

/// `switchback` with these arguments, to be run.
fn command<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(program(env!("CARGO_BIN_EXE_switchback")));
    // Keeps a driver's own message about its window system out of what is tested.
    command.args(arguments).env("NODEVICE_SELECT", "1").env("SWITCHBACK_CACHE", "off");
    command
}

impl Ran {
    /// Its results, after it succeeded without a word on stderr.
    fn results(self) -> String {
        assert!(self.success && self.stderr.is_empty(), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.stdout
    }

    /// Its one message, after it failed.
    fn message(self) -> String {
        assert!(!self.success, "it succeeded: {}", self.stdout);
        let lines = self.stderr.lines().filter(|line| line.starts_with("switchback: ")).count();
        assert_eq!(lines, 1, "expected one message, found: {}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self.stderr
    }
}

/// A file of the demo.
fn digits(file: &str) -> PathBuf {
    project("examples/digits").join(file)
}

/// Names of the files in a folder, sorted; none if there is no such folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
