//! The oracle: every operator as nested loops over its definition, summed in f64, to be checked by eye.
//!
//! Operators that compute answer with an [`Answer`]: values, and for each the bound within which any order of f32
//! operations must land. Operators that only move values answer with the values themselves, which must be equal.
//!
//! ```
//! use switchback::{ConvTranspose2d, Tensor, reference};
//! let x = Tensor::new([1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0])?;
//! let w = Tensor::full([1, 1, 2, 2], 1.0)?;
//! let answer = reference::conv_transpose2d(&ConvTranspose2d::new([2, 2]), &x, &w, None)?;
//! assert_eq!(answer.tensor().data(), [1.0, 3.0, 2.0, 4.0, 10.0, 6.0, 3.0, 7.0, 4.0]);
//! # Ok::<(), switchback::Error>(())
//! ```

pub mod toeplitz;

mod add;
mod answer;
mod argmax_channels;
mod batch_norm;
mod colorize;
mod concat;
mod conv2d;
mod conv_transpose2d;
mod crop;
mod crop_add;
mod half;
mod local_response_norm;
mod max_pool2d;
mod max_unpool2d;
mod minimal_filtering;
mod normalize;
mod pad;
mod relu;
mod scale;
mod slice;
mod softmax_channels;
mod sum;

pub use add::add;
pub use answer::{Answer, Mismatch};
pub use argmax_channels::argmax_channels;
pub use batch_norm::batch_norm;
pub use colorize::colorize;
pub use concat::concat;
pub use conv_transpose2d::{conv_transpose2d, conv_transpose2d_values, flipped_weight};
pub use conv2d::{conv2d, conv2d_values};
pub use crop::crop;
pub use crop_add::crop_add;
pub use half::{LARGEST_HALF, conv_transpose2d_half_operands, conv2d_half_operands, half, half_tensor};
pub use local_response_norm::local_response_norm;
pub(crate) use max_pool2d::switches_of_sums;
pub use max_pool2d::{max_pool2d, max_pool2d_sums};
pub use max_unpool2d::max_unpool2d;
pub use minimal_filtering::{conv_transpose2d_minimal_filtering, conv2d_minimal_filtering};
pub use normalize::normalize;
pub use pad::pad;
pub use relu::relu;
pub use scale::scale;
pub use slice::slice;
pub use softmax_channels::softmax_channels;
pub use sum::Sum;

use std::ops::Range;

/// Those `k` in `0..count` for which `k * step + offset - border` lies in `0..cells`: the taps of a window that touch the
/// input, or the output cells that one tap can serve, so that no loop has to ask again.
fn inside(count: usize, step: usize, offset: usize, border: usize, cells: usize) -> Range<usize> {
    let start = border.saturating_sub(offset).div_ceil(step);
    let end = (cells + border).saturating_sub(offset).div_ceil(step);
    start.min(count)..end.min(count)
}
