//! Zeroing a buffer, for kernels that add to what they find.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, Step};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, params, part};

static ZERO: Kernel = Kernel {
    name: "memory/zero",
    parts: &[&INDEX, &part!("memory/zero.wgsl")],
    bindings: &[Access::Uniform, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&ZERO];

params! {
    /// Uniforms of `memory/zero`.
    struct Params {
        words: u32,
    }
}
