//! Freed device memory kept for the next allocation of about its size.

use std::collections::BTreeMap;

/// Bytes of free buffers that are kept; beyond it the ones that were freed first go.
const RETAINED_BYTES: u64 = 512 << 20;

/// Device memory held by a [`crate::gpu::Gpu`], in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Memory {
    /// In tensors, weights and temporaries that are alive.
    pub in_use: u64,
    /// The most that was ever in use at once.
    pub peak: u64,
    /// Free, kept for reuse; [`crate::gpu::Gpu::trim`] gives it back.
    pub pooled: u64,
}

/// Free buffers by size, and the count of those in use. Generic so that its rules are tested without a device.
#[derive(Debug)]
pub(crate) struct Pool<B> {
    /// By size, then by the time at which they were freed.
    free: BTreeMap<(u64, u64), B>,
    clock: u64,
    memory: Memory,
}

impl<B> Default for Pool<B> {
    fn default() -> Self {
        Self { free: BTreeMap::new(), clock: 0, memory: Memory::default() }
    }
}

impl<B> Pool<B> {
    /// A free buffer of at least `bytes` that wastes at most an eighth, with its size, now in use.
    pub(crate) fn take(&mut self, bytes: u64) -> Option<B> {
        let most = bytes.saturating_add(bytes / 8);
        let (&key, _) = self.free.range((bytes, 0)..=(most, u64::MAX)).next()?;
        let buffer = self.free.remove(&key)?;
        self.memory.pooled = self.memory.pooled.saturating_sub(key.0);
        self.lend(key.0);
        Some(buffer)
    }

    /// Counts a new buffer of `bytes` as in use.
    pub(crate) fn lend(&mut self, bytes: u64) {
        self.memory.in_use = self.memory.in_use.saturating_add(bytes);
        self.memory.peak = self.memory.peak.max(self.memory.in_use);
    }

    /// Takes a buffer of `bytes` back; returns those that the pool no longer has room for.
    #[must_use]
    pub(crate) fn put(&mut self, bytes: u64, buffer: B) -> Vec<B> {
        self.memory.in_use = self.memory.in_use.saturating_sub(bytes);
        self.memory.pooled = self.memory.pooled.saturating_add(bytes);
        self.clock += 1;
        self.free.insert((bytes, self.clock), buffer);
        let mut evicted = Vec::new();
        while self.memory.pooled > RETAINED_BYTES {
            let Some(&oldest) = self.free.keys().min_by_key(|(_, freed)| *freed) else { break };
            evicted.extend(self.free.remove(&oldest));
            self.memory.pooled = self.memory.pooled.saturating_sub(oldest.0);
        }
        evicted
    }

    /// Gives every free buffer away.
    #[must_use]
    pub(crate) fn trim(&mut self) -> Vec<B> {
        self.memory.pooled = 0;
        std::mem::take(&mut self.free).into_values().collect()
    }

    /// How much is in use and free.
    pub(crate) fn memory(&self) -> Memory {
        self.memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_that_fits_without_much_waste() {
        let mut pool = Pool::default();
        for bytes in [900, 1000, 1100, 5000] {
            pool.lend(bytes);
            assert!(pool.put(bytes, bytes).is_empty());
        }
        assert_eq!(pool.take(950), Some(1000));
        assert_eq!(pool.take(950), None, "1100 would waste more than an eighth");
        assert_eq!(pool.take(980), Some(1100));
        assert_eq!(pool.take(6000), None);
        assert_eq!(pool.memory(), Memory { in_use: 2100, peak: 5000, pooled: 5900 });
    }

    #[test]
    fn the_first_freed_goes_when_full() {
        let mut pool = Pool::default();
        let half = RETAINED_BYTES / 2;
        for (bytes, name) in [(half, 'a'), (half - 16, 'b')] {
            pool.lend(bytes);
            assert!(pool.put(bytes, name).is_empty());
        }
        pool.lend(32);
        assert_eq!(pool.put(32, 'c'), ['a']);
        assert_eq!(pool.memory().pooled, half + 16);
        assert_eq!(pool.trim().len(), 2);
        assert_eq!(pool.memory(), Memory { in_use: 0, peak: half, pooled: 0 });
    }

    #[test]
    fn equal_sizes_are_kept_apart() {
        let mut pool = Pool::default();
        for name in ['a', 'b'] {
            pool.lend(16);
            assert!(pool.put(16, name).is_empty());
        }
        assert_eq!((pool.take(16), pool.take(16), pool.take(16)), (Some('a'), Some('b'), None));
    }
}
