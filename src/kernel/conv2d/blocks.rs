//! How weights that are packed fall into blocks of output channels, and blocks into what a binding holds.

use std::ops::Range;

use super::OP;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Caps, Operand};

/// A run of blocks whose weights, raw and packed, each fit a binding.
pub(super) struct Run {
    pub(super) first_block: u64,
    pub(super) blocks: u64,
    pub(super) first_channel: u64,
    /// Words of the raw weight, from where bindings can start; all if `None`.
    words: Option<Range<u64>>,
    /// Word of the binding at which the first channel's row starts.
    pub(super) offset: u64,
}

impl Run {
    /// Its part of the raw weight.
    pub(super) fn part_of(&self, weight: Buffer) -> Operand {
        Operand { buffer: weight, words: self.words.clone() }
    }
}

/// How a weight's output channels fall into blocks of `rows`, group by group.
#[derive(Clone, Copy)]
pub(super) struct Blocks {
    pub(super) rows: u64,
    pub(super) groups: u64,
    pub(super) group_outputs: u64,
    /// Words of one channel's raw weights.
    pub(super) row_words: u64,
    /// Words of one block's packed weights.
    pub(super) block_words: u64,
}

impl Blocks {
    pub(super) fn group_blocks(&self) -> u64 {
        self.group_outputs.div_ceil(self.rows)
    }

    /// The first output channel of a block, counted over all groups.
    fn channel(&self, block: u64) -> u64 {
        let per_group = self.group_blocks();
        block / per_group * self.group_outputs + (block % per_group * self.rows).min(self.group_outputs)
    }

    /// The fewest runs of blocks.
    ///
    /// # Errors
    /// [`Error::Limit`] where not even one block fits a binding.
    pub(super) fn runs(&self, caps: &Caps) -> Result<Vec<Run>> {
        let most_words = caps.max_binding_bytes.min(caps.max_buffer_bytes) / 4;
        let alignment = u64::from(caps.storage_alignment / 4).max(1);
        let all = self.groups * self.group_blocks();
        let raw = self.rows * self.row_words + alignment - 1;
        let most =
            (most_words / self.block_words).min(most_words.saturating_sub(alignment - 1) / (raw + 1 - alignment));
        if most == 0 {
            return Err(Error::Limit {
                what: format!("{OP}: the weights of {} output channels", self.rows),
                needed: 4 * self.block_words.max(raw),
                available: 4 * most_words,
                unit: "bytes a binding",
                way_out: "use the direct variant, or an adapter and limits that allow more".to_owned(),
            });
        }
        let run = |first_block: u64| {
            let blocks = most.min(all - first_block);
            let first_channel = self.channel(first_block);
            let start = first_channel * self.row_words;
            let end = self.channel(first_block + blocks) * self.row_words;
            let offset = start % alignment;
            let words = (blocks < all).then_some(start - offset..end);
            Run { first_block, blocks, first_channel, words, offset }
        };
        Ok((0..all).step_by(most as usize).map(run).collect())
    }
}
