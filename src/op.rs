//! Operators as pure descriptions: hyperparameters, validation, output shapes and cost. No data and no GPU here.
//!
//! Every operator is a small `Copy` value. Its `output_shape` validates the operands' shapes and is the one place where
//! sizes are computed; the oracle (`reference`), the kernels and the graph all ask it.

mod argmax_channels;
mod batch_norm;
mod colorize;
mod concat;
mod conv2d;
mod conv_transpose2d;
mod crop;
mod crop_add;
mod elementwise;
mod local_response_norm;
mod max_pool2d;
mod max_unpool2d;
mod normalize;
mod pad;
mod scale;
mod slice;
mod softmax_channels;
#[cfg(test)]
mod tests;

pub use argmax_channels::ArgmaxChannels;
pub use batch_norm::BatchNorm;
pub use colorize::{Colorize, Palette};
pub use concat::Concat;
pub use conv_transpose2d::{ConvTranspose2d, OutputExtent};
pub use conv2d::Conv2d;
pub use crop::Crop;
pub use crop_add::CropAdd;
pub use elementwise::{Add, Relu};
pub use local_response_norm::LocalResponseNorm;
pub use max_pool2d::{MaxPool2d, Rounding};
pub use max_unpool2d::MaxUnpool2d;
pub use normalize::{ChannelOrder, Normalize};
pub use pad::Pad;
pub use scale::Scale;
pub use slice::Slice;
pub use softmax_channels::SoftmaxChannels;

use crate::error::{Error, Result};
use crate::shape::Shape;

/// What an operator costs at given shapes, before any kernel is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Multiply-adds of the definition, padding taps counted as in the literature (FCN-8s at 500x500 has 181.5e9).
    pub macs: u64,
    /// Weight and bias elements.
    pub parameters: u64,
    /// Least bytes: every operand read once, every result written once.
    pub bytes: u64,
}

impl Cost {
    /// Of an operator without multiplications, from the shapes of all that it reads and writes, four bytes an element.
    pub(crate) fn moving<const OPERANDS: usize>(operands: [Shape; OPERANDS]) -> Self {
        let elements: u64 = operands.iter().map(|shape| shape.elements() as u64).sum();
        Self { macs: 0, parameters: 0, bytes: 4 * elements }
    }
}

impl std::ops::Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            macs: self.macs.saturating_add(other.macs),
            parameters: self.parameters.saturating_add(other.parameters),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |total, cost| total + cost)
    }
}

/// The two spatial axes, for messages.
pub(crate) const AXES: [&str; 2] = ["rows", "columns"];

/// Cells that a dilated kernel spans along an axis; both must have passed [`check_window`].
pub(crate) const fn span(kernel: usize, dilation: usize) -> usize {
    dilation * (kernel - 1) + 1
}

/// Refuses a kernel, stride, dilation or group count of zero, and any beyond what a 32-bit shader index can hold.
pub(crate) fn check_window(
    op: &'static str,
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
) -> Result<()> {
    for (name, value) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
        if value.iter().any(|v| !(1..=MAX_PARAMETER).contains(v)) {
            return Err(Error::parameter(
                op,
                name,
                format!("1 to {MAX_PARAMETER} along each axis"),
                format!("{value:?}"),
            ));
        }
    }
    Ok(())
}

/// Refuses borders beyond what a 32-bit shader index can hold.
pub(crate) fn check_padding(op: &'static str, name: &'static str, pad: crate::Padding) -> Result<()> {
    if [pad.top, pad.bottom, pad.left, pad.right].iter().any(|&side| side > MAX_PARAMETER) {
        return Err(Error::parameter(op, name, format!("at most {MAX_PARAMETER} a side"), pad));
    }
    Ok(())
}

/// Largest kernel, stride, dilation, border or offset: products of two stay within 32 bits.
pub(crate) const MAX_PARAMETER: usize = 32_767;

/// Refuses a bias that is not one value an output channel.
pub(crate) fn check_bias(op: &'static str, bias: Option<Shape>, channels: usize) -> Result<()> {
    match bias {
        Some(found) if found != Shape::vector(channels) => {
            Err(Error::operand(op, "bias", format!("{} (one value an output channel)", Shape::vector(channels)), found))
        }
        _ => Ok(()),
    }
}
