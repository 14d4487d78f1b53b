//! Two-dimensional convolution (cross-correlation, as in every deep-learning framework).

use super::{AXES, ConvTranspose2d, Cost, check_bias, check_padding, check_window, span};
use crate::error::{Error, Result};
use crate::shape::{Padding, Shape};

const OP: &str = "conv2d";

/// Convolution `y[n,o,i,j] = b[o] + sum_{c,u,v} x[n,c, i*sy + u*dy - top, j*sx + v*dx - left] * w[o,c,u,v]`,
/// optionally followed by ReLU; cells outside the input count as zero.
///
/// Input `N x Cin x H x W`, weight `Cout x Cin/groups x kh x kw`, bias `1 x Cout x 1 x 1`. Group `g` reads input
/// channels `g*Cin/groups ..` and writes output channels `g*Cout/groups ..`.
///
/// Output rows `(H + top + bottom - dilation*(kernel-1) - 1) / stride + 1`, rounded down, and columns likewise
/// (Dumoulin and Visin, *A guide to convolution arithmetic*, relationship 15).
///
/// ```
/// use switchback::Conv2d;
/// let same = Conv2d::new([3, 3]).pad(1).relu();
/// let y = same.output_shape([1, 3, 96, 64].into(), [32, 3, 3, 3].into(), None)?;
/// assert_eq!(y, [1, 32, 96, 64].into());
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Conv2d {
    /// Kernel rows and columns.
    pub kernel: [usize; 2],
    /// Output step in input rows and columns.
    pub stride: [usize; 2],
    /// Zero border around the input.
    pub pad: Padding,
    /// Distance between kernel taps.
    pub dilation: [usize; 2],
    /// Independent channel groups.
    pub groups: usize,
    /// Whether negative results become zero.
    pub relu: bool,
}

impl Conv2d {
    /// A convolution of stride 1, no padding, dilation 1, one group, without ReLU.
    #[must_use]
    pub const fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: [1, 1], pad: Padding::NONE, dilation: [1, 1], groups: 1, relu: false }
    }

    /// Sets the step in rows and columns.
    #[must_use]
    pub const fn stride(mut self, stride: [usize; 2]) -> Self {
        self.stride = stride;
        self
    }

    /// Sets the zero border: one number for all sides, `[rows, columns]`, or a [`Padding`].
    #[must_use]
    pub fn pad(mut self, pad: impl Into<Padding>) -> Self {
        self.pad = pad.into();
        self
    }

    /// Sets the distance between taps.
    #[must_use]
    pub const fn dilation(mut self, dilation: [usize; 2]) -> Self {
        self.dilation = dilation;
        self
    }

    /// Sets the number of channel groups.
    #[must_use]
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Fuses a ReLU.
    #[must_use]
    pub const fn relu(mut self) -> Self {
        self.relu = true;
        self
    }

    /// The transposed convolution that goes back to inputs of `extent` (rows and columns), with the same weight: its matrix
    /// is the transpose of this one's. Without bias and ReLU.
    #[must_use]
    pub fn adjoint(&self, extent: [usize; 2]) -> ConvTranspose2d {
        ConvTranspose2d::new(self.kernel)
            .stride(self.stride)
            .pad(self.pad)
            .dilation(self.dilation)
            .groups(self.groups)
            .output_size(extent)
    }

    /// The weight this operator needs between so many channels.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the groups do not divide the channels.
    pub fn weight_shape(&self, input_channels: usize, output_channels: usize) -> Result<Shape> {
        let groups = self.groups;
        if groups == 0 || !input_channels.is_multiple_of(groups) || !output_channels.is_multiple_of(groups) {
            let expected = format!("a divisor of {input_channels} input and {output_channels} output channels");
            return Err(Error::parameter(OP, "groups", expected, groups));
        }
        Ok(Shape { n: output_channels, c: input_channels / groups, h: self.kernel[0], w: self.kernel[1] })
    }

    /// Validates the operands and gives the output's shape.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a hyperparameter out of range, [`Error::Operand`] for a shape that does not fit.
    pub fn output_shape(&self, input: Shape, weight: Shape, bias: Option<Shape>) -> Result<Shape> {
        check_window(OP, self.kernel, self.stride, self.dilation)?;
        check_padding(OP, "pad", self.pad)?;
        input.check(OP, "input")?;
        weight.check(OP, "weight")?;
        let expected = self.weight_shape(input.c, weight.n)?;
        if weight != expected {
            return Err(Error::operand(OP, "weight", expected, weight));
        }
        check_bias(OP, bias, weight.n)?;
        let mut extent = [0; 2];
        for axis in 0..2 {
            let padded = input.extent()[axis] + self.pad.before()[axis] + self.pad.after()[axis];
            let span = span(self.kernel[axis], self.dilation[axis]);
            let Some(slack) = padded.checked_sub(span) else {
                let expected = format!("at least {span} {} with padding", AXES[axis]);
                return Err(Error::operand(OP, "input", expected, padded));
            };
            extent[axis] = slack / self.stride[axis] + 1;
        }
        let output = Shape { n: input.n, c: weight.n, h: extent[0], w: extent[1] };
        output.check(OP, "output")?;
        Ok(output)
    }

    /// Multiply-adds, parameters and least bytes.
    ///
    /// # Errors
    /// As [`Conv2d::output_shape`].
    pub fn cost(&self, input: Shape, weight: Shape, bias: Option<Shape>) -> Result<Cost> {
        let output = self.output_shape(input, weight, bias)?;
        let parameters = (weight.elements() + bias.map_or(0, Shape::elements)) as u64;
        let macs = (output.elements() as u64).saturating_mul((weight.elements() / weight.n) as u64);
        let bytes = 4 * (input.elements() as u64 + output.elements() as u64 + parameters);
        Ok(Cost { macs, parameters, bytes })
    }
}
