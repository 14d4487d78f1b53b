//! Bytes to and from the device.

use futures_intrusive::channel::shared::oneshot_channel;

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::gpu::buffer::{GpuBuffer, WORD};
use crate::gpu::rails;

/// A host-visible copy of a device buffer: recorded with the work that fills the buffer, read once that is submitted.
/// It can be used again and again, one reading at a time.
#[derive(Debug)]
pub(crate) struct Readback {
    staging: wgpu::Buffer,
    words: u64,
    guard: u64,
}

impl Readback {
    /// Copies `source` into it, after the commands recorded so far.
    pub(crate) fn record(&self, encoder: &mut wgpu::CommandEncoder, source: &GpuBuffer) {
        let bytes = (self.words + self.guard) * WORD;
        encoder.copy_buffer_to_buffer(source.raw(), 0, &self.staging, 0, bytes);
    }

    /// The first `count` elements of what was copied, once the work submitted so far is done.
    ///
    /// On native it blocks inside its first poll, because nothing else drives the device there; in browsers it yields.
    ///
    /// # Errors
    /// [`Error::DeviceLost`]; with rails, [`Error::Gpu`] if a shader wrote past the end of the buffer.
    pub(crate) async fn read<T: bytemuck::Pod>(&self, gpu: &Gpu, what: &str, count: usize) -> Result<Vec<T>> {
        let (sender, receiver) = oneshot_channel();
        let _unmap = Unmap { gpu, staging: &self.staging };
        gpu.shared.faults.guarded(what, || {
            self.staging.map_async(wgpu::MapMode::Read, .., move |mapped| {
                // The receiver is gone only if nobody waits any more.
                sender.send(mapped).ok();
            });
            Ok(())
        })?;
        #[cfg(not(target_arch = "wasm32"))]
        gpu.shared.faults.wait(None)?;
        #[cfg(target_arch = "wasm32")]
        gpu.shared.faults.settle().await?;
        let failed = |message: String| Error::Gpu { what: format!("{what}: reading back"), message };
        match receiver.receive().await {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                return Err(gpu.shared.faults.check().err().unwrap_or_else(|| failed(error.to_string())));
            }
            None => return Err(failed("the mapping was dropped".to_owned())),
        }
        let mapped = self.staging.get_mapped_range(..).map_err(|error| failed(error.to_string()))?;
        let (data, guard) = mapped.split_at(mapped.len().min((self.words * WORD) as usize));
        let guard: Vec<u32> =
            guard.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
        let mut elements = vec![T::zeroed(); count];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut elements);
        let source =
            data.get(..bytes.len()).ok_or_else(|| failed(format!("{count} elements of {} bytes", data.len())))?;
        bytes.copy_from_slice(source);
        rails::check_guard(what, &guard)?;
        Ok(elements)
    }
}

/// Ends a mapping, also when the reading is abandoned or fails.
struct Unmap<'a> {
    gpu: &'a Gpu,
    staging: &'a wgpu::Buffer,
}

impl Drop for Unmap<'_> {
    fn drop(&mut self) {
        // Unmapping what never got mapped is an error that tells nothing new.
        let scope = self.gpu.shared.device.push_error_scope(wgpu::ErrorFilter::Validation);
        self.staging.unmap();
        drop(scope);
    }
}

impl Gpu {
    /// Memory through which the first `words` of a buffer are read, without its contents yet.
    ///
    /// # Errors
    /// [`Error::Operand`] if the buffer is shorter or cannot be copied; the device's faults.
    pub(crate) fn readback(&self, what: &str, source: &GpuBuffer, words: u64) -> Result<Readback> {
        self.check_owner(what, "source", source)?;
        if words > source.words() {
            return Err(Error::operand("download", what, format!("at most {} words", source.words()), words));
        }
        let guard = if words == source.words() { source.guard() } else { 0 };
        if !source.raw().usage().contains(wgpu::BufferUsages::COPY_SRC) {
            let found = format!("of usage {:?}", source.raw().usage());
            return Err(Error::operand("download", "buffer", "of usage COPY_SRC", found));
        }
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        Ok(Readback { staging: self.create_buffer(what, (words + guard) * WORD, usage)?, words, guard })
    }

    /// Reads `count` elements from the start of a buffer.
    ///
    /// # Errors
    /// As [`Readback::read`].
    pub(crate) async fn read<T: bytemuck::Pod>(&self, what: &str, source: &GpuBuffer, count: usize) -> Result<Vec<T>> {
        let readback = self.readback(what, source, source.words())?;
        self.submit(what, |encoder| readback.record(encoder, source))?;
        readback.read(self, what, count).await
    }

    /// Writes bytes to the start of a buffer, before the next submission; a last incomplete word is filled with zeros.
    ///
    /// # Errors
    /// [`Error::Operand`] if they do not fit; the device's faults.
    pub(crate) fn write(&self, what: &str, target: &GpuBuffer, bytes: &[u8]) -> Result<()> {
        self.check_owner(what, "target", target)?;
        if bytes.len() as u64 > target.words() * WORD {
            let expected = format!("at most {} bytes", target.words() * WORD);
            return Err(Error::operand("upload", what, expected, bytes.len()));
        }
        let whole = bytes.len() / WORD as usize * WORD as usize;
        let (words, tail) = bytes.split_at(whole);
        let mut last = [0; WORD as usize];
        last[..tail.len()].copy_from_slice(tail);
        self.shared.faults.guarded(what, || {
            let queue = &self.shared.queue;
            if !words.is_empty() {
                queue.write_buffer(target.raw(), 0, words);
            }
            if !tail.is_empty() {
                queue.write_buffer(target.raw(), whole as u64, &last);
            }
            Ok(())
        })
    }

    /// Refuses, with rails, buffers whose guards a shader has overwritten.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn check_guards(&self, what: &str, buffers: &[&GpuBuffer]) -> Result<()> {
        let total: u64 = buffers.iter().map(|buffer| buffer.guard()).sum();
        if total == 0 {
            return Ok(());
        }
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = self.create_buffer("guards", total * WORD, usage)?;
        self.submit(what, |encoder| {
            let mut offset = 0;
            for buffer in buffers {
                let (start, bytes) = (buffer.words() * WORD, buffer.guard() * WORD);
                if bytes > 0 {
                    encoder.copy_buffer_to_buffer(buffer.raw(), start, &staging, offset, bytes);
                }
                offset += bytes;
            }
        })?;
        let readback = Readback { staging, words: total, guard: 0 };
        let words: Vec<u32> = pollster::block_on(readback.read(self, what, total as usize))?;
        let mut rest = words.as_slice();
        for buffer in buffers {
            let (guard, after) = rest.split_at(buffer.guard() as usize);
            rails::check_guard(what, guard)?;
            rest = after;
        }
        Ok(())
    }
}
