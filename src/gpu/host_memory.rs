//! Where the host finds the words of a device buffer: in the buffer itself, or in a twin.

use crate::error::Result;
use crate::gpu::Gpu;
use crate::gpu::adapter::AdapterKind;
use crate::gpu::buffer::{GpuBuffer, WORD};

/// Uses that let the host map a buffer.
pub(crate) const MAPPED: wgpu::BufferUsages = wgpu::BufferUsages::MAP_READ.union(wgpu::BufferUsages::MAP_WRITE);

/// What the host maps to reach a device buffer.
#[derive(Debug)]
pub(crate) enum HostMemory {
    /// A buffer of its own, to or from which recorded commands copy.
    Twin(wgpu::Buffer),
    /// The device's buffer itself, and nothing is copied: on CPU drivers, whose memory is the host's.
    Shared(GpuBuffer),
}

impl HostMemory {
    /// The buffer that is mapped.
    pub(crate) fn raw(&self) -> &wgpu::Buffer {
        match self {
            Self::Twin(twin) => twin,
            Self::Shared(buffer) => buffer.raw(),
        }
    }

    /// The buffer to or from which commands have to copy, if any.
    pub(crate) fn twin(&self) -> Option<&wgpu::Buffer> {
        match self {
            Self::Twin(twin) => Some(twin),
            Self::Shared(_) => None,
        }
    }
}

impl Gpu {
    /// Memory in which the host finds the first `words` of a buffer: the buffer itself where it can be mapped, else a
    /// twin of such usage.
    ///
    /// A buffer that is mapped must not be in a submission, so this is for whoever has the buffer to itself.
    ///
    /// # Errors
    /// The device's faults.
    pub(crate) fn host_memory(
        &self,
        what: &str,
        buffer: &GpuBuffer,
        words: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<HostMemory> {
        if buffer.raw().usage().contains(MAPPED) {
            return Ok(HostMemory::Shared(buffer.clone()));
        }
        Ok(HostMemory::Twin(self.create_buffer(what, words * WORD, usage)?))
    }
}

/// The feature by which buffers that shaders use can be mapped, for adapters of this kind. Where device and host each
/// have their own memory, such buffers would be slow for shaders; integrated GPUs have not been measured.
pub(crate) fn feature(kind: AdapterKind) -> wgpu::Features {
    match kind {
        AdapterKind::Cpu => wgpu::Features::MAPPABLE_PRIMARY_BUFFERS,
        _ => wgpu::Features::empty(),
    }
}

/// Whether the host maps the buffers of a device of this kind, opened with these features.
pub(crate) fn is_shared(kind: AdapterKind, features: wgpu::Features) -> bool {
    let feature = feature(kind);
    !feature.is_empty() && features.contains(feature)
}
