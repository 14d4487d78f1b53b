//! Bytes to and from the device.

use futures_intrusive::channel::shared::oneshot_channel;

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::gpu::buffer::{GpuBuffer, WORD};
use crate::gpu::host_memory::HostMemory;
use crate::gpu::rails::Guard;
use crate::gpu::upload::PIECE_WORDS;

/// Uses of a buffer through which the host reads.
const READBACK: wgpu::BufferUsages = wgpu::BufferUsages::MAP_READ.union(wgpu::BufferUsages::COPY_DST);

/// Where the host reads a device buffer: recorded with the work that fills the buffer, read once that is submitted.
/// It can be used again and again, one reading at a time.
#[derive(Debug)]
pub(crate) struct Readback {
    memory: HostMemory,
    words: u64,
    guard: Guard,
}

impl Readback {
    /// Copies `source` into it, after the commands recorded so far, where it is not `source` itself.
    pub(crate) fn record(&self, encoder: &mut wgpu::CommandEncoder, source: &GpuBuffer) {
        if let Some(twin) = self.memory.twin() {
            encoder.copy_buffer_to_buffer(source.raw(), 0, twin, 0, self.bytes());
        }
    }

    /// Bytes that are read: data and guard.
    fn bytes(&self) -> u64 {
        (self.words + self.guard.words) * WORD
    }

    /// The first `count` elements of what is there once the work submitted so far is done; see [`map`].
    ///
    /// # Errors
    /// [`Error::DeviceLost`]; with rails, [`Error::Gpu`] if a shader wrote past the end of the buffer.
    pub(crate) async fn read<T: bytemuck::Pod>(&self, gpu: &Gpu, what: &str, count: usize) -> Result<Vec<T>> {
        self.read_into(gpu, what, count, Vec::new()).await
    }

    /// The same in the memory of `old`, whose elements are lost.
    ///
    /// # Errors
    /// As [`Readback::read`].
    pub(crate) async fn read_into<T: bytemuck::Pod>(
        &self,
        gpu: &Gpu,
        what: &str,
        count: usize,
        old: Vec<T>,
    ) -> Result<Vec<T>> {
        let _unmap = map(gpu, what, self.memory.raw(), wgpu::MapMode::Read, self.bytes()).await?;
        let failed = |message: String| Error::Gpu { what: format!("{what}: reading back"), message };
        let mapped = self.memory.raw().get_mapped_range(..self.bytes()).map_err(|error| failed(error.to_string()))?;
        let (data, guard) = mapped.split_at(mapped.len().min((self.words * WORD) as usize));
        let guard: Vec<u32> =
            guard.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
        let bytes = count * size_of::<T>();
        let data = data.get(..bytes).ok_or_else(|| failed(format!("{count} elements of {} bytes", data.len())))?;
        self.guard.check(what, &guard)?;
        Ok(elements(data, old))
    }
}

/// Bytes as elements of their own, in the memory of `old`. Mapped memory is aligned, but in browsers, which copy it,
/// only to bytes.
fn elements<T: bytemuck::Pod>(bytes: &[u8], mut old: Vec<T>) -> Vec<T> {
    old.clear();
    match bytemuck::try_cast_slice(bytes) {
        Ok(elements) => old.extend_from_slice(elements),
        Err(_) => {
            old.resize(bytes.len() / size_of::<T>(), T::zeroed());
            bytemuck::cast_slice_mut(&mut old).copy_from_slice(bytes);
        }
    }
    old
}

/// Maps the first `bytes` of a buffer once the work submitted so far is done.
///
/// On native it blocks inside its first poll, because nothing else drives the device there; in browsers it yields.
///
/// # Errors
/// [`Error::DeviceLost`] and the device's other faults.
pub(crate) async fn map<'a>(
    gpu: &'a Gpu,
    what: &str,
    buffer: &'a wgpu::Buffer,
    mode: wgpu::MapMode,
    bytes: u64,
) -> Result<Unmap<'a>> {
    let (sender, receiver) = oneshot_channel();
    let unmap = Unmap { gpu, buffer };
    gpu.shared.faults.guarded(what, || {
        buffer.map_async(mode, ..bytes, move |mapped| {
            // The receiver is gone only if nobody waits any more.
            sender.send(mapped).ok();
        });
        Ok(())
    })?;
    #[cfg(not(target_arch = "wasm32"))]
    gpu.shared.faults.wait(None)?;
    #[cfg(target_arch = "wasm32")]
    gpu.shared.faults.settle().await?;
    let failed = |message: String| Error::Gpu { what: format!("{what}: mapping"), message };
    match receiver.receive().await {
        Some(Ok(())) => Ok(unmap),
        Some(Err(error)) => Err(gpu.shared.faults.check().err().unwrap_or_else(|| failed(error.to_string()))),
        None => Err(failed("the mapping was dropped".to_owned())),
    }
}

/// Ends a mapping, also when what it was made for is abandoned or fails.
pub(crate) struct Unmap<'a> {
    gpu: &'a Gpu,
    buffer: &'a wgpu::Buffer,
}

impl Drop for Unmap<'_> {
    fn drop(&mut self) {
        // Unmapping what never got mapped is an error that tells nothing new.
        let scope = self.gpu.shared.device.push_error_scope(wgpu::ErrorFilter::Validation);
        self.buffer.unmap();
        drop(scope);
    }
}

impl Gpu {
    /// Memory through which the first `words` of a buffer are read, without its contents yet. Others may use the buffer
    /// meanwhile.
    ///
    /// # Errors
    /// [`Error::Operand`] if the buffer is shorter or cannot be copied; the device's faults.
    pub(crate) fn readback(&self, what: &str, source: &GpuBuffer, words: u64) -> Result<Readback> {
        let guard = self.check_readback(what, source, words)?;
        let memory = HostMemory::Twin(self.create_buffer(what, (words + guard.words) * WORD, READBACK)?);
        Ok(Readback { memory, words, guard })
    }

    /// The same for whoever has the buffer to itself, so that nothing need be copied where the host can read the buffer.
    ///
    /// # Errors
    /// As [`Gpu::readback`].
    pub(crate) fn readback_alone(&self, what: &str, source: &GpuBuffer, words: u64) -> Result<Readback> {
        let guard = self.check_readback(what, source, words)?;
        let memory = self.host_memory(what, source, words + guard.words, READBACK)?;
        Ok(Readback { memory, words, guard })
    }

    /// Refuses what cannot be read back; gives the guard that is read with the words.
    fn check_readback(&self, what: &str, source: &GpuBuffer, words: u64) -> Result<Guard> {
        self.check_owner(what, "source", source)?;
        if words > source.words() {
            return Err(Error::operand("download", what, format!("at most {} words", source.words()), words));
        }
        if !source.raw().usage().contains(wgpu::BufferUsages::COPY_SRC) {
            let found = format!("of usage {:?}", source.raw().usage());
            return Err(Error::operand("download", "buffer", "of usage COPY_SRC", found));
        }
        Ok(if words == source.words() { source.guard() } else { Guard::NONE })
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
        self.write_at(what, target, 0, bytes)
    }

    /// Writes bytes from a word of a buffer on, before the next submission; a last incomplete word is filled with zeros.
    /// wgpu stages a write in memory of its size, and loses the device where the driver has none left, so large ones go
    /// in pieces, each handed over before the next.
    ///
    /// # Errors
    /// As [`Gpu::write`].
    pub(crate) fn write_at(&self, what: &str, target: &GpuBuffer, word: u64, bytes: &[u8]) -> Result<()> {
        self.check_owner(what, "target", target)?;
        let room = target.words().saturating_sub(word) * WORD;
        if bytes.len() as u64 > room {
            return Err(Error::operand("upload", what, format!("at most {room} bytes"), bytes.len()));
        }
        let piece = PIECE_WORDS * WORD;
        for (bytes, offset) in bytes.chunks(piece as usize).zip((0..).step_by(piece as usize)) {
            if offset > 0 {
                self.hand_over(what)?;
            }
            self.write_piece(what, target, word * WORD + offset, bytes)?;
        }
        Ok(())
    }

    /// Writes bytes from a byte of a buffer on that starts a word.
    fn write_piece(&self, what: &str, target: &GpuBuffer, start: u64, bytes: &[u8]) -> Result<()> {
        let (words, last) = split_words(bytes);
        self.shared.faults.guarded(what, || {
            let queue = &self.shared.queue;
            if !words.is_empty() {
                queue.write_buffer(target.raw(), start, words);
            }
            if let Some(last) = last {
                queue.write_buffer(target.raw(), start + words.len() as u64, &last);
            }
            Ok(())
        })
    }

    /// Hands everything written so far to the device. On native it waits until that is there, so that wgpu frees the
    /// memory it went through.
    ///
    /// # Errors
    /// The device's faults.
    pub(crate) fn hand_over(&self, what: &str) -> Result<()> {
        let submission = self.submit(what, |_| {})?;
        #[cfg(not(target_arch = "wasm32"))]
        self.shared.faults.wait(Some(submission))?;
        #[cfg(target_arch = "wasm32")]
        drop(submission);
        Ok(())
    }

    /// Hands everything written so far to the device; in browsers it waits for the faults of what was done so far.
    ///
    /// # Errors
    /// The device's faults.
    pub(crate) async fn flush(&self, what: &str) -> Result<()> {
        self.hand_over(what)?;
        #[cfg(target_arch = "wasm32")]
        self.shared.faults.settle().await?;
        Ok(())
    }

    /// Refuses, with rails, buffers whose guards a shader has overwritten.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn check_guards(&self, what: &str, buffers: &[&GpuBuffer]) -> Result<()> {
        let total: u64 = buffers.iter().map(|buffer| buffer.guard().words).sum();
        if total == 0 {
            return Ok(());
        }
        let staging = self.create_buffer("guards", total * WORD, READBACK)?;
        self.submit(what, |encoder| {
            let mut offset = 0;
            for buffer in buffers {
                let (start, bytes) = (buffer.words() * WORD, buffer.guard().words * WORD);
                if bytes > 0 {
                    encoder.copy_buffer_to_buffer(buffer.raw(), start, &staging, offset, bytes);
                }
                offset += bytes;
            }
        })?;
        let readback = Readback { memory: HostMemory::Twin(staging), words: total, guard: Guard::NONE };
        let words: Vec<u32> = pollster::block_on(readback.read(self, what, total as usize))?;
        let mut rest = words.as_slice();
        for buffer in buffers {
            let (guard, after) = rest.split_at(buffer.guard().words as usize);
            buffer.guard().check(what, guard)?;
            rest = after;
        }
        Ok(())
    }
}

/// Bytes as whole words, and what is left of them as a word filled with zeros.
pub(crate) fn split_words(bytes: &[u8]) -> (&[u8], Option<[u8; WORD as usize]>) {
    let (words, tail) = bytes.split_at(bytes.len() - bytes.len() % WORD as usize);
    let mut last = [0; WORD as usize];
    last[..tail.len()].copy_from_slice(tail);
    (words, (!tail.is_empty()).then_some(last))
}
