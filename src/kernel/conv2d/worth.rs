//! Whether a product of f16 maps is worth what it fills up: matrix units and staged tiles compute 64 channels at least, over eight to 16,
//! which for a few channels is more than f32 takes that computes them by themselves, between two conversions.

use super::choice::{half_effort, in_half, word};
use super::{OP, Problem, Variant, depthwise, direct, not_in_half};
use crate::error::Result;
use crate::gpu::Caps;
use crate::kernel::card::{Card, is_choice};
use crate::kernel::check_binding;
use crate::shape::Shape;

/// The variant for a convolution of f16 maps, refused where that takes a small card many times as long as f32, a few channels an
/// invocation: with more than those, f16 stays for its memory.
///
/// # Errors
/// [`Error::Unsupported`](crate::Error::Unsupported).
pub(super) fn checked(problem: &Problem<'_>, caps: &Caps) -> Result<Variant> {
    let variant = in_half(problem, caps);
    let direct = direct::plain_effort(problem, Card::SMALL, caps);
    let plain = depthwise::effort(problem, Card::SMALL, caps).map_or(direct, |depthwise| direct.min(depthwise));
    check_worth(OP, problem, variant, (plain, [problem.input, problem.output]), caps)?;
    Ok(variant)
}

/// The same for an operator that is this convolution, and takes so much in f32 between conversions of two maps. Not refused is what
/// f32 would not fit, and nothing on CPU drivers, where f16 is there for its memory.
///
/// # Errors
/// [`Error::Unsupported`](crate::Error::Unsupported).
pub(in crate::kernel) fn check_worth(
    name: &'static str,
    problem: &Problem<'_>,
    variant: Variant,
    (plain, maps): (f64, [Shape; 2]),
    caps: &Caps,
) -> Result<()> {
    if caps.software || maps.into_iter().any(|map| check_binding(OP, "map in f32", map, caps).is_err()) {
        return Ok(());
    }
    let product = half_effort(problem, variant, Card::SMALL, caps);
    let words: usize = maps.iter().map(|map| map.elements()).sum();
    let converted = 2.0 * (word(caps) * words as f64 + Card::SMALL.dispatch(caps));
    match product {
        Some(product) if !is_choice(product, plain + converted) => {
            Err(not_in_half(name, "channels of a group are too few for a product in tiles"))
        }
        _ => Ok(()),
    }
}
