//! The operators on the device: for each one, its kernels, the variants to choose from, and a pure `plan` that turns
//! shapes into dispatches.
//!
//! One file an operator, with a folder beside it where there are many ways to compute it; all of one make:
//! - `Variant`, made by `variants!`, with a line on what each one does;
//! - the uniforms of each kernel, made by `params!`, and the `static` `Kernel` itself;
//! - `KERNELS`, the file's part of the registry;
//! - `plan(op, shapes, variant, caps)`, pure: dispatch arithmetic, splitting, scratch;
//! - the method of [`Gpu`](crate::gpu::Gpu) that runs it at once;
//! - `exhibit()`, for tests: plans that between them reach every kernel, so that the checks in `checks.rs` see each one
//!   in the specialisations that the planner really asks for.

pub mod ceiling;
pub mod conv2d;
pub mod conv_transpose2d;
pub mod max_pool2d;
pub mod max_unpool2d;

pub(crate) mod add;
pub(crate) mod argmax_channels;
pub(crate) mod batch_norm;
pub(crate) mod colorize;
pub(crate) mod concat;
pub(crate) mod convert;
pub(crate) mod crop;
pub(crate) mod crop_add;
pub(crate) mod local_response_norm;
pub(crate) mod normalize;
pub(crate) mod pad;
pub(crate) mod relu;
pub(crate) mod scale;
pub(crate) mod slice;
pub(crate) mod softmax_channels;

mod axis;
mod card;
mod eager;
mod flat;
mod pattern;
mod shards;
mod two_by_two;
mod zero;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod choices;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod on_gpus;
#[cfg(test)]
mod pairs;
#[cfg(test)]
mod splits;

use std::fmt::Display;

use crate::error::{Error, Result};
use crate::gpu::{Caps, Kernel, Part};
use crate::shape::Shape;
pub use eager::AnyVariant;
pub(crate) use pattern::{params, part, variants};

/// Flat index of a folded dispatch.
pub(crate) static INDEX: Part = part!("common/index.wgsl");
/// Where a window lies inside an axis.
pub(crate) static TAPS: Part = part!("common/taps.wgsl");
/// Plane, row and column of a flat position.
pub(crate) static PLACE: Part = part!("common/place.wgsl");
/// Comparison of f32 values by their bits.
pub(crate) static RANK: Part = part!("common/rank.wgsl");
/// How channels lie in a map whose words are f32.
pub(crate) static PLANES_F32: Part = part!("common/planes_f32.wgsl");
/// How channels lie in a map whose words are two f16.
pub(crate) static PLANES_HALF: Part = part!("common/planes_half.wgsl");
/// Words of memory in pairs, as integers of 64 bits.
pub(crate) static WORDS_U64: Part = part!("common/words_u64.wgsl");
/// Vectors of words in memory.
pub(crate) static VECTORS: Part = part!("common/vectors.wgsl");
/// The same as integers of 64 bits.
pub(crate) static VECTORS_U64: Part = part!("common/vectors_u64.wgsl");
/// Subgroups of eight lanes that share what they read in workgroup memory.
pub(crate) static LANES_8: Part = part!("common/lanes_8.wgsl");
/// The register tile of a matrix product.
pub(crate) static TILE: Part = part!("common/tile.wgsl");
/// The matrices of 8x8 and of 16x16 that a subgroup holds.
pub(crate) static MATRIX_8: Part = part!("common/cooperative_8.wgsl");
pub(crate) static MATRIX_16: Part = part!("common/cooperative_16.wgsl");
/// The f16 nearest to an f32.
pub(crate) static HALF: Part = part!("common/half.wgsl");
/// Two channels as f16 in a word, and what does not fit.
pub(crate) static NARROW: Part = part!("convert/half_word.wgsl");
/// The same for two words at a time, by integers.
pub(crate) static NARROW_TWO: Part = part!("convert/half_words.wgsl");
/// The fused ReLU.
pub(crate) static ACTIVATION: Part = part!("common/activation.wgsl");

/// The variants of an operator to choose from by speed alone: those that compute in f32 and of which every
/// run gives the same result.
pub(crate) fn alternatives(op: &str) -> Vec<&'static str> {
    match op {
        "conv2d" => {
            let cooperative = conv2d::Variant::Cooperative;
            let others = conv2d::Variant::ALL.iter().filter(|&&variant| variant != cooperative);
            others.map(|variant| variant.name()).collect()
        }
        "conv_transpose2d" => {
            let cooperative = conv_transpose2d::Variant::Cooperative;
            let others = conv_transpose2d::Variant::ALL.iter().filter(|&&variant| variant != cooperative);
            let repeating = others.filter(|variant| variant.repeats());
            repeating.map(|variant| variant.name()).collect()
        }
        _ => Vec::new(),
    }
}

/// Every kernel, by operator.
static REGISTRY: &[&[&Kernel]] = &[
    conv2d::KERNELS,
    conv_transpose2d::KERNELS,
    conv_transpose2d::PAIR_KERNELS,
    conv_transpose2d::PRODUCT_KERNELS,
    zero::KERNELS,
    max_pool2d::KERNELS,
    max_pool2d::COMPACT_KERNELS,
    max_pool2d::COMPACT_ROW_KERNELS,
    max_unpool2d::KERNELS,
    max_unpool2d::COMPACT_KERNELS,
    max_unpool2d::COMPACT_ROW_KERNELS,
    relu::KERNELS,
    add::KERNELS,
    scale::KERNELS,
    batch_norm::KERNELS,
    local_response_norm::KERNELS,
    crop::KERNELS,
    pad::KERNELS,
    crop_add::KERNELS,
    concat::KERNELS,
    slice::KERNELS,
    softmax_channels::KERNELS,
    argmax_channels::KERNELS,
    normalize::KERNELS,
    colorize::KERNELS,
    convert::KERNELS,
    ceiling::KERNELS,
];

/// Every kernel of the library.
pub(crate) fn kernels() -> impl Iterator<Item = &'static Kernel> {
    REGISTRY.iter().flat_map(|kernels| kernels.iter().copied())
}

/// Names of all kernels, as in `conv2d/direct`: the stems of their files under `shaders/`.
pub fn names() -> impl Iterator<Item = &'static str> {
    kernels().map(|kernel| kernel.name)
}

/// The WGSL of a kernel as the device compiles it, its parts joined; `None` if there is no kernel of this name.
#[must_use]
pub fn source(name: &str) -> Option<String> {
    kernels().find(|kernel| kernel.name == name).map(Kernel::source)
}

/// Invocations of a workgroup, unless a kernel has a reason for another number. Every device can do it.
pub(crate) const WORKGROUP: u32 = 64;

/// Iterations of nested loops of so many rounds each, the outermost first, the one in which each loop finds that it is done
/// included.
pub(crate) fn loop_iterations(rounds: &[usize]) -> u64 {
    rounds
        .iter()
        .rev()
        .fold(0, |inner: u64, &rounds| (rounds as u64).saturating_mul(inner.saturating_add(1)).saturating_add(1))
}

/// How many rounds of `each` loop iterations a shader may make in one dispatch, with `fixed` iterations besides.
///
/// # Errors
/// [`Error::Unsupported`] where the driver cuts even one round short.
pub(crate) fn rounds_within(op: &'static str, fixed: u64, each: u64, caps: &Caps) -> Result<u64> {
    // Compilers restructure loops: only half of the iterations are relied on.
    match u64::from(caps.max_iterations / 2).saturating_sub(fixed) / each.max(1) {
        0 => Err(Error::Unsupported {
            what: format!("{op} of {} loop iterations an element", fixed.saturating_add(each)),
            why: format!("this driver ends a shader's loops after {}", caps.max_iterations),
            way_out: "use a smaller kernel, or another adapter".to_owned(),
        }),
        rounds => Ok(rounds),
    }
}

/// Output channels an invocation: at most `most`, and such that the last of a group's blocks is as full as can be.
pub(crate) fn channel_block(group_channels: u64, most: u64) -> u64 {
    group_channels.div_ceil(group_channels.div_ceil(most))
}

/// Refuses an f32 operand that one storage binding cannot hold.
///
/// # Errors
/// [`Error::Limit`] that names the operator and the operand.
pub(crate) fn check_binding(op: &'static str, operand: &str, shape: Shape, caps: &Caps) -> Result<()> {
    check_bytes(op, format_args!("{operand} of {shape}"), (shape.elements() as u64).saturating_mul(4), caps)
}

/// Refuses an operand of so many bytes that one storage binding cannot hold.
///
/// # Errors
/// [`Error::Limit`] that names the operator and the operand.
pub(crate) fn check_bytes(op: &'static str, operand: impl Display, needed: u64, caps: &Caps) -> Result<()> {
    let available = caps.max_binding_bytes.min(caps.max_buffer_bytes);
    if needed > available {
        return Err(Error::Limit {
            what: format!("{op}: {operand}"),
            needed,
            available,
            unit: "bytes a binding",
            way_out: "use a smaller image, or an adapter and limits that allow more".to_owned(),
        });
    }
    Ok(())
}
