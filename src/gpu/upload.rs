//! Memory through which the host fills a device buffer run after run, without allocating.

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::gpu::buffer::{GpuBuffer, WORD};
use crate::gpu::transfer::{map, split_words};

/// A host-visible twin of a device buffer: filled by the host, then copied by recorded commands.
///
/// `Queue::write_buffer` would do, but takes new memory from the driver at each call.
#[derive(Debug)]
pub(crate) struct Upload {
    staging: wgpu::Buffer,
    words: u64,
}

impl Upload {
    /// Puts `bytes` in, once the work submitted so far has read what was there; a last incomplete word is filled with
    /// zeros.
    ///
    /// # Errors
    /// [`Error::Operand`] if they do not fit; the device's faults.
    pub(crate) async fn fill(&self, gpu: &Gpu, what: &str, bytes: &[u8]) -> Result<()> {
        if bytes.len() as u64 > self.words * WORD {
            let expected = format!("at most {} bytes", self.words * WORD);
            return Err(Error::operand("upload", what, expected, bytes.len()));
        }
        let _unmap = map(gpu, what, &self.staging, wgpu::MapMode::Write).await?;
        let mapped = self.staging.get_mapped_range_mut(..);
        let failed = |error: wgpu::MapRangeError| Error::Gpu { what: what.to_owned(), message: error.to_string() };
        let mut mapped = mapped.map_err(failed)?;
        let (words, last) = split_words(bytes);
        mapped.slice(..words.len()).copy_from_slice(words);
        if let Some(last) = last {
            mapped.slice(words.len()..words.len() + last.len()).copy_from_slice(&last);
        }
        Ok(())
    }

    /// Copies it to `target`, before the commands recorded from here on.
    pub(crate) fn record(&self, encoder: &mut wgpu::CommandEncoder, target: &GpuBuffer) {
        encoder.copy_buffer_to_buffer(&self.staging, 0, target.raw(), 0, self.words * WORD);
    }
}

impl Gpu {
    /// Memory through which the first `words` of a buffer are filled.
    ///
    /// # Errors
    /// The device's faults.
    pub(crate) fn upload_through(&self, what: &str, words: u64) -> Result<Upload> {
        let usage = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
        Ok(Upload { staging: self.create_buffer(what, words * WORD, usage)?, words })
    }
}
