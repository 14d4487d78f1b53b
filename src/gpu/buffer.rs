//! Device memory: allocation within the device's limits, reuse, and the rails that tests put around it.

use std::ops::Range;
use std::sync::{Arc, Mutex, Weak};

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::gpu::fault::lock;
use crate::gpu::host_memory::MAPPED;
use crate::gpu::pool::{Memory, Pool};
use crate::gpu::rails::Guard;

/// Bytes of a device word.
pub(crate) const WORD: u64 = 4;

/// Buffers are a multiple of this, so that shaders may read whole `vec4`s.
const GRANULE: u64 = 16;

/// Uses of every buffer of the pool; where device memory is the host's, the host may map it besides.
const USAGES: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_SRC).union(wgpu::BufferUsages::COPY_DST);

/// A run of device memory, shared by its clones; it goes back to the pool with the last of them.
#[derive(Clone, Debug)]
pub(crate) struct GpuBuffer(Arc<Allocation>);

#[derive(Debug)]
struct Allocation {
    buffer: wgpu::Buffer,
    words: u64,
    /// Words after the data that are bound with it and must never change; none without rails.
    guard: Guard,
    /// Which [`Gpu`] it belongs to.
    owner: u64,
    /// Where it goes when dropped; nowhere if it is the application's.
    pool: Option<Weak<Mutex<Pool<wgpu::Buffer>>>>,
}

impl Drop for Allocation {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.as_ref().and_then(Weak::upgrade) {
            let evicted = lock(&pool).put(self.buffer.size(), self.buffer.clone());
            drop(evicted);
        }
    }
}

impl GpuBuffer {
    /// A buffer that no pool owns, of `words` words at least, on the [`Gpu`] `owner`.
    pub(crate) fn foreign(buffer: wgpu::Buffer, words: u64, owner: u64) -> Self {
        Self(Arc::new(Allocation { buffer, words, guard: Guard::NONE, owner, pool: None }))
    }

    /// Its size in 4-byte words, without guard.
    pub(crate) fn words(&self) -> u64 {
        self.0.words
    }

    /// Guard words after the data.
    pub(crate) fn guard(&self) -> Guard {
        self.0.guard
    }

    /// The buffer; it may be larger than [`GpuBuffer::words`].
    pub(crate) fn raw(&self) -> &wgpu::Buffer {
        &self.0.buffer
    }

    /// All of it, as a binding.
    pub(crate) fn whole(&self) -> BufferRange<'_> {
        BufferRange { buffer: self, words: 0..self.words() }
    }

    /// A run of its words, as a binding.
    pub(crate) fn range(&self, words: Range<u64>) -> BufferRange<'_> {
        BufferRange { buffer: self, words }
    }
}

/// A run of a buffer's words.
#[derive(Clone, Debug)]
pub(crate) struct BufferRange<'a> {
    pub(crate) buffer: &'a GpuBuffer,
    pub(crate) words: Range<u64>,
}

impl BufferRange<'_> {
    /// The run of these words of it, counted from its start; all if `None`.
    pub(crate) fn narrow(self, words: Option<Range<u64>>) -> Self {
        let Some(words) = words else { return self };
        let start = self.words.start.saturating_add(words.start);
        let end = self.words.start.saturating_add(words.end);
        // Words past its end make a run that no binding accepts.
        let end = if end > self.words.end { u64::MAX } else { end };
        Self { words: start..end, ..self }
    }
}

impl Gpu {
    /// Memory for `words` 4-byte words, for `what`. Its contents are arbitrary (with rails: poison), so whoever asks
    /// writes all of it.
    ///
    /// # Errors
    /// [`Error::Limit`] if no buffer of the device is that large; [`Error::OutOfMemory`] and the other faults.
    pub(crate) fn allocate(&self, what: &str, words: u64) -> Result<GpuBuffer> {
        let caps = &self.shared.caps;
        let too_large = |bytes: u64| Error::Limit {
            what: what.to_owned(),
            needed: bytes,
            available: caps.max_buffer_bytes,
            unit: "bytes in one buffer",
            way_out: "take a smaller input, or an adapter with a larger limit".to_owned(),
        };
        let data = words.max(1).saturating_mul(WORD);
        let bytes = data.checked_next_multiple_of(GRANULE).ok_or_else(|| too_large(u64::MAX))?;
        if bytes > caps.max_buffer_bytes {
            return Err(too_large(bytes));
        }
        let guard = if self.shared.rails { Guard::after(words, caps) } else { Guard::NONE };
        let bytes = bytes.max((words + guard.words) * WORD);
        let buffer = self.take_or_create(what, bytes)?;
        let allocation =
            Allocation { buffer, words, guard, owner: self.shared.id, pool: Some(Arc::downgrade(&self.shared.pool)) };
        let buffer = GpuBuffer(Arc::new(allocation));
        if self.shared.rails {
            self.poison(&buffer)?;
        }
        Ok(buffer)
    }

    fn take_or_create(&self, what: &str, bytes: u64) -> Result<wgpu::Buffer> {
        if let Some(buffer) = lock(&self.shared.pool).take(bytes) {
            return Ok(buffer);
        }
        let usages = if self.shared.mappable { USAGES | MAPPED } else { USAGES };
        let created = match self.create_buffer(what, bytes, usages) {
            // What the pool keeps may be what is missing.
            Err(Error::OutOfMemory { .. }) if self.memory().pooled > 0 => {
                self.trim()?;
                self.create_buffer(what, bytes, usages)?
            }
            other => other?,
        };
        lock(&self.shared.pool).lend(created.size());
        Ok(created)
    }

    /// A buffer outside the pool.
    pub(crate) fn create_buffer(&self, what: &str, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        let descriptor = wgpu::BufferDescriptor { label: Some(what), size: bytes, usage, mapped_at_creation: false };
        self.shared.faults.guarded(what, || Ok(self.shared.device.create_buffer(&descriptor)))
    }

    /// Wraps a buffer that the application owns and keeps.
    ///
    /// # Errors
    /// [`Error::Operand`] if it is too small or cannot be bound as storage.
    pub(crate) fn adopt(&self, what: &'static str, buffer: wgpu::Buffer, words: u64) -> Result<GpuBuffer> {
        if !buffer.usage().contains(wgpu::BufferUsages::STORAGE) {
            return Err(Error::operand(what, "buffer", "of usage STORAGE", format!("of usage {:?}", buffer.usage())));
        }
        let bytes = words.saturating_mul(WORD);
        if buffer.size() < bytes {
            return Err(Error::operand(what, "buffer", format!("at least {bytes} bytes"), buffer.size()));
        }
        Ok(GpuBuffer::foreign(buffer, words, self.shared.id))
    }

    /// Refuses a buffer of another device.
    ///
    /// # Errors
    /// [`Error::Operand`].
    pub(crate) fn check_owner(&self, what: &str, operand: &str, buffer: &GpuBuffer) -> Result<()> {
        if buffer.0.owner == self.shared.id {
            return Ok(());
        }
        let operand = format!("{operand} of {what}");
        Err(Error::operand("device", operand, "on the Gpu that runs it", "on another one"))
    }

    /// Device memory in use and pooled, in bytes.
    #[must_use]
    pub fn memory(&self) -> Memory {
        lock(&self.shared.pool).memory()
    }

    /// Gives pooled memory back to the driver.
    ///
    /// # Errors
    /// [`Error::DeviceLost`].
    pub fn trim(&self) -> Result<()> {
        let freed = lock(&self.shared.pool).trim();
        drop(freed);
        // wgpu frees a dropped buffer once it has seen the work that used it end.
        #[cfg(not(target_arch = "wasm32"))]
        self.shared.faults.wait(None)?;
        Ok(())
    }
}
