//! Dense-prediction networks on any GPU, through WGSL compute shaders.
//!
//! Every operator has three views of one name:
//!
//! | | |
//! |---|---|
//! | [`op`] | its description: hyperparameters, validation, output shape, cost; pure |
//! | [`mod@reference`] | the oracle: nested loops in f64 on the CPU, with the bound that any f32 result must keep |
//! | [`kernel`], and a method of [`Gpu`] | the ways to compute it on a device |
//!
//! ```
//! use switchback::{ConvTranspose2d, Tensor, reference};
//!
//! let up = ConvTranspose2d::new([2, 2]).stride([2, 2]);
//! let x = Tensor::new([1, 1, 1, 2], vec![1.0, 3.0])?;
//! let w = Tensor::full([1, 1, 2, 2], 0.5)?;
//! let y = reference::conv_transpose2d(&up, &x, &w, None)?.tensor();
//! assert_eq!(y.shape(), [1, 1, 2, 4].into());
//! assert_eq!(y.data(), [0.5, 0.5, 1.5, 1.5, 0.5, 0.5, 1.5, 1.5]);
//! # Ok::<(), switchback::Error>(())
//! ```
//!
//! The same on a device; blocking calls have an `_async` form beside them, which is the only one in browsers:
//!
//! ```no_run
//! # use switchback::{ConvTranspose2d, Tensor};
//! # let (up, x, w) = (ConvTranspose2d::new([2, 2]), Tensor::zeros([1, 1, 1, 2])?, Tensor::zeros([1, 1, 2, 2])?);
//! let gpu = switchback::Gpu::new()?;
//! let y = gpu.conv_transpose2d(&up, &gpu.upload(&x)?, &gpu.upload(&w)?, None)?;
//! let y = gpu.download(&y)?;
//! # Ok::<(), switchback::Error>(())
//! ```
//!
//! Networks are [`graph`]s of named nodes, built by hand or by [`net`] with [`weights`] from a file; a graph is planned,
//! interpreted on the reference, or compiled into a [`graph::Session`] that runs with one submission, without compiling or
//! allocating anything. An application that has a [`wgpu`] device of its own uses that: [`Gpu::device_descriptor`] opens it,
//! [`Gpu::from_device`] takes it, [`graph::Session::record`] puts runs between the application's passes.
//!
//! Tensors are f32 in NCHW order. Errors name the operand, what was expected, what was found and the way out; nothing here
//! panics on any input, and a device's faults come back as errors of the call that met them.
//!
//! Features: `safetensors` reads and writes weight files; `checkpoints` reads those of PyTorch and Caffe too; `image` reads
//! photographs, reads and writes label maps, and measures; `cli`, the default, is all of them and the command line. A library
//! user writes `default-features = false`.

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
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed assumption fails the test")]
#[path = "../tests/common/mod.rs"]
mod common;

/// The README's blocks compile.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod bilinear;
mod dataset;
mod error;
#[cfg(any(feature = "image", feature = "safetensors", not(target_arch = "wasm32")))]
mod file;
mod shape;
mod tensor;

pub use bilinear::{bilinear_filter, bilinear_weight};
pub use dataset::Dataset;
pub use error::{Error, Result};
#[cfg(any(feature = "image", feature = "safetensors", not(target_arch = "wasm32")))]
pub use file::{abandon_writes, read_text, replace_file};
pub use gpu::{Gpu, GpuImage, GpuLabels, GpuSwitches, GpuTensor};
pub use graph::{Edge, Graph, GraphBuilder, Parameters, Weight};
pub use op::{
    Add, ArgmaxChannels, BatchNorm, ChannelOrder, Colorize, Concat, Conv2d, ConvTranspose2d, Crop, CropAdd,
    LocalResponseNorm, MaxPool2d, MaxUnpool2d, Normalize, OutputExtent, Pad, Palette, Relu, Rounding, Scale, Slice,
    SoftmaxChannels,
};
pub use shape::{Padding, Shape};
pub use tensor::{Labels, RgbImage, Switches, Tensor, Value};
