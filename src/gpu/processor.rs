//! The processor that a CPU driver runs on, which is the host's own.

/// What [`crate::gpu::Caps::gathers`] is there.
#[cfg(target_arch = "x86_64")]
pub(super) fn gathers() -> bool {
    raw_cpuid::CpuId::new().get_vendor_info().is_some_and(|vendor| vendor.as_str() == "AuthenticAMD")
}

/// Not known of others.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn gathers() -> bool {
    false
}
