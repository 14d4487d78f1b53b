//! Max pooling, with or without switches.

use super::{AXES, Cost, check_padding, check_window, span};
use crate::error::{Error, Result};
use crate::shape::{Padding, Shape};

const OP: &str = "max_pool2d";

/// How many windows fit when the stride does not divide the slack.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Rounding {
    /// Only whole windows: `floor((H + pads - span) / stride) + 1`.
    #[default]
    Floor,
    /// Also a last partial window: `ceil((H + pads - span) / stride) + 1`, dropped when it would start past the input and
    /// its leading pad. The rule of PyTorch and ONNX.
    Ceil,
    /// As `Ceil`, but dropped only if there is any padding. The rule of Caffe, and so of FCN and SegNet.
    Caffe,
}

/// Max pooling `y[n,c,i,j] = max_{u,v} x[n,c, i*sy + u*dy - top, j*sx + v*dx - left]` over the cells inside the input;
/// padding never wins.
///
/// Among equal values the first in raster order wins, a NaN beats every number, and the last NaN wins (PyTorch's rule).
///
/// ```
/// use switchback::{MaxPool2d, Rounding};
/// let pool = MaxPool2d::new([2, 2]).stride([2, 2]).rounding(Rounding::Caffe);
/// assert_eq!(pool.output_shape([1, 512, 45, 60].into())?, [1, 512, 23, 30].into());
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct MaxPool2d {
    /// Window rows and columns.
    pub kernel: [usize; 2],
    /// Step in input rows and columns.
    pub stride: [usize; 2],
    /// Border that windows may reach into.
    pub pad: Padding,
    /// Distance between the cells of a window.
    pub dilation: [usize; 2],
    /// What happens to a last partial window.
    pub rounding: Rounding,
}

impl MaxPool2d {
    /// A pooling whose stride is its kernel, without padding, dilation 1, whole windows only.
    #[must_use]
    pub const fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: kernel, pad: Padding::NONE, dilation: [1, 1], rounding: Rounding::Floor }
    }

    /// Sets the step in rows and columns.
    #[must_use]
    pub const fn stride(mut self, stride: [usize; 2]) -> Self {
        self.stride = stride;
        self
    }

    /// Sets the border: one number for all sides, `[rows, columns]`, or a [`Padding`].
    #[must_use]
    pub fn pad(mut self, pad: impl Into<Padding>) -> Self {
        self.pad = pad.into();
        self
    }

    /// Sets the distance between the cells of a window.
    #[must_use]
    pub const fn dilation(mut self, dilation: [usize; 2]) -> Self {
        self.dilation = dilation;
        self
    }

    /// Sets what happens to a last partial window.
    #[must_use]
    pub const fn rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = rounding;
        self
    }

    /// Keeps a last partial window, by PyTorch's rule.
    #[must_use]
    pub const fn ceil(self) -> Self {
        self.rounding(Rounding::Ceil)
    }

    /// Validates the operand and gives the output's shape, which is also that of the switches.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a hyperparameter out of range; [`Error::Operand`] for an input smaller than the window;
    /// [`Error::Unsupported`] where a window would hold no cell of the input (Caffe's rule and wide borders allow it),
    /// since it has no maximum.
    pub fn output_shape(&self, input: Shape) -> Result<Shape> {
        check_window(OP, self.kernel, self.stride, self.dilation)?;
        check_padding(OP, "pad", self.pad)?;
        input.check(OP, "input")?;
        let output = input.with_extent([self.output_axis(0, input.h)?, self.output_axis(1, input.w)?]);
        output.check(OP, "output")?;
        Ok(output)
    }

    fn output_axis(&self, axis: usize, cells: usize) -> Result<usize> {
        let (before, after) = (self.pad.before()[axis], self.pad.after()[axis]);
        let stride = self.stride[axis];
        let span = span(self.kernel[axis], self.dilation[axis]);
        // ceil(a / stride) = floor((a + stride - 1) / stride), here also for -stride < a < 0: one window, partial.
        let grace = if self.rounding == Rounding::Floor { 0 } else { stride - 1 };
        let Some(slack) = (cells + before + after + grace).checked_sub(span) else {
            let expected = format!("at least {} {} with padding", span - grace, AXES[axis]);
            return Err(Error::operand(OP, "input", expected, cells + before + after));
        };
        let windows = slack / stride + 1;
        let may_drop = match self.rounding {
            Rounding::Floor => false,
            Rounding::Ceil => true,
            Rounding::Caffe => self.pad != Padding::NONE,
        };
        let windows = windows - usize::from(may_drop && (windows - 1) * stride >= cells + before);
        // Windows that lie inside the input need no check: only those that begin before it or end after it.
        let leading = before.div_ceil(stride).min(windows);
        let trailing = (cells + before + 1).saturating_sub(span).div_ceil(stride).min(windows);
        if let Some(empty) = (0..leading).chain(trailing..windows).find(|&w| !self.reaches_input(axis, w, cells)) {
            return Err(Error::Unsupported {
                what: format!("{OP} with an empty window"),
                why: format!("window {empty} of {windows} along the {} holds no cell of the input", AXES[axis]),
                way_out: "use less padding, or leave such windows out with Rounding::Ceil".to_owned(),
            });
        }
        Ok(windows)
    }

    /// Whether a window has a tap in `0..cells` along an axis.
    fn reaches_input(&self, axis: usize, window: usize, cells: usize) -> bool {
        let start = window * self.stride[axis];
        let before = self.pad.before()[axis];
        let tap = before.saturating_sub(start).div_ceil(self.dilation[axis]);
        tap < self.kernel[axis] && start + tap * self.dilation[axis] < cells + before
    }

    /// Whether input cell `[row, column]` belongs to the window of output cell `[row, column]`.
    #[must_use]
    pub fn window_contains(&self, output: [usize; 2], input: [usize; 2]) -> bool {
        (0..2).all(|axis| {
            let start = output[axis].saturating_mul(self.stride[axis]);
            let offset = input[axis].saturating_add(self.pad.before()[axis]).checked_sub(start);
            let tap = offset.filter(|offset| offset.is_multiple_of(self.dilation[axis]));
            tap.and_then(|offset| offset.checked_div(self.dilation[axis])).is_some_and(|tap| tap < self.kernel[axis])
        })
    }

    /// Whether two windows can share an input cell, so that a switch may occur twice.
    #[must_use]
    pub fn overlaps(&self) -> bool {
        // A shared cell along an axis needs taps u, u' with (u - u') * dilation a multiple of the stride other than 0.
        (0..2).any(|axis| {
            let apart = |step: usize| step.saturating_mul(self.dilation[axis]);
            (1..self.kernel[axis]).any(|step| apart(step).is_multiple_of(self.stride[axis]))
        })
    }

    /// Least bytes; a maximum is not counted as a multiply-add.
    ///
    /// # Errors
    /// As [`MaxPool2d::output_shape`].
    pub fn cost(&self, input: Shape, with_switches: bool) -> Result<Cost> {
        let output = self.output_shape(input)?;
        let values = Cost::moving([input, output]);
        Ok(if with_switches { values + Cost::moving([output]) } else { values })
    }
}
