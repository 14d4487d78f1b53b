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

/// Most long-lived blocks that [`assign`] tries to keep apart.
const MOST_APART: usize = 32;

/// Slots in which no two blocks that meet lie together: the least of what a few dozen greedy runs find.
///
/// Blocks are placed largest first or earliest first. Neither order knows that a small block which is needed for long,
/// such as the switches of an encoder's first pool, blocks a large slot for as long; so both are tried again with the
/// `k` longest-lived blocks in slots of their own, for each `k` up to [`MOST_APART`].
pub(crate) fn assign(blocks: &[Block]) -> Slots {
    let mut by_length: Vec<usize> = (0..blocks.len()).collect();
    by_length.sort_by_key(|&b| (std::cmp::Reverse(blocks[b].last - blocks[b].first), blocks[b].bytes));
    let largest_first = |b: &usize| (std::cmp::Reverse(blocks[*b].bytes), blocks[*b].first);
    let earliest_first = |b: &usize| (blocks[*b].first, std::cmp::Reverse(blocks[*b].bytes));
    let mut best: Option<Slots> = None;
    for apart in 0..=blocks.len().min(MOST_APART) {
        let (mut long, mut short) = (by_length[..apart].to_vec(), by_length[apart..].to_vec());
        long.sort_by_key(largest_first);
        short.sort_by_key(largest_first);
        let mut found = vec![place(blocks, &long, &short)];
        short.sort_by_key(earliest_first);
        found.push(place(blocks, &long, &short));
        for slots in found {
            if best.as_ref().is_none_or(|best| slots.bytes() < best.bytes()) {
                best = Some(slots);
            }
        }
    }
    best.unwrap_or_default()
}

/// Places the long-lived blocks, then the others in slots of their own.
fn place(blocks: &[Block], long: &[usize], short: &[usize]) -> Slots {
    let mut slots = Slots { sizes: Vec::new(), of: vec![0; blocks.len()] };
    slots.place(blocks, long);
    slots.place(blocks, short);
    slots
}

impl Slots {
    /// Gives each block in turn the new slot that has to grow least to hold it, among these the one that wastes least,
    /// among these the one that was in use most recently (which leaves older gaps open for longer lifetimes); another
    /// slot only where all new ones are taken. Slots that were there before are left alone.
    fn place(&mut self, blocks: &[Block], order: &[usize]) {
        let first = self.sizes.len();
        let mut held: Vec<Vec<usize>> = Vec::new();
        for &b in order {
            let block = &blocks[b];
            let free = (0..held.len()).filter(|&slot| held[slot].iter().all(|&other| !blocks[other].meets(block)));
            let best = free.min_by_key(|&slot| {
                let size = self.sizes[first + slot];
                let gap = held[slot].iter().map(|&other| distance(&blocks[other], block)).min();
                (block.bytes.saturating_sub(size), size.saturating_sub(block.bytes), gap)
            });
            let slot = best.unwrap_or_else(|| {
                self.sizes.push(0);
                held.push(Vec::new());
                held.len() - 1
            });
            self.sizes[first + slot] = self.sizes[first + slot].max(block.bytes);
            self.of[b] = first + slot;
            held[slot].push(b);
        }
    }
}

/// Steps between two blocks that do not meet.
fn distance(a: &Block, b: &Block) -> usize {
    a.first.saturating_sub(b.last).max(b.first.saturating_sub(a.last))
}
