//! Shader modules without naga's run-time checks.
//!
//! naga clamps every index, counts every loop iteration and guards every integer division, which costs kernels whose
//! inner loop is a few instructions long most of their speed (wgpu issue 7698 reports a factor of 100). The shaders
//! here are this crate's own, not the caller's, and the host checks what those checks would catch.

#![expect(unsafe_code, reason = "the constructor of unchecked shader modules is unsafe; this is its only call")]

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
