//! The processor that a CPU driver runs on, which is the host's own.

use super::Gathers;

/// What [`super::Caps::gathers`] is there.
#[cfg(target_arch = "x86_64")]
pub(super) fn gathers() -> Gathers {
    let processor = raw_cpuid::CpuId::new();
    let vendor = processor.get_vendor_info();
    match vendor.as_ref().map(|vendor| vendor.as_str()) {
        Some("AuthenticAMD") => Gathers::Apart,
        // What came with the first of them.
        Some("GenuineIntel") if processor.get_extended_feature_info().is_some_and(|info| info.has_avx512_fp16()) => {
            Gathers::Fast
        }
        _ => Gathers::Slow,
    }
}

/// Not known of others.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn gathers() -> Gathers {
    Gathers::Slow
}
