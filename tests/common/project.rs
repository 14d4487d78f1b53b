//! Where the project's files are.

use std::path::PathBuf;

/// A file or folder of the project, by its path there: below the folder that `SWITCHBACK_ROOT` names, as in a bundle for
/// machines without a toolchain, otherwise where it was compiled.
pub(crate) fn project(path: &str) -> PathBuf {
    root().unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR"))).join(path)
}

/// The command line's program, there likewise.
pub(crate) fn program(compiled: &str) -> PathBuf {
    root().map_or_else(|| PathBuf::from(compiled), |root| root.join("switchback"))
}

fn root() -> Option<PathBuf> {
    std::env::var_os("SWITCHBACK_ROOT").filter(|root| !root.is_empty()).map(PathBuf::from)
}
