//! Switchback: dense-prediction networks on any GPU.

pub mod gpu;
pub mod graph;
#[cfg(feature = "image")]
pub mod image;
pub mod kernel;
pub mod net;
pub mod op;
pub mod reference;
pub mod weights;

/// `tests/common`, written against the public API, serves unit tests too.
#[cfg(test)]
extern crate self as switchback;

#[cfg(test)]
#[allow(dead_code, clippy::panic, reason = "integration tests use the rest; a failed assumption fails the test")]
#[path = "../tests/common/adapter.rs"]
mod adapter;

mod bilinear;
mod error;
#[cfg(any(feature = "image", feature = "safetensors"))]
mod file;
mod shape;
mod tensor;

pub use bilinear::{bilinear_filter, bilinear_weight};
pub use error::{Error, Result};
#[cfg(any(feature = "image", feature = "safetensors"))]
pub use file::replace_file;
pub use gpu::{Gpu, GpuImage, GpuLabels, GpuSwitches, GpuTensor};
pub use graph::{Edge, Graph, GraphBuilder, Parameters, Weight};
pub use op::{
    Add, ArgmaxChannels, ChannelOrder, Colorize, Concat, Conv2d, ConvTranspose2d, Crop, CropAdd, MaxPool2d,
    MaxUnpool2d, Normalize, OutputExtent, Pad, Palette, Relu, Rounding, Scale, Slice, SoftmaxChannels,
};
pub use shape::{Padding, Shape};
pub use tensor::{Labels, RgbImage, Switches, Tensor, Value};
