//! [`Variant::Flipped`](super::Variant::Flipped) and its kin: a transposed convolution of stride 1 is a convolution with the
//! flipped kernel, and runs as one.

use super::zero_insert::flip;
use super::{OP, Problem, with_own_weight};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Caps, KernelPlan};
use crate::kernel::card::{Card, least_first};
use crate::kernel::conv2d;
use crate::op::Conv2d;
use crate::shape::Shape;

/// The convolution that this is.
///
/// # Errors
/// [`Error::Unsupported`] where there is none.
fn convolution(problem: &Problem<'_>) -> Result<Conv2d> {
    problem.op.as_convolution(problem.input).ok_or_else(|| Error::Unsupported {
        what: format!("{OP} as a convolution with the flipped kernel"),
        why: format!(
            "that is for stride 1 and a border within the kernel, not for kernel {:?}, stride {:?}, dilation {:?}, border {}",
            problem.op.kernel, problem.op.stride, problem.op.dilation, problem.op.pad
        ),
        way_out: "use phased, or none, which chooses by shape".to_owned(),
    })
}

/// The convolution's own choice between its register tiles.
pub(super) fn tiles(problem: &Problem<'_>, caps: &Caps) -> conv2d::Variant {
    let tiles = [conv2d::Variant::Tiled, conv2d::Variant::Staged];
    let first = least_first(tiles, |variant, card| effort(problem, variant, card, caps)).into_iter().next();
    first.unwrap_or(conv2d::Variant::Tiled)
}

/// What the convolution takes by this variant on a card, comparable with the other variants' efforts; `None` where it does not
/// apply.
pub(super) fn effort(problem: &Problem<'_>, variant: conv2d::Variant, card: Card, caps: &Caps) -> Option<f64> {
    let op = convolution(problem).ok()?;
    let &Problem { input, output, .. } = problem;
    let convolution = conv2d::Problem { op: &op, input, weight: problem.flipped(), output };
    conv2d::effort(&convolution, variant, card, caps)
}

/// Flips the weight into scratch, then plans the convolution by this variant, which reads it there.
///
/// # Errors
/// [`Error::Unsupported`] where this is no such convolution; [`Error::Limit`] where a binding does not hold the weight.
pub(super) fn plan(problem: &Problem<'_>, variant: conv2d::Variant, caps: &Caps) -> Result<KernelPlan> {
    let op = convolution(problem)?;
    let flipped = problem.flipped();
    let bias = problem.bias.then(|| Shape::vector(problem.output.c));
    let inner = conv2d::plan(&op, problem.input, flipped, bias, Some(variant), caps)?;
    Ok(with_own_weight(inner, flipped, flip(problem, flipped, Buffer::Scratch(0), caps)?))
}
