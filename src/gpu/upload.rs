//! Memory through which the host fills a device buffer run after run, without allocating.

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::gpu::buffer::{GpuBuffer, WORD};
use crate::gpu::host_memory::HostMemory;
use crate::gpu::transfer::{map, split_words};

/// Where the host puts a device buffer's words, before the commands that read them are submitted.
///
/// `Queue::write_buffer` would do, but takes new memory from the driver at each call.
#[derive(Debug)]
pub(crate) struct Upload {
    memory: HostMemory,
    words: u64,
}

impl Upload {
    /// Puts `bytes` in, once the work submitted so far has read what was there; a last incomplete word is filled with
    /// zeros.
    ///
    /// # Errors
    /// [`Error::Operand`] if they do not fit; the device's faults.
    pub(crate) async fn fill(&self, gpu: &Gpu, what: &str, bytes: &[u8]) -> Result<()> {
        let room = self.words * WORD;
        if bytes.len() as u64 > room {
            return Err(Error::operand("upload", what, format!("at most {room} bytes"), bytes.len()));
        }
        let _unmap = map(gpu, what, self.memory.raw(), wgpu::MapMode::Write, room).await?;
        let mapped = self.memory.raw().get_mapped_range_mut(..room);
        let failed = |error: wgpu::MapRangeError| Error::Gpu { what: what.to_owned(), message: error.to_string() };
        let mut mapped = mapped.map_err(failed)?;
        let (words, last) = split_words(bytes);
        mapped.slice(..words.len()).copy_from_slice(words);
        if let Some(last) = last {
            mapped.slice(words.len()..words.len() + last.len()).copy_from_slice(&last);
        }
        Ok(())
    }

    /// Copies it to `target`, before the commands recorded from here on, where it is not there already.
    pub(crate) fn record(&self, encoder: &mut wgpu::CommandEncoder, target: &GpuBuffer) {
        if let Some(twin) = self.memory.twin() {
            encoder.copy_buffer_to_buffer(twin, 0, target.raw(), 0, self.words * WORD);
        }
    }
}

impl Gpu {
    /// Memory through which the first `words` of a buffer are filled, by whoever has the buffer to itself.
    ///
    /// # Errors
    /// The device's faults.
    pub(crate) fn upload_through(&self, what: &str, target: &GpuBuffer, words: u64) -> Result<Upload> {
        let usage = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
        Ok(Upload { memory: self.host_memory(what, target, words, usage)?, words })
    }
}
