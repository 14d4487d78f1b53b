//! Memory through which the host fills a device buffer run after run, without allocating.

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::gpu::buffer::{GpuBuffer, WORD};
use crate::gpu::host_memory::HostMemory;
use crate::gpu::transfer::{map, split_words};

/// Words that go to a device at once at most, through a twin or staged by wgpu. Discrete GPUs may have no more than some 200 MB
/// that the host can write, for all programs; wgpu loses the device when it finds no room in them for what it stages.
pub(crate) const PIECE_WORDS: u64 = 4 << 20;

/// Where the host puts a device buffer's words, before the commands that read them are submitted.
///
/// `Queue::write_buffer` would do, but takes new memory from the driver at each call.
#[derive(Debug)]
pub(crate) struct Upload {
    memory: HostMemory,
    words: u64,
    /// Words that the host writes at once: all of them, or [`PIECE_WORDS`] where they go through a twin.
    piece: u64,
}

impl Upload {
    /// Puts `bytes` in, once the work submitted so far has read what was there; a last incomplete word is filled with
    /// zeros. All pieces but the last are on their way to `target` then.
    ///
    /// # Errors
    /// [`Error::Operand`] if they do not fit; the device's faults.
    pub(crate) async fn fill(&self, gpu: &Gpu, what: &str, target: &GpuBuffer, bytes: &[u8]) -> Result<()> {
        let room = self.words * WORD;
        if bytes.len() as u64 > room {
            return Err(Error::operand("upload", what, format!("at most {room} bytes"), bytes.len()));
        }
        for (piece, first) in bytes.chunks((self.piece * WORD) as usize).zip((0..).step_by(self.piece as usize)) {
            self.put(gpu, what, piece).await?;
            if first < self.last_piece() {
                gpu.submit(what, |encoder| self.copy(encoder, target, first))?;
            }
        }
        Ok(())
    }

    /// Puts a piece's bytes where the host writes.
    async fn put(&self, gpu: &Gpu, what: &str, bytes: &[u8]) -> Result<()> {
        let room = self.piece * WORD;
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

    /// Copies the last piece, which [`Upload::fill`] has left, to `target`, before the commands recorded from here on,
    /// where it is not there already.
    pub(crate) fn record(&self, encoder: &mut wgpu::CommandEncoder, target: &GpuBuffer) {
        self.copy(encoder, target, self.last_piece());
    }

    /// The first word of the last piece.
    fn last_piece(&self) -> u64 {
        self.words.saturating_sub(1) / self.piece * self.piece
    }

    /// Copies a twin's words to those of `target` from `first` on.
    fn copy(&self, encoder: &mut wgpu::CommandEncoder, target: &GpuBuffer, first: u64) {
        if let Some(twin) = self.memory.twin() {
            let words = self.piece.min(self.words - first);
            encoder.copy_buffer_to_buffer(twin, 0, target.raw(), first * WORD, words * WORD);
        }
    }
}

impl Gpu {
    /// Memory through which the first `words` of a buffer are filled, by whoever has the buffer to itself.
    ///
    /// # Errors
    /// The device's faults.
    pub(crate) fn upload_through(&self, what: &str, target: &GpuBuffer, words: u64) -> Result<Upload> {
        self.upload_in_pieces(what, target, words, PIECE_WORDS)
    }

    /// The same by so many words at once at most.
    pub(super) fn upload_in_pieces(&self, what: &str, target: &GpuBuffer, words: u64, most: u64) -> Result<Upload> {
        let usage = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
        let piece = words.clamp(1, most);
        let memory = self.host_memory(what, target, piece, usage)?;
        let piece = if memory.twin().is_some() { piece } else { words.max(1) };
        Ok(Upload { memory, words, piece })
    }
}
