//! Ctrl-C, SIGTERM and SIGHUP while a file is written.

use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::{command, files};

/// A weight file of a gibibyte of zeros, which takes no place on the disk and seconds to convert.
fn large(path: &Path) {
    let bytes = 1_u64 << 30;
    let header = format!(r#"{{"w":{{"dtype":"F32","shape":[1,1,16384,16384],"data_offsets":[0,{bytes}]}}}}"#);
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + header.len() as u64 + bytes).unwrap();
}

/// Waits until a part file is there.
fn wait_for_part(folder: &Path, child: &mut Child) {
    let begin = Instant::now();
    while !files(folder).iter().any(|name| name.ends_with(".part")) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was told to");
        assert!(begin.elapsed() < Duration::from_secs(60), "no part file within a minute");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn send(signal: i32, child: &Child) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status().unwrap();
    assert!(sent.success());
}

/// Whether the tests themselves were started with a signal ignored, which what they start inherits.
fn ignores(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() >> (signal - 1) & 1 == 1)
}

#[test]
fn a_signal_ends_the_command_and_leaves_no_part_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("large.safetensors"), folder.path().join("out"));
    large(&input);
    std::fs::create_dir(&out).unwrap();
    let target = out.join("converted.safetensors");
    std::fs::write(&target, "what was there").unwrap();
    // SIGINT, which shells report as 130, SIGTERM, 143, and SIGHUP, 129.
    for signal in [2, 15, 1] {
        if ignores(signal) {
            writeln!(std::io::stderr(), "SKIPPED of a signal that ends the command: {signal}, ignored here").unwrap();
            continue;
        }
        let mut convert = command(&["convert", input.to_str().unwrap(), target.to_str().unwrap()]);
        let mut child = convert.spawn().unwrap();
        wait_for_part(&out, &mut child);
        send(signal, &child);
        assert_eq!(child.wait().unwrap().signal(), Some(signal));
        assert_eq!(files(&out), ["converted.safetensors"]);
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "what was there");
    }
}

/// As Ctrl-C is in what a script runs in the background.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_ignored_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("large.safetensors"), folder.path().join("out"));
    large(&input);
    std::fs::create_dir(&out).unwrap();
    let convert = command(&["convert", input.to_str().unwrap(), out.join("converted").to_str().unwrap()]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' INT; exec \"$@\"", "sh"]).arg(convert.get_program()).args(convert.get_args());
    let mut child = shell.process_group(0).spawn().unwrap();
    wait_for_part(&out, &mut child);
    send(2, &child);
    std::thread::sleep(Duration::from_millis(50));
    assert!(child.try_wait().unwrap().is_none(), "it ended though the signal is ignored");
    send(15, &child);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert!(files(&out).is_empty(), "{:?}", files(&out));
}
