//! The uniform `params` of dispatches: slots of shared buffers, reused when their dispatch is gone; those of a session,
//! which are made and go together, in buffers of its own.

use std::sync::{Arc, Mutex, Weak};

use crate::error::{Error, Result};
use crate::gpu::fault::lock;
use crate::gpu::{Gpu, Step};

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

/// The bytes of one dispatch's `params` on the device; a shared slot is free again when this is dropped, so it lives until
/// the dispatch has been submitted.
#[derive(Debug)]
pub(crate) struct Params {
    buffer: wgpu::Buffer,
    offset: u64,
    size: u64,
    /// Whose slot it is; none outside the shared buffers.
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
    pub(crate) fn params(&self, step: &Step) -> Result<Params> {
        let (what, padded) = (step.kernel.name, self.padded(step)?);
        let size = padded.len() as u64;
        let params = if size > SLOT {
            let buffer = self.create_buffer(what, size, USAGES)?;
            Params { buffer, offset: 0, size, home: None }
        } else {
            self.slot(size)?
        };
        self.write_params(what, &params.buffer, params.offset, &padded)?;
        Ok(params)
    }

    /// Puts those of dispatches that end together on the device, in their order: a buffer for every [`SLOTS`] of them, that
    /// goes with the last, and one write to it, for wgpu takes new memory from the driver at each.
    ///
    /// # Errors
    /// As [`Gpu::params`].
    pub(crate) fn params_together<'a>(&self, steps: impl IntoIterator<Item = &'a Step>) -> Result<Vec<Params>> {
        let padded = steps.into_iter().map(|step| self.padded(step)).collect::<Result<Vec<_>>>()?;
        let mut together = Vec::with_capacity(padded.len());
        for padded in padded.chunks(SLOTS as usize) {
            let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
            for params in padded {
                offsets.push(bytes.len() as u64);
                bytes.extend_from_slice(params);
                bytes.resize(bytes.len().next_multiple_of(SLOT as usize), 0);
            }
            let buffer = self.create_buffer("uniforms", bytes.len() as u64, USAGES)?;
            self.write_params("uniforms", &buffer, 0, &bytes)?;
            let sizes = padded.iter().map(|params| params.len() as u64);
            let places = offsets.into_iter().zip(sizes);
            together.extend(places.map(|(offset, size)| Params { buffer: buffer.clone(), offset, size, home: None }));
        }
        Ok(together)
    }

    /// The bytes of a dispatch's `params`, filled up to what can be bound.
    fn padded(&self, step: &Step) -> Result<Vec<u8>> {
        let mut padded = step.params.clone();
        padded.resize(padded.len().max(1).next_multiple_of(16), 0);
        let (size, available) = (padded.len() as u64, self.shared.limits.max_uniform_buffer_binding_size);
        if size > available {
            return Err(Error::Limit {
                what: format!("parameters of {}", step.kernel.name),
                needed: size,
                available,
                unit: "bytes in a uniform",
                way_out: "this is a defect of the kernel; choose another variant".to_owned(),
            });
        }
        Ok(padded)
    }

    fn write_params(&self, what: &str, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) -> Result<()> {
        self.shared.faults.guarded(what, || {
            self.shared.queue.write_buffer(buffer, offset, bytes);
            Ok(())
        })
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
