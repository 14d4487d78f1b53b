//! The uniform `params` of dispatches: slots of shared buffers, reused when their dispatch is gone.

use std::sync::{Arc, Mutex, Weak};

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::gpu::fault::lock;

/// Bytes of a slot: the largest alignment that WebGPU asks of a uniform binding's offset.
const SLOT: u64 = 256;

/// Slots of a buffer.
const SLOTS: u64 = 256;

const USAGES: wgpu::BufferUsages = wgpu::BufferUsages::UNIFORM.union(wgpu::BufferUsages::COPY_DST);

/// Free slots.
#[derive(Default)]
pub(crate) struct Uniforms {
    free: Vec<(wgpu::Buffer, u64)>,
}

/// The bytes of one dispatch's `params` on the device; the slot is free again when this is dropped, so it lives until
/// the dispatch has been submitted.
#[derive(Debug)]
pub(crate) struct Params {
    buffer: wgpu::Buffer,
    offset: u64,
    size: u64,
    /// Whose slot it is; none for one that has a buffer of its own.
    home: Option<Weak<Mutex<Uniforms>>>,
}

impl Params {
    /// The binding of exactly these bytes.
    pub(crate) fn binding(&self) -> wgpu::BindingResource<'_> {
        let size = wgpu::BufferSize::new(self.size);
        wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &self.buffer, offset: self.offset, size })
    }
}

impl Drop for Params {
    fn drop(&mut self) {
        if let Some(home) = self.home.as_ref().and_then(Weak::upgrade) {
            lock(&home).free.push((self.buffer.clone(), self.offset));
        }
    }
}

impl Gpu {
    /// Puts the bytes of a dispatch's `params` on the device.
    ///
    /// # Errors
    /// [`Error::Limit`] beyond the largest uniform binding; the device's faults.
    pub(crate) fn params(&self, what: &str, bytes: &[u8]) -> Result<Params> {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().max(1).next_multiple_of(16), 0);
        let size = padded.len() as u64;
        let available = self.shared.limits.max_uniform_buffer_binding_size;
        if size > available {
            let way_out = "this is a defect of the kernel; choose another variant".to_owned();
            return Err(Error::Limit {
                what: format!("parameters of {what}"),
                needed: size,
                available,
                unit: "bytes in a uniform",
                way_out,
            });
        }
        let params = if size > SLOT {
            let buffer = self.create_buffer(what, size, USAGES)?;
            Params { buffer, offset: 0, size, home: None }
        } else {
            self.slot(size)?
        };
        self.shared.faults.guarded(what, || {
            self.shared.queue.write_buffer(&params.buffer, params.offset, &padded);
            Ok(())
        })?;
        Ok(params)
    }

    fn slot(&self, size: u64) -> Result<Params> {
        let home = Some(Arc::downgrade(&self.shared.uniforms));
        if let Some((buffer, offset)) = lock(&self.shared.uniforms).free.pop() {
            return Ok(Params { buffer, offset, size, home });
        }
        let buffer = self.create_buffer("uniforms", SLOT * SLOTS, USAGES)?;
        let others = (1..SLOTS).map(|slot| (buffer.clone(), slot * SLOT));
        lock(&self.shared.uniforms).free.extend(others);
        Ok(Params { buffer, offset: 0, size, home })
    }
}
