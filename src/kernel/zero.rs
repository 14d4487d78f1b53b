//! Zeroing a buffer, for kernels that add to what they find.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, Step};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, params, part};

static ZERO: Kernel = Kernel {
    name: "zero/direct",
    parts: &[&INDEX, &part!("zero/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&ZERO];

params! {
    /// Uniforms of `zero/direct`; the shader says what they mean.
    struct Params {
        words: u32,
    }
}

/// Writes zeros to the first `words` words of `buffer`.
///
/// # Errors
/// [`crate::Error::Limit`] where a dispatch does not hold them.
pub(crate) fn step(buffer: Buffer, words: usize, caps: &Caps) -> Result<Step> {
    flat_step(&ZERO, &[], &Params { words: words as u32 }, &[buffer], words, caps)
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let run = step(Buffer::Output(0), 77, &Caps::WEBGPU).map(|step| crate::kernel::flat::only_way(0, vec![step]));
    crate::kernel::checks::Exhibit { params: vec![(&ZERO, Params::FIELDS)], plans: vec![run] }
}
