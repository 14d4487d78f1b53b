//! Dispatches of one invocation an element, which is all that most operators need.

use crate::error::Result;
use crate::gpu::{Buffer, Caps, Kernel, KernelPlan, Step, fold_workgroups};
use crate::kernel::WORKGROUP;

/// A dispatch of `kernel` with one invocation for each of `invocations` elements, pixels or words; `constants` are its
/// overrides but for `WORKGROUP`, `operands` its bindings from 1 on, whole buffers.
///
/// # Errors
/// [`crate::Error::Limit`] where a dispatch does not hold them.
pub(crate) fn flat_step(
    kernel: &'static Kernel,
    constants: &[(&'static str, f64)],
    params: &impl bytemuck::NoUninit,
    operands: &[Buffer],
    invocations: usize,
    caps: &Caps,
) -> Result<Step> {
    Ok(Step {
        kernel,
        constants: [constants, &[("WORKGROUP", f64::from(WORKGROUP))]].concat(),
        params: bytemuck::bytes_of(params).to_vec(),
        operands: operands.iter().copied().map(Into::into).collect(),
        workgroups: fold_workgroups((invocations as u64).div_ceil(u64::from(WORKGROUP)), caps)?,
    })
}

/// The plan of an operator that has one way to be computed.
pub(crate) fn only_way(executed_macs: u64, run: Vec<Step>) -> KernelPlan {
    KernelPlan { variant: "direct", executed_macs, run, ..KernelPlan::default() }
}

/// The overrides of a window's shape, as pooling and unpooling spell them.
pub(crate) fn window_constants(
    [kh, kw]: [usize; 2],
    [sy, sx]: [usize; 2],
    [dy, dx]: [usize; 2],
) -> [(&'static str, f64); 6] {
    let named = [("KH", kh), ("KW", kw), ("SY", sy), ("SX", sx), ("DY", dy), ("DX", dx)];
    named.map(|(name, value)| (name, value as f64))
}
