//! Measured variants are taken in place of the library's choice; what does not apply is not.

use std::path::Path;

use switchback::gpu::Tuning;
use switchback::weights::Weights;
use switchback::{Conv2d, Gpu, Graph, Tensor, kernel::conv2d};

use crate::common::adapter;

/// The variant of the graph's convolution on a device with this tuning file.
fn variant(graph: &Graph, weights: &Weights, file: &Path) -> Option<&'static str> {
    let gpu = adapter::open(Gpu::builder().tuning(file))?;
    let mut session = gpu.compile(graph, weights).unwrap();
    session.run(&Tensor::zeros([1, 16, 20, 12]).unwrap()).unwrap();
    Some(session.plan().nodes()[0].variant())
}

#[test]
fn a_tuning_chooses_variants() {
    let Some(gpu) = adapter::gpu() else { return };
    let mut g = Graph::builder();
    let x = g.input("x", [1, 16, 20, 12]).unwrap();
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
    assert!(problem.contains("1x16x20x12") && tuning.iter().count() == 1, "{problem}");

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
