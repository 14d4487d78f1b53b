//! The cases as they are written in `operators.json` (PROVENANCE.md says what the keys mean).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use switchback::{Labels, MaxPool2d, Padding, RgbImage, Rounding, Switches, Tensor};

use super::Outcome;
use crate::common::project::project;
use crate::file::File;

#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) exact: bool,
    pub(super) finite: bool,
    pub(super) contested: Option<String>,
    inputs: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(super) operator: Operator,
}

#[derive(Deserialize)]
#[serde(tag = "op", content = "params", rename_all = "snake_case")]
pub(super) enum Operator {
    Conv2d(Window),
    ConvTranspose2d(Window),
    MaxPool2d(Window),
    MaxUnpool2d { kernel: [usize; 2], stride: [usize; 2], pad: Border, origin: [usize; 2], output_size: [usize; 2] },
    Relu {},
    Add { relu: bool },
    Crop { offset: [usize; 2], size: [usize; 2] },
    Pad { pad: Border },
    CropAdd { offset: [usize; 2] },
    Concat {},
    Slice { start: usize, count: usize },
    Scale { factor: Option<f32>, relu: bool },
    SoftmaxChannels {},
    ArgmaxChannels {},
    Normalize { order: String, mean: [f32; 3], scale: [f32; 3] },
    Bilinear { kernel: [usize; 2], channels: usize, layout: String },
}

/// Parameters of the operators with a window; each has some of them.
#[derive(Deserialize)]
pub(super) struct Window {
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) dilation: [usize; 2],
    pub(super) pad: Border,
    #[serde(default)]
    pub(super) groups: usize,
    #[serde(default)]
    pub(super) relu: bool,
    pub(super) output_padding: Option<[usize; 2]>,
    pub(super) output_size: Option<[usize; 2]>,
    pub(super) rounding: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
pub(super) struct Border {
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

impl From<Border> for Padding {
    fn from(Border { top, bottom, left, right }: Border) -> Self {
        Self { top, bottom, left, right }
    }
}

pub(super) fn cases() -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../operators.json")).unwrap();
    assert_eq!(cases.len(), 263);
    cases
}

fn file() -> &'static File {
    static FILE: OnceLock<File> = OnceLock::new();
    let path = || project("tests/golden/operators.safetensors");
    FILE.get_or_init(|| File::open(path()))
}

impl Case {
    /// An operand.
    pub(super) fn input(&self, key: &str) -> Tensor {
        file().floats(&self.inputs[key])
    }

    /// An operand that may be absent.
    pub(super) fn optional(&self, key: &str) -> Option<Tensor> {
        self.inputs.contains_key(key).then(|| self.input(key))
    }

    /// The operands of a concatenation.
    pub(super) fn parts(&self) -> Vec<Tensor> {
        (0..self.inputs.len()).map(|position| self.input(&format!("x{position}"))).collect()
    }

    /// The image to be normalised.
    pub(super) fn image(&self) -> RgbImage {
        let (shape, bytes) = file().bytes(&self.inputs["x"]);
        RgbImage::new([shape[0], shape[1]], bytes).unwrap()
    }

    /// The switches to unpool by. How the pooling rounded is not written down, and follows from its result.
    pub(super) fn switches(&self, pool: MaxPool2d, origin: [usize; 2]) -> Switches {
        let shape = self.input("x").shape();
        let fits = |rounding| pool.rounding(rounding).output_shape(shape.with_extent(origin)).ok() == Some(shape);
        let rounding = [Rounding::Floor, Rounding::Ceil].into_iter().find(|&rounding| fits(rounding)).unwrap();
        Switches::new(shape, origin, pool.rounding(rounding), file().switches(&self.inputs["switches"])).unwrap()
    }

    /// The recorded result.
    pub(super) fn recorded(&self) -> Outcome {
        let y = &self.outputs["y"];
        match &self.operator {
            Operator::MaxPool2d(window) => {
                let (y, switches) = (file().floats(y), file().switches(&self.outputs["switches"]));
                let origin = self.input("x").shape().extent();
                let switches = Switches::new(y.shape(), origin, window.max_pool2d(), switches).unwrap();
                Outcome::Pooled(y, switches)
            }
            Operator::ArgmaxChannels {} => {
                let (shape, bytes) = file().bytes(y);
                Outcome::Labels(Labels::new(shape[0], [shape[1], shape[2]], bytes).unwrap())
            }
            _ => Outcome::Tensor(file().floats(y)),
        }
    }
}
