//! The unsafe calls: shader modules without naga's run-time checks, pipeline caches from files, and leave to use an
//! experimental feature.
//!
//! naga clamps every index, counts every loop iteration and guards every integer division, which costs kernels whose
//! inner loop is a few instructions long most of their speed (wgpu issue 7698 reports a factor of 100). The shaders
//! here are this crate's own, not the caller's, and the host checks what those checks would catch.

#![expect(unsafe_code, reason = "wgpu has no other way to these; they are the only calls")]

use crate::gpu::Kernel;

/// Builds a kernel's module without checks; see the reason inside.
pub(crate) fn create(device: &wgpu::Device, kernel: &Kernel, source: &str) -> wgpu::ShaderModule {
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(kernel.name), source: wgpu::ShaderSource::Wgsl(source.into()) };
    // SAFETY: a `Kernel` is crate-private and made of files of this crate, so no caller's text arrives here. What the
    // checks would enforce holds otherwise:
    // - Indices: a plan's extents are those that the operator's `output_shape` accepted, the buffers bound were
    //   allocated for these shapes, and each kernel's tests run it between guard words (`rails`) at awkward extents.
    //   Data never indexes unchecked: switches are validated when made (`Switches::new`) or written by our kernels.
    // - Loops: each is counted by an override or a uniform extent, both positive and below 2^31.
    // - Divisors: strides, dilations, groups and extents, which the operators refuse to be zero.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}

/// A pipeline cache, filled with what an earlier one of the same device and driver gave, if anything.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn create_pipeline_cache(device: &wgpu::Device, data: Option<&[u8]>) -> wgpu::PipelineCache {
    let descriptor = wgpu::PipelineCacheDescriptor { label: Some("switchback"), data, fallback: true };
    // SAFETY: `data` has to come from `PipelineCache::get_data`. It does as far as a file can show: its first line names
    // this device and driver and has a hash of all that follows, so that no damaged bytes arrive here; wgpu and the
    // driver check their own headers again. Whoever can forge a file in the user's cache folder could as well change the
    // user's programs.
    unsafe { device.create_pipeline_cache(&descriptor) }
}

/// Leave to use features that wgpu calls experimental: cooperative matrices.
pub(crate) fn experimental() -> wgpu::ExperimentalFeatures {
    // SAFETY: it has to be known that such a feature may have faults that safe calls can reach. Only this crate's shaders
    // use it, with loads and stores that stay inside their workgroup arrays and padded weights, and results are tried on
    // the device before any depends on them (`kernel::conv2d::cooperative`).
    unsafe { wgpu::ExperimentalFeatures::enabled() }
}
