//! Rails for tests: memory that is handed out holds poison, and is followed by guard words that must never change.
//!
//! Poison is a NaN as f32 and the largest u32, so that an element that a kernel forgets, or reads before writing,
//! shows in any comparison. Guards are bound together with the data, because drivers discard writes that leave the
//! binding.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};
use crate::gpu::buffer::{GpuBuffer, WORD};
use crate::gpu::{Caps, Gpu};

/// What every word of a fresh allocation holds.
pub(crate) const POISON: u32 = 0xFFFF_FFFF;

/// The guard words after an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Guard {
    /// How many there are.
    pub(crate) words: u64,
    /// What tells them from the guard words of other allocations, lest a kernel that copies too much put one guard in
    /// another's place unseen.
    salt: u32,
}

impl Guard {
    /// Without rails.
    pub(crate) const NONE: Self = Self { words: 0, salt: 0 };

    /// Up to 64 words after an allocation of this size, fewer where the largest binding or buffer leaves no room.
    pub(crate) fn after(words: u64, caps: &Caps) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let most = caps.max_binding_bytes.min(caps.max_buffer_bytes) / WORD;
        let salt = NEXT.fetch_add(1, Ordering::Relaxed) % 0xFFFF;
        Self { words: most.saturating_sub(words).min(64), salt }
    }

    /// The word at this position: a NaN as f32, out of range as an index, and unlike its neighbours and poison.
    fn word(self, position: u64) -> u32 {
        0xFFC0_0000 | self.salt << 6 | (position % 64) as u32
    }

    /// Refuses guard words that have changed.
    ///
    /// # Errors
    /// [`Error::Gpu`] with the first that has.
    pub(crate) fn check(self, what: &str, found: &[u32]) -> Result<()> {
        let broken = found.iter().enumerate().find(|(i, word)| **word != self.word(*i as u64));
        broken.map_or(Ok(()), |(i, word)| {
            let message = format!("a shader wrote {word:#010x} {i} words past the end of its data");
            Err(Error::Gpu { what: what.to_owned(), message })
        })
    }
}

impl Gpu {
    /// Fills an allocation with poison and its guard with the guard's pattern.
    pub(crate) fn poison(&self, buffer: &GpuBuffer) -> Result<()> {
        const CHUNK: u64 = 1 << 20;
        let poison = vec![POISON; buffer.words().min(CHUNK) as usize];
        let guard: Vec<u32> = (0..buffer.guard().words).map(|position| buffer.guard().word(position)).collect();
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
        let after = |words| Guard::after(words, &Caps::WEBGPU).words;
        assert_eq!((after(1), after(most - 3), after(most), after(most + 1)), (64, 3, 0, 0));
    }

    #[test]
    fn guards_are_nan_and_distinct() {
        let (a, b) = (Guard { words: 64, salt: 0xFFFE }, Guard { words: 64, salt: 0 });
        for i in 0..64 {
            assert!([a, b].iter().all(|guard| f32::from_bits(guard.word(i)).is_nan() && guard.word(i) != POISON));
            assert_ne!(a.word(i), b.word(i), "allocations");
            assert_ne!(a.word(i), a.word(i + 1), "neighbours");
        }
    }

    #[test]
    fn a_changed_guard_is_found() {
        let guard = Guard::after(1, &Caps::WEBGPU);
        let mut words: Vec<u32> = (0..64).map(|position| guard.word(position)).collect();
        assert!(guard.check("x", &words).is_ok());
        words[7] = Guard::after(1, &Caps::WEBGPU).word(7);
        let message = guard.check("conv2d", &words).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message.contains("conv2d") && message.contains("7 words past"), "{message}");
    }
}
