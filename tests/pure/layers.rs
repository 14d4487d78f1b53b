//! The layers of docs/ARCHITECTURE.md: who may import whom, checked against the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Each layer, by its path under `src`, and the modules that it may import besides itself. The longest path that fits a
/// file counts, so that a part of a module can have rules of its own.
const LAYERS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("shape", &["error"]),
    ("op", &["shape", "error"]),
    // Switches remember the pooling that made them.
    ("tensor", &["op", "shape", "error"]),
    ("bilinear", &["tensor", "shape", "error"]),
    ("dataset", &["op", "error"]),
    ("file", &["error"]),
    // The oracle and the kernels share the operators' descriptions and nothing else.
    ("reference", &["op", "tensor", "shape", "error"]),
    ("gpu", &["file", "op", "tensor", "shape", "error"]),
    ("kernel", &["gpu", "op", "tensor", "shape", "error"]),
    ("weights", &["file", "tensor", "shape", "error"]),
    ("graph", &["weights", "op", "tensor", "shape", "error"]),
    ("graph/arithmetic", &["graph", "reference", "op", "tensor", "error"]),
    ("graph/evaluate", &["graph", "reference", "weights", "op", "tensor", "shape", "error"]),
    ("graph/values", &["graph", "reference", "op", "tensor", "shape", "error"]),
    ("graph/plan", &["graph", "kernel", "gpu", "op", "shape", "error"]),
    ("graph/session", &["graph", "kernel", "gpu", "weights", "op", "tensor", "shape", "error"]),
    ("image", &["file", "op", "tensor", "shape", "error"]),
    ("net", &["graph", "weights", "bilinear", "op", "tensor", "shape", "error"]),
];

/// Layers that may name wgpu or naga: the device, the kernels (whose shaders naga checks), and sessions, which record into
/// an application's own encoder.
const GPU_LAYERS: &[&str] = &["gpu", "kernel", "graph/session"];

#[test]
fn modules_import_what_their_layer_allows() {
    let mut wrong = Vec::new();
    for (path, source) in sources() {
        let layer = layer_of(&path).unwrap_or_else(|| panic!("{path}: add its module to the table"));
        for import in imports(&source) {
            if layer.0.split('/').next() != Some(&import) && !layer.1.contains(&import.as_str()) {
                wrong.push(format!("{path} imports {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn wgpu_stays_in_its_layers() {
    for (path, source) in sources() {
        let names_wgpu = code_lines(&source).any(|line| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "wgpu" || word == "naga")
        });
        let allowed = GPU_LAYERS.iter().any(|layer| belongs_to(&path, layer));
        assert!(!names_wgpu || allowed, "{path} names wgpu or naga");
    }
}

#[test]
fn every_row_of_the_table_has_a_file() {
    let paths: Vec<String> = sources().into_iter().map(|(path, _)| path).collect();
    for (layer, _) in LAYERS {
        assert!(paths.iter().any(|path| belongs_to(path, layer)), "{layer} is no module");
    }
}

#[test]
fn a_planted_import_is_found() {
    let source = "
        //! use crate::comment::Ignored;
        use crate::error::{Error, Result};
        pub(crate) use crate::gpu::Caps;
        fn f() -> crate::op::Cost { g(crate::Switches::new()) } // crate::comment
        #[cfg(test)]
        mod tests {
            use crate::reference;
        }
    ";
    let expected = ["error", "gpu", "op", "tensor"].map(str::to_owned);
    assert_eq!(imports(source), BTreeSet::from(expected));
    assert!(!layer_of("op/conv2d.rs").unwrap().1.contains(&"gpu"));
    assert_eq!(test_modules("a/d.rs", "mod c;\n#[cfg(test)]\nmod b;"), ["a/d/b.rs"]);
    assert_eq!(layer_of("graph/plan.rs").unwrap().0, "graph/plan");
    assert_eq!(layer_of("graph/plan/order.rs").unwrap().0, "graph/plan");
    assert_eq!(layer_of("graph/planner.rs").unwrap().0, "graph");
}

/// Every library file as its path under `src` and its text, but for unit tests, which may import anything.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.file_name().unwrap().to_str().unwrap() {
                "bin" | "lib.rs" | "tests" | "tests.rs" => {}
                _ if path.is_dir() => walk(&path, found),
                _ => found.push(path),
            }
        }
    }
    let mut paths = Vec::new();
    walk(Path::new(SOURCES), &mut paths);
    assert!(paths.len() > 50, "the library's files are elsewhere");
    let relative = |path: &Path| path.strip_prefix(SOURCES).unwrap().to_str().unwrap().replace('\\', "/");
    let mut sources: Vec<_> = paths.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect();
    let tests: Vec<String> = sources.iter().flat_map(|(path, source)| test_modules(path, source)).collect();
    sources.retain(|(path, _)| !tests.contains(path));
    sources
}

/// Files of the modules that a source declares for tests only.
fn test_modules(path: &str, source: &str) -> Vec<String> {
    let folder = path.trim_end_matches(".rs");
    let names = source.split("#[cfg(test)]\nmod ").skip(1).filter_map(|rest| rest.split_once(';'));
    names.map(|(name, _)| format!("{folder}/{name}.rs")).collect()
}

fn belongs_to(path: &str, layer: &str) -> bool {
    path.strip_prefix(layer).is_some_and(|rest| rest.starts_with(['.', '/']))
}

fn layer_of(path: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    LAYERS.iter().filter(|(layer, _)| belongs_to(path, layer)).max_by_key(|(layer, _)| layer.len())
}

/// Lines without comments, up to the unit tests.
fn code_lines(source: &str) -> impl Iterator<Item = &str> {
    let end = source.find("#[cfg(test)]\n").filter(|&at| source[at..].contains("mod tests {")).unwrap_or(source.len());
    source[..end].lines().map(|line| line.split("//").next().unwrap_or_default())
}

/// The crate's own modules that a source names, in `use` or in a path.
fn imports(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in code_lines(source) {
        for (at, prefix) in line.match_indices("crate::") {
            let path = &line[at + prefix.len()..];
            let name = path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            assert!(!name.is_empty(), "one import a line, so that this test can read it: {line}");
            found.insert(root_module(name));
        }
    }
    found
}

/// The module behind a name at the crate's root: itself, or where `lib.rs` re-exports it from.
fn root_module(name: &str) -> String {
    let library = fs::read_to_string(Path::new(SOURCES).join("lib.rs")).unwrap();
    let exports = library.split("pub use ").skip(1).filter_map(|item| item.split(';').next()?.split_once("::"));
    let mut homes = exports.filter(|(_, items)| items.split(['{', '}', ',']).any(|item| item.trim() == name));
    homes.next().map_or(name, |(module, _)| module).to_owned()
}
