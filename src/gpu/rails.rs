//! Rails for tests: memory that is handed out holds poison, and is followed by guard words that must never change.
//!
//! Poison is a NaN as f32 and the largest u32, so that an element that a kernel forgets, or reads before writing,
//! shows in any comparison. Guards are bound together with the data, because drivers discard writes that leave the
//! binding.

use crate::error::{Error, Result};
use crate::gpu::buffer::{GpuBuffer, WORD};
use crate::gpu::{Caps, Gpu};

/// What every word of a fresh allocation holds.
pub(crate) const POISON: u32 = 0xFFFF_FFFF;

/// Guard words after an allocation of this size: up to 64, fewer where the largest binding or buffer leaves no room.
pub(crate) fn guard_words(words: u64, caps: &Caps) -> u64 {
    let most = caps.max_binding_bytes.min(caps.max_buffer_bytes) / WORD;
    most.saturating_sub(words).min(64)
}

/// The guard's word of this position: a NaN as f32, out of range as an index, and unlike its neighbours.
pub(crate) fn guard_word(position: u64) -> u32 {
    0xFFC5_AF00 | (position % 64) as u32
}

/// Refuses guard words that have changed.
///
/// # Errors
/// [`Error::Gpu`] with the first that has.
pub(crate) fn check_guard(what: &str, guard: &[u32]) -> Result<()> {
    let broken = guard.iter().enumerate().find(|(i, word)| **word != guard_word(*i as u64));
    broken.map_or(Ok(()), |(i, word)| {
        let message = format!("a shader wrote {word:#010x} {i} words past the end of its data");
        Err(Error::Gpu { what: what.to_owned(), message })
    })
}

impl Gpu {
    /// Fills an allocation with poison and its guard with the guard's pattern.
    pub(crate) fn poison(&self, buffer: &GpuBuffer) -> Result<()> {
        const CHUNK: u64 = 1 << 20;
        let poison = vec![POISON; buffer.words().min(CHUNK) as usize];
        let guard: Vec<u32> = (0..buffer.guard()).map(guard_word).collect();
        self.shared.faults.guarded("poisoning", || {
            let (queue, raw) = (&self.shared.queue, buffer.raw());
            for start in (0..buffer.words()).step_by(CHUNK as usize) {
                let count = (buffer.words() - start).min(CHUNK) as usize;
                queue.write_buffer(raw, start * WORD, bytemuck::cast_slice(&poison[..count]));
            }
            if !guard.is_empty() {
                queue.write_buffer(raw, buffer.words() * WORD, bytemuck::cast_slice(&guard));
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_leave_room_at_the_limit() {
        let most = Caps::WEBGPU.max_binding_bytes / WORD;
        assert_eq!(guard_words(1, &Caps::WEBGPU), 64);
        assert_eq!(guard_words(most - 3, &Caps::WEBGPU), 3);
        assert_eq!(guard_words(most, &Caps::WEBGPU), 0);
        assert_eq!(guard_words(most + 1, &Caps::WEBGPU), 0);
    }

    #[test]
    fn guards_are_nan_and_distinct() {
        assert!((0..64).all(|i| f32::from_bits(guard_word(i)).is_nan() && guard_word(i) != POISON));
        assert_ne!(guard_word(0), guard_word(1));
    }

    #[test]
    fn a_changed_guard_is_found() {
        let mut guard: Vec<u32> = (0..64).map(guard_word).collect();
        assert!(check_guard("x", &guard).is_ok());
        guard[7] = 0;
        let message = check_guard("conv2d", &guard).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message.contains("conv2d") && message.contains("7 words past"), "{message}");
    }
}
