//! Measured variants are taken in place of the library's choice; what does not apply is not.

use std::path::Path;
use std::sync::{Mutex, Once};

use switchback::gpu::Tuning;
use switchback::kernel::{conv_transpose2d, conv2d};
use switchback::weights::Weights;
use switchback::{Conv2d, ConvTranspose2d, Gpu, Graph, Tensor};

use crate::common::adapter;

/// The variant of the graph's convolution on a device with this tuning file.
fn variant(graph: &Graph, weights: &Weights, file: &Path) -> Option<&'static str> {
    let gpu = adapter::open(Gpu::builder().tuning(file))?;
    let mut session = gpu.compile(graph, weights).unwrap();
    session.run(&Tensor::zeros([1, 8, 20, 12]).unwrap()).unwrap();
    let variant = session.plan().nodes()[0].variant();
    keep(gpu);
    Some(variant)
}

/// Never drops a device: Vulkan's loader (1.4.309) may crash where one thread opens a device while another closes an instance.
fn keep(gpu: Gpu) {
    std::mem::forget(gpu);
}

#[test]
fn a_tuning_chooses_variants() {
    let Some(gpu) = adapter::gpu() else { return };
    let mut g = Graph::builder();
    let x = g.input("x", [1, 8, 20, 12]).unwrap();
    let y = g.conv2d("conv", x, Conv2d::new([3, 3]).pad(1), 16).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 1).unwrap();

    let mut trials = Vec::new();
    let tuning = gpu.tune(&graph, |trial| trials.push((trial.variant.to_owned(), trial.time))).unwrap();
    assert!(trials.len() > 2 && trials.iter().any(|(name, _)| name == "direct"), "{trials:?}");
    let (problem, fastest) = tuning.iter().next().unwrap();
    let least = trials.iter().min_by_key(|(_, time)| *time).unwrap();
    assert_eq!(fastest, least.0, "{trials:?}");
    assert!(problem.contains("1x8x20x12") && tuning.iter().count() == 1, "{problem}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tuning");
    for chosen in [conv2d::Variant::Direct, conv2d::Variant::Tiled, conv2d::Variant::WinogradF2] {
        let text = tuning.to_string().replace(&format!(" = {fastest}\n"), &format!(" = {}\n", chosen.name()));
        text.parse::<Tuning>().unwrap().save(&file).unwrap();
        assert_eq!(variant(&graph, &weights, &file), Some(chosen.name()));
    }
    let default = gpu.compile(&graph, &weights).unwrap().plan().nodes()[0].variant();
    let unknown = tuning.to_string().replace(&format!(" = {fastest}\n"), " = no-such-variant\n");
    std::fs::write(&file, unknown).unwrap();
    assert_eq!(variant(&graph, &weights, &file), Some(default));
    std::fs::write(&file, tuning.to_string().replace("device ", "device not ")).unwrap();
    assert_eq!(variant(&graph, &weights, &file), Some(default));
}

/// By whatever gives the same sums in every run: not by `Scatter`.
#[test]
fn transposed_convolutions_are_tuned_too() {
    let Some(gpu) = adapter::gpu() else { return };
    let mut g = Graph::builder();
    let x = g.input("x", [1, 8, 20, 12]).unwrap();
    let y = g.conv_transpose2d("up", x, ConvTranspose2d::new([4, 4]).stride([2, 2]), 4).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 1).unwrap();

    let mut trials = Vec::new();
    let tuning = gpu.tune(&graph, |trial| trials.push(trial.variant.to_owned())).unwrap();
    let tried = |variant: conv_transpose2d::Variant| trials.iter().any(|name| name == variant.name());
    assert!(tried(conv_transpose2d::Variant::Gather) && tried(conv_transpose2d::Variant::Phased), "{trials:?}");
    let (problem, fastest) = tuning.iter().next().unwrap();
    assert!(problem.contains("1x8x20x12") && fastest != conv_transpose2d::Variant::Scatter.name(), "{problem}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tuning");
    for chosen in [conv_transpose2d::Variant::Gather, conv_transpose2d::Variant::Phased] {
        let text = tuning.to_string().replace(&format!(" = {fastest}\n"), &format!(" = {}\n", chosen.name()));
        text.parse::<Tuning>().unwrap().save(&file).unwrap();
        assert_eq!(variant(&graph, &weights, &file), Some(chosen.name()));
    }
}

/// What the library warned of, in all tests of this binary.
static WARNINGS: Warnings = Warnings(Mutex::new(Vec::new()));

struct Warnings(Mutex<Vec<String>>);

impl log::Log for Warnings {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

impl Warnings {
    fn of(&self, subject: &str) -> Vec<String> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|warning| warning.contains(subject)).cloned().collect()
    }
}

#[test]
fn a_line_or_a_file_that_does_not_fit_is_ignored_with_a_warning_that_says_why() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&WARNINGS).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
    let Some(gpu) = adapter::gpu() else { return };
    let mut g = Graph::builder();
    let x = g.input("x", [1, 8, 20, 12]).unwrap();
    let y = g.conv2d("edited by hand", x, Conv2d::new([3, 3]).pad(1).stride([2, 1]), 16).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 1).unwrap();
    let default = gpu.compile(&graph, &weights).unwrap().plan().nodes()[0].variant();
    let tuning = gpu.tune(&graph, |_| {}).unwrap();
    let (_, fastest) = tuning.iter().next().unwrap();
    let text = tuning.to_string();
    let line = |variant: &str| text.replace(&format!(" = {fastest}\n"), &format!(" = {variant}\n"));
    let folder = tempfile::tempdir().unwrap();
    for (name, edited, why) in [
        ("device", text.replacen("device ", "device Another ", 1), "measured on Another"),
        ("version", text.replacen(env!("CARGO_PKG_VERSION"), "0.0.1", 1), "made by version 0.0.1"),
        ("half", text[..text.len() / 2].to_owned(), "expected"),
        ("no end", text.replace("end of 1 lines\n", ""), "truncated"),
        ("count", text.replace("end of 1 lines", "end of 99999999999999999999999 lines"), "expected end of 1 lines"),
        ("negative", text.replace("end of 1 lines", "end of -1 lines"), "expected end of 1 lines"),
        ("shape", text.replace("1x8x20x12", "1x8x20x13"), "none of its 1 lines is for a node of this graph"),
        ("no variant", line("no-such-variant"), "no-such-variant"),
        ("stride", line("winograd-f4"), "3x3 kernels of stride 1"),
        ("channels", line("depthwise"), "one input channel a group"),
        ("sums", line("split-k"), "of which there are 8"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, edited).unwrap();
        let before = WARNINGS.of("edited by hand").len();
        let gpu = adapter::open(Gpu::builder().tuning(&file)).unwrap();
        assert_eq!(gpu.compile(&graph, &weights).unwrap().plan().nodes()[0].variant(), default, "{name}");
        keep(gpu);
        let of_file = WARNINGS.of(file.to_str().unwrap());
        let found = if of_file.is_empty() { WARNINGS.of("edited by hand").split_off(before) } else { of_file };
        assert!(!found.is_empty() && found.iter().all(|warning| warning.contains("is ignored")), "{name}: {found:?}");
        assert!(found.iter().all(|warning| warning.contains(why)), "{name}: {found:?}");
    }
}
