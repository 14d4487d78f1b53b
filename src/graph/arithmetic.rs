//! How a node was computed, as far as the bound of its results depends on it.

use crate::error::Result;
use crate::op::{Conv2d, ConvTranspose2d};
use crate::reference::{self, Answer};
use crate::tensor::Tensor;

/// What about a node's kernels moves its results: nothing, for plain sums in f32.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Arithmetic {
    /// `[m, r]` along rows and along columns where it computes by minimal filtering F(m x m', r x r'), m cells from r
    /// taps of the kernel or of its pieces.
    pub filtering: Option<[[usize; 2]; 2]>,
    /// Whether it takes its operands in f16 and sums in f32.
    pub half_operands: bool,
    /// Whether its result is kept in f16.
    pub half_result: bool,
}

impl Arithmetic {
    /// The reference's convolution, with the bound of this arithmetic.
    ///
    /// # Errors
    /// As [`reference::conv2d`].
    pub fn conv2d(&self, op: &Conv2d, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Answer> {
        let answer = match self.filtering {
            _ if self.half_operands => reference::conv2d_half_operands(op, x, w, bias),
            Some(filtering) => reference::conv2d_minimal_filtering(op, x, w, bias, filtering),
            None => reference::conv2d(op, x, w, bias),
        };
        answer.map(|answer| self.stored(answer))
    }

    /// The reference's transposed convolution, with the bound of this arithmetic.
    ///
    /// # Errors
    /// As [`reference::conv_transpose2d`].
    pub fn conv_transpose2d(
        &self,
        op: &ConvTranspose2d,
        x: &Tensor,
        w: &Tensor,
        bias: Option<&Tensor>,
    ) -> Result<Answer> {
        let answer = match self.filtering {
            _ if self.half_operands => reference::conv_transpose2d_half_operands(op, x, w, bias),
            Some(filtering) => reference::conv_transpose2d_minimal_filtering(op, x, w, bias, filtering),
            None => reference::conv_transpose2d(op, x, w, bias),
        };
        answer.map(|answer| self.stored(answer))
    }

    /// An answer with the bound of the form in which it is kept.
    #[must_use]
    pub fn stored(&self, answer: Answer) -> Answer {
        if self.half_result { answer.in_half() } else { answer }
    }
}
