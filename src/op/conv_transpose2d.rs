//! Two-dimensional transposed convolution: the adjoint of [`Conv2d`](super::Conv2d).

use super::{AXES, Conv2d, Cost, check_bias, check_padding, check_window, span};
use crate::error::{Error, Result};
use crate::shape::{Padding, Shape};

const OP: &str = "conv_transpose2d";

/// How large the output is: several input extents of a strided convolution share one output extent, so its transpose
/// has to be told which one to go back to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OutputExtent {
    /// The smallest extent, plus so many rows at the bottom and columns at the right (`output_padding`).
    Padding([usize; 2]),
    /// Exactly these rows and columns.
    Size([usize; 2]),
}

/// Transposed convolution: every input cell scatters its value times the kernel,
/// `y[n,o, i*sy + u*dy - top, j*sx + v*dx - left] += x[n,c,i,j] * w[c,o,u,v]`, then bias, then optionally ReLU.
///
/// Input `N x Cin x H x W`, weight `Cin x Cout/groups x kh x kw` (the weight of the convolution it is the transpose of,
/// unchanged), bias `1 x Cout x 1 x 1`.
///
/// Output rows `(H-1)*stride + dilation*(kernel-1) + 1 - top - bottom + output_padding`, and columns likewise
/// (Dumoulin and Visin, relationship 14; `output_padding` is their `a`).
///
/// ```
/// use switchback::ConvTranspose2d;
/// let upscore2 = ConvTranspose2d::new([4, 4]).stride([2, 2]);
/// let y = upscore2.output_shape([1, 21, 16, 16].into(), [21, 21, 4, 4].into(), None)?;
/// assert_eq!(y, [1, 21, 34, 34].into());
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct ConvTranspose2d {
    /// Kernel rows and columns.
    pub kernel: [usize; 2],
    /// Output rows and columns an input step is worth.
    pub stride: [usize; 2],
    /// Border cut off the output.
    pub pad: Padding,
    /// Distance between kernel taps.
    pub dilation: [usize; 2],
    /// Independent channel groups.
    pub groups: usize,
    /// Which of the possible output extents.
    pub output: OutputExtent,
    /// Whether negative results become zero.
    pub relu: bool,
}

impl ConvTranspose2d {
    /// A transposed convolution of stride 1, no padding, dilation 1, one group, smallest output, without ReLU.
    #[must_use]
    pub const fn new(kernel: [usize; 2]) -> Self {
        Self {
            kernel,
            stride: [1, 1],
            pad: Padding::NONE,
            dilation: [1, 1],
            groups: 1,
            output: OutputExtent::Padding([0, 0]),
            relu: false,
        }
    }

    /// Sets the rows and columns an input step is worth.
    #[must_use]
    pub const fn stride(mut self, stride: [usize; 2]) -> Self {
        self.stride = stride;
        self
    }

    /// Sets the border cut off: one number for all sides, `[rows, columns]`, or a [`Padding`].
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

    /// Asks for so many more rows at the bottom and columns at the right.
    #[must_use]
    pub const fn output_padding(mut self, padding: [usize; 2]) -> Self {
        self.output = OutputExtent::Padding(padding);
        self
    }

    /// Asks for exactly these output rows and columns.
    #[must_use]
    pub const fn output_size(mut self, size: [usize; 2]) -> Self {
        self.output = OutputExtent::Size(size);
        self
    }

    /// Fuses a ReLU.
    #[must_use]
    pub const fn relu(mut self) -> Self {
        self.relu = true;
        self
    }

    /// The convolution of which this is the transpose (without bias and ReLU).
    #[must_use]
    pub fn adjoint(&self) -> Conv2d {
        Conv2d::new(self.kernel).stride(self.stride).pad(self.pad).dilation(self.dilation).groups(self.groups)
    }

    /// The convolution, over the same map with the flipped kernel ([`crate::reference::flipped_weight`]), that computes
    /// the same: for stride 1 and a border that cuts off no more than the kernel adds (Dumoulin and Visin, relationships
    /// 8 to 10). `None` where there is none.
    #[must_use]
    pub fn as_convolution(&self, input: Shape) -> Option<Conv2d> {
        check_window(OP, self.kernel, self.stride, self.dilation).ok()?;
        check_padding(OP, "pad", self.pad).and_then(|()| input.check(OP, "input")).ok()?;
        if self.stride != [1, 1] {
            return None;
        }
        let reach: [usize; 2] = std::array::from_fn(|axis| span(self.kernel[axis], self.dilation[axis]) - 1);
        let border = |axis: usize| {
            let before = reach[axis].checked_sub(self.pad.before()[axis])?;
            let output = self.output_axis(axis, input.extent()[axis]).ok()?;
            Some((before, (output + reach[axis]).checked_sub(input.extent()[axis] + before)?))
        };
        let ((top, bottom), (left, right)) = (border(0)?, border(1)?);
        let op = Conv2d::new(self.kernel).pad(Padding { top, bottom, left, right });
        let op = op.dilation(self.dilation).groups(self.groups);
        Some(if self.relu { op.relu() } else { op })
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
        Ok(Shape { n: input_channels, c: output_channels / groups, h: self.kernel[0], w: self.kernel[1] })
    }

    /// Validates the operands and gives the output's shape.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a hyperparameter out of range (`output_padding` must stay below the larger of stride
    /// and dilation, an explicit size within the same slack), [`Error::Operand`] for a shape that does not fit.
    pub fn output_shape(&self, input: Shape, weight: Shape, bias: Option<Shape>) -> Result<Shape> {
        check_window(OP, self.kernel, self.stride, self.dilation)?;
        check_padding(OP, "pad", self.pad)?;
        input.check(OP, "input")?;
        weight.check(OP, "weight")?;
        let channels = weight.c.saturating_mul(self.groups);
        let expected = self.weight_shape(input.c, channels)?;
        if weight != expected {
            return Err(Error::operand(OP, "weight", expected, weight));
        }
        check_bias(OP, bias, channels)?;
        let extent = [self.output_axis(0, input.h)?, self.output_axis(1, input.w)?];
        let output = Shape { n: input.n, c: channels, h: extent[0], w: extent[1] };
        output.check(OP, "output")?;
        Ok(output)
    }

    fn output_axis(&self, axis: usize, cells: usize) -> Result<usize> {
        let uncut = (cells as u64 - 1) * self.stride[axis] as u64 + span(self.kernel[axis], self.dilation[axis]) as u64;
        let Ok(uncut) = i32::try_from(uncut) else {
            return Err(Error::operand(OP, "output", "fewer than 2^31 elements", format!("{uncut} {}", AXES[axis])));
        };
        let slack = self.stride[axis].max(self.dilation[axis]);
        // Negative where the border cuts off more than there is, which an output padding may still make up for.
        let smallest = i64::from(uncut) - (self.pad.before()[axis] + self.pad.after()[axis]) as i64;
        let largest = smallest + slack as i64 - 1;
        let nothing_left = || {
            let expected = format!("a border that leaves some of the output's {uncut} {}", AXES[axis]);
            Err(Error::parameter(OP, "pad", expected, self.pad))
        };
        if largest < 1 {
            return nothing_left();
        }
        match self.output {
            OutputExtent::Padding(padding) if padding[axis] >= slack => {
                let expected = format!("below {slack} along the {}, the larger of stride and dilation", AXES[axis]);
                Err(Error::parameter(OP, "output_padding", expected, format!("{padding:?}")))
            }
            OutputExtent::Padding(padding) => match usize::try_from(smallest + padding[axis] as i64) {
                Ok(size) if size > 0 => Ok(size),
                _ => nothing_left(),
            },
            OutputExtent::Size(size) => {
                let range = smallest.max(1) as usize..=largest as usize;
                if range.contains(&size[axis]) {
                    return Ok(size[axis]);
                }
                let expected = format!("{} to {} {}", range.start(), range.end(), AXES[axis]);
                Err(Error::parameter(OP, "output_size", expected, format!("{size:?}")))
            }
        }
    }

    /// Multiply-adds (of the scattering definition: no inserted zeros are counted), parameters and least bytes.
    ///
    /// # Errors
    /// As [`ConvTranspose2d::output_shape`].
    pub fn cost(&self, input: Shape, weight: Shape, bias: Option<Shape>) -> Result<Cost> {
        let output = self.output_shape(input, weight, bias)?;
        let parameters = (weight.elements() + bias.map_or(0, Shape::elements)) as u64;
        let macs = (input.elements() as u64).saturating_mul((weight.elements() / weight.n) as u64);
        let bytes = 4 * (input.elements() as u64 + output.elements() as u64 + parameters);
        Ok(Cost { macs, parameters, bytes })
    }
}
