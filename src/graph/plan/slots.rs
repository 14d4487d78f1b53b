//! Which values share a buffer: values whose lifetimes do not meet may lie in one slot, one after the other.
//!
//! A slot is a whole buffer of its own, not a run of a larger one, because wgpu tracks usage by the buffer: one that a
//! dispatch reads and writes, even in different places, is refused.

/// Bytes that are needed from the beginning of one step to the end of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Block {
    /// How many.
    pub(crate) bytes: u64,
    /// The step that writes them.
    pub(crate) first: usize,
    /// The last step that reads them, that step included.
    pub(crate) last: usize,
}

impl Block {
    /// Whether some step needs both. A dispatch's results so never lie where its operands do.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Buffers for blocks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Slots {
    /// Size of each slot in bytes.
    pub(crate) sizes: Vec<u64>,
    /// The slot of each block.
    pub(crate) of: Vec<usize>,
}

impl Slots {
    /// Bytes of all slots.
    pub(crate) fn bytes(&self) -> u64 {
        self.sizes.iter().sum()
    }
}

/// The most bytes that any step needs at once: no assignment of slots can do with less.
pub(crate) fn largest_live_set(blocks: &[Block]) -> u64 {
    let live_at = |step| blocks.iter().filter(|b| b.first <= step && step <= b.last).map(|b| b.bytes).sum();
    blocks.iter().map(|block| live_at(block.first)).max().unwrap_or(0)
}

/// Slots in which no two blocks that meet lie together. Two greedy rules are tried, of which neither is always better,
/// and the smaller result is taken.
pub(crate) fn assign(blocks: &[Block]) -> Slots {
    let mut by_size: Vec<usize> = (0..blocks.len()).collect();
    by_size.sort_by_key(|&b| (std::cmp::Reverse(blocks[b].bytes), blocks[b].first));
    let mut by_time: Vec<usize> = (0..blocks.len()).collect();
    by_time.sort_by_key(|&b| (blocks[b].first, std::cmp::Reverse(blocks[b].bytes)));

    let (by_size, by_time) = (place(blocks, &by_size), place(blocks, &by_time));
    if by_time.bytes() < by_size.bytes() { by_time } else { by_size }
}

/// Gives each block in turn the slot that has to grow least to hold it, among these the one that wastes least, among
/// these the one that was in use most recently (which leaves older gaps open for longer lifetimes); a new slot only
/// where all are taken.
fn place(blocks: &[Block], order: &[usize]) -> Slots {
    let mut slots = Slots { sizes: Vec::new(), of: vec![0; blocks.len()] };
    let mut held: Vec<Vec<usize>> = Vec::new();
    for &b in order {
        let block = &blocks[b];
        let free = (0..held.len()).filter(|&slot| held[slot].iter().all(|&other| !blocks[other].meets(block)));
        let best = free.min_by_key(|&slot| {
            let size = slots.sizes[slot];
            let gap = held[slot].iter().map(|&other| distance(&blocks[other], block)).min();
            (block.bytes.saturating_sub(size), size.saturating_sub(block.bytes), gap)
        });
        let slot = best.unwrap_or_else(|| {
            slots.sizes.push(0);
            held.push(Vec::new());
            held.len() - 1
        });
        slots.sizes[slot] = slots.sizes[slot].max(block.bytes);
        slots.of[b] = slot;
        held[slot].push(b);
    }
    slots
}

/// Steps between two blocks that do not meet.
fn distance(a: &Block, b: &Block) -> usize {
    a.first.saturating_sub(b.last).max(b.first.saturating_sub(a.last))
}
