//! Where compiled pipelines are kept from one command to the next.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Environment variable with the folder for compiled pipelines, or `off`.
const VARIABLE: &str = "SWITCHBACK_CACHE";

/// The folder that the environment names, or `switchback` in the user's folder for caches; `None` if it says `off` or
/// there is no such folder.
pub(crate) fn folder() -> Option<PathBuf> {
    choose(std::env::consts::OS, |name| std::env::var_os(name))
}

fn choose(system: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    match variable(VARIABLE) {
        Some(off) if off == "off" => return None,
        Some(folder) => return Some(folder.into()),
        None => {}
    }
    let home = |below: &str| variable("HOME").map(|home| Path::new(&home).join(below));
    let caches = match system {
        "windows" => variable("LOCALAPPDATA").map(PathBuf::from),
        "macos" => home("Library/Caches"),
        // The XDG base directory specification ignores relative paths.
        _ => variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()).or_else(|| home(".cache")),
    };
    caches.map(|caches| caches.join("switchback"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_its_folder() {
        let found = |system, variables: &[(&str, &str)]| {
            choose(system, |name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into()))
        };
        for (system, variables, expected) in [
            ("linux", &[("HOME", "/home/a")] as &[_], Some("/home/a/.cache/switchback")),
            ("linux", &[("HOME", "/home/a"), ("XDG_CACHE_HOME", "/c")], Some("/c/switchback")),
            ("linux", &[("HOME", "/home/a"), ("XDG_CACHE_HOME", "c")], Some("/home/a/.cache/switchback")),
            ("linux", &[], None),
            ("macos", &[("HOME", "/Users/a")], Some("/Users/a/Library/Caches/switchback")),
            ("windows", &[("LOCALAPPDATA", "/l")], Some("/l/switchback")),
            ("linux", &[("HOME", "/home/a"), (VARIABLE, "off")], None),
            ("linux", &[("HOME", "/home/a"), (VARIABLE, "/elsewhere")], Some("/elsewhere")),
            ("linux", &[("HOME", "/home/a"), (VARIABLE, "")], Some("/home/a/.cache/switchback")),
        ] {
            assert_eq!(found(system, variables), expected.map(PathBuf::from), "{system} {variables:?}");
        }
    }
}
