//! Batch norm and local response norm against PyTorch and ONNX Runtime, on the reference and on the device.

use std::collections::BTreeMap;

use serde::Deserialize;
use switchback::reference::{self, Answer};
use switchback::{BatchNorm, Gpu, LocalResponseNorm, Tensor};

use crate::common::adapter;
use crate::common::project::project;
use crate::file::File;

#[derive(Deserialize)]
struct Case {
    name: String,
    inputs: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
    #[serde(flatten)]
    operator: Operator,
}

#[derive(Deserialize)]
#[serde(tag = "op", content = "params", rename_all = "snake_case")]
enum Operator {
    BatchNorm { eps: f32, relu: bool },
    Lrn { size: usize, alpha: f32, beta: f32, k: f32 },
}

fn cases() -> (Vec<Case>, File) {
    let cases: Vec<Case> = serde_json::from_str(include_str!("normalization.json")).unwrap();
    assert_eq!(cases.len(), 25);
    let path = project("tests/golden/normalization.safetensors");
    (cases, File::open(path))
}

fn lrn(size: usize, alpha: f32, beta: f32, k: f32) -> LocalResponseNorm {
    LocalResponseNorm::new(size).alpha(alpha).beta(beta).k(k)
}

impl Case {
    fn vectors(&self, file: &File) -> [Tensor; 4] {
        BatchNorm::PARTS.map(|part| file.floats(&self.inputs[part]))
    }

    fn on_reference(&self, file: &File) -> Answer {
        let x = file.floats(&self.inputs["x"]);
        match self.operator {
            Operator::BatchNorm { eps, .. } => {
                reference::batch_norm(&BatchNorm::new().epsilon(eps), &x, self.vectors(file).each_ref()).unwrap()
            }
            Operator::Lrn { size, alpha, beta, k } => {
                reference::local_response_norm(&lrn(size, alpha, beta, k), &x).unwrap()
            }
        }
    }

    fn on_device(&self, file: &File, gpu: &Gpu) -> Tensor {
        let x = gpu.upload(&file.floats(&self.inputs["x"])).unwrap();
        let y = match self.operator {
            Operator::BatchNorm { eps, .. } => {
                let vectors = self.vectors(file).map(|vector| gpu.upload(&vector).unwrap());
                gpu.batch_norm(&BatchNorm::new().epsilon(eps), &x, vectors.each_ref()).unwrap()
            }
            Operator::Lrn { size, alpha, beta, k } => gpu.local_response_norm(&lrn(size, alpha, beta, k), &x).unwrap(),
        };
        gpu.download(&y).unwrap()
    }

    fn relu(&self) -> bool {
        matches!(self.operator, Operator::BatchNorm { relu: true, .. })
    }
}

/// The recorded results are f64 rounded once, from an epsilon in f64: well within the bound. A ReLU brings no two
/// numbers further apart, so that the bound before it holds after it.
#[test]
fn the_reference_gives_the_recorded_results() {
    let (cases, file) = cases();
    for case in cases {
        let (answer, recorded) = (case.on_reference(&file), file.floats(&case.outputs["y"]));
        if case.relu() {
            let rectified = reference::relu(&answer.tensor()).unwrap();
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= b.abs() * 2.0 * f32::EPSILON;
            assert!(rectified.data().iter().zip(recorded.data()).all(near), "{}", case.name);
            assert!(recorded.data().contains(&0.0), "{}", case.name);
        } else {
            answer.check(&recorded).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", case.name));
        }
    }
}

#[test]
fn the_device_stays_within_the_bound() {
    let Some(gpu) = adapter::gpu() else { return };
    let (cases, file) = cases();
    for case in cases {
        let verdict = case.on_reference(&file).check(&case.on_device(&file, &gpu));
        verdict.unwrap_or_else(|mismatch| panic!("{}: {mismatch}", case.name));
    }
}
