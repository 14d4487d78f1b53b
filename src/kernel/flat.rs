//! Dispatches of one invocation an element, which is all that most operators need.

use crate::error::Result;
use crate::gpu::{Caps, Kernel, KernelPlan, Operand, Step, fold_workgroups};
use crate::kernel::WORKGROUP;

/// A dispatch of `kernel` with one invocation for each of `invocations` elements, pixels or words; `constants` are its
/// overrides but for `WORKGROUP`, `operands` its bindings from 1 on.
///
/// # Errors
/// [`crate::Error::Limit`] where a dispatch does not hold them.
pub(crate) fn flat_step(
    kernel: &'static Kernel,
    constants: &[(&'static str, f64)],
    params: &impl bytemuck::NoUninit,
    operands: &[impl Clone + Into<Operand>],
    invocations: usize,
    caps: &Caps,
) -> Result<Step> {
    flat_step_of(WORKGROUP, kernel, constants, params, operands, invocations, caps)
}

/// The same in workgroups of so many invocations.
pub(crate) fn flat_step_of(
    workgroup: u32,
    kernel: &'static Kernel,
    constants: &[(&'static str, f64)],
    params: &impl bytemuck::NoUninit,
    operands: &[impl Clone + Into<Operand>],
    invocations: usize,
    caps: &Caps,
) -> Result<Step> {
    Ok(Step {
        kernel,
        constants: [constants, &[("WORKGROUP", f64::from(workgroup))]].concat(),
        params: bytemuck::bytes_of(params).to_vec(),
        operands: operands.iter().cloned().map(Into::into).collect(),
        workgroups: fold_workgroups((invocations as u64).div_ceil(u64::from(workgroup)), caps)?,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::gpu::{Access, Buffer};

    static NOTHING: Kernel =
        Kernel { name: "test/nothing", parts: &[], bindings: &[Access::Uniform], needs_float_atomics: false };

    fn dispatch(invocations: usize, max_workgroups: u32) -> Result<[u32; 3]> {
        let caps = Caps { max_workgroups, ..Caps::WEBGPU };
        Ok(flat_step(&NOTHING, &[], &0_u32, &[] as &[Buffer], invocations, &caps)?.workgroups)
    }

    /// Flat indices of a dispatch's invocations, as `common/index.wgsl` and the kernels compute them.
    fn indices([gx, gy, gz]: [u32; 3]) -> impl Iterator<Item = u32> {
        let ids = (0..gz).flat_map(move |z| (0..gy).flat_map(move |y| (0..gx).map(move |x| (x, y, z))));
        let flat = ids.map(move |(x, y, z)| (z * gy + y) * gx + x);
        flat.flat_map(|workgroup| (0..WORKGROUP).map(move |lane| workgroup * WORKGROUP + lane))
    }

    #[test]
    fn every_index_once_however_folded() {
        for max_workgroups in [1, 2, 3, 5, 65_535] {
            for invocations in [1, 63, 64, 65, 128, 129, 257, 577, 1_000] {
                let Ok(workgroups) = dispatch(invocations, max_workgroups) else {
                    let most = u64::from(max_workgroups).pow(3) * u64::from(WORKGROUP);
                    assert!(invocations as u64 > most, "{invocations} in up to {max_workgroups}");
                    continue;
                };
                assert!(workgroups.iter().all(|count| (1..=max_workgroups).contains(count)), "{workgroups:?}");
                let mut covered: Vec<u32> = indices(workgroups).filter(|&i| (i as usize) < invocations).collect();
                covered.sort_unstable();
                let all: Vec<u32> = (0..invocations as u32).collect();
                assert_eq!(covered, all, "{workgroups:?} for {invocations}");
            }
        }
    }

    #[test]
    fn indices_of_the_largest_tensor_stay_within_32_bits() {
        let [x, y, z] = dispatch(i32::MAX as usize, Caps::WEBGPU.max_workgroups).unwrap().map(u64::from);
        assert!(x * y * z * u64::from(WORKGROUP) >= i32::MAX as u64);
        assert!(x * y * z * u64::from(WORKGROUP) <= 1 << 32, "{x}x{y}x{z}");
    }

    #[test]
    fn more_than_three_dimensions_hold_is_an_error() {
        assert_eq!(dispatch(64 * 27, 3).unwrap(), [3, 3, 3]);
        assert!(matches!(dispatch(64 * 27 + 1, 3), Err(crate::Error::Limit { unit: "workgroups", .. })));
    }
}
