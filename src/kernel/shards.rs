//! Splitting a convolution's weight by its rows (the elements of one channel of its first axis), where one binding would
//! not hold all of it.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::gpu::{Buffer, Caps, Operand};

/// Rows that one binding holds: a run of whole groups, or a run of rows of one group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shard {
    /// First group.
    pub(crate) first_group: u64,
    /// How many groups.
    pub(crate) groups: u64,
    /// First row, counted over all groups.
    pub(crate) first_row: u64,
    /// Rows of each of these groups.
    pub(crate) group_rows: u64,
    /// Words of the weight to bind, all if `None`; they start where the device can bind, at most one alignment before the
    /// first row.
    words: Option<Range<u64>>,
    /// Word of the binding at which the first row starts.
    pub(crate) offset: u64,
}

impl Shard {
    /// Its part of the weight.
    pub(crate) fn part_of(&self, weight: Buffer) -> Operand {
        Operand { buffer: weight, words: self.words.clone() }
    }
}

/// The rows of a weight, group by group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    /// What a row is, for messages, as in `conv2d: the weight of one output channel`.
    pub(crate) what: &'static str,
    pub(crate) groups: u64,
    pub(crate) group_rows: u64,
    /// Words of a row.
    pub(crate) words: u64,
    /// The most rows of one group that a dispatch may take.
    pub(crate) most_group_rows: u64,
}

impl Rows {
    /// The fewest shards.
    ///
    /// # Errors
    /// [`Error::Limit`] where not even one row fits a binding.
    pub(crate) fn shards(&self, caps: &Caps) -> Result<Vec<Shard>> {
        let Self { groups, group_rows, words: row_words, most_group_rows, .. } = *self;
        let most_words = caps.max_binding_bytes.min(caps.max_buffer_bytes) / 4;
        let alignment = u64::from(caps.storage_alignment / 4).max(1);
        let all = groups * group_rows;
        // Rows of an aligned length start where bindings can; otherwise a binding may have to start a little earlier.
        let whole = all * row_words <= most_words && group_rows <= most_group_rows;
        let slack = if whole || row_words.is_multiple_of(alignment) { 0 } else { alignment - 1 };
        let most_rows = most_words.saturating_sub(slack) / row_words;
        if most_rows == 0 {
            return Err(Error::Limit {
                what: self.what.to_owned(),
                needed: 4 * (row_words + slack),
                available: 4 * most_words,
                unit: "bytes a binding",
                way_out: "use an adapter and limits that allow more, or more groups".to_owned(),
            });
        }
        let shard = |first_group, groups, first_row, group_rows| {
            let start = first_row * row_words;
            let end = start + groups * group_rows * row_words;
            let offset = start % alignment;
            let words = (groups * group_rows < all).then_some(start - offset..end);
            Shard { first_group, groups, first_row, group_rows, words, offset }
        };
        if most_rows >= group_rows && most_group_rows >= group_rows {
            let step = (most_rows / group_rows).min(groups);
            let starts = (0..groups).step_by(step as usize);
            return Ok(starts
                .map(|group| shard(group, step.min(groups - group), group * group_rows, group_rows))
                .collect());
        }
        let most_rows = most_rows.min(most_group_rows);
        let starts = |group: u64| (0..group_rows).step_by(most_rows as usize).map(move |start| (group, start));
        Ok((0..groups)
            .flat_map(starts)
            .map(|(group, start)| shard(group, 1, group * group_rows + start, most_rows.min(group_rows - start)))
            .collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn caps(words: u64, alignment: u32) -> Caps {
        Caps { max_binding_bytes: 4 * words, storage_alignment: 4 * alignment, ..Caps::WEBGPU }
    }

    fn rows(groups: u64, group_rows: u64, words: u64) -> Rows {
        Rows { what: "a row", groups, group_rows, words, most_group_rows: group_rows }
    }

    fn check(rows: Rows, words: u64, alignment: u32) {
        let context = format!("{rows:?}, {words} words, aligned to {alignment}");
        let Ok(shards) = rows.shards(&caps(words, alignment)) else {
            assert!(rows.words + u64::from(alignment) - 1 > words, "{context}: refused");
            return;
        };
        let mut next = 0;
        for shard in &shards {
            let count = shard.groups * shard.group_rows;
            assert_eq!(shard.first_row, next, "{context}");
            assert_eq!(shard.first_group, next / rows.group_rows, "{context}");
            let whole_groups = shard.group_rows == rows.group_rows && next % rows.group_rows == 0;
            let one_group = shard.groups == 1 && next % rows.group_rows + count <= rows.group_rows;
            assert!(whole_groups || one_group, "{context}");
            assert!(shard.group_rows <= rows.most_group_rows, "{context}");
            assert_eq!(shard.words.is_none(), shards.len() == 1, "{context}");
            let bound = shard.words.clone().unwrap_or(0..rows.groups * rows.group_rows * rows.words);
            assert!(bound.start.is_multiple_of(alignment.into()), "{context}");
            assert!(bound.end - bound.start <= words, "{context}");
            assert_eq!(bound.start + shard.offset, next * rows.words, "{context}");
            assert_eq!(bound.end, (next + count) * rows.words, "{context}");
            next += count;
        }
        assert_eq!(next, rows.groups * rows.group_rows, "{context}");
    }

    #[test]
    fn every_row_once_within_every_limit() {
        for (groups, group_rows, row_words) in [(1, 7, 5), (3, 4, 10), (5, 1, 9), (2, 13, 16), (4, 6, 1)] {
            for (words, alignment) in [(17, 1), (31, 8), (40, 16), (64, 16), (100, 64), (1000, 64)] {
                let rows = rows(groups, group_rows, row_words);
                check(rows, words, alignment);
                check(Rows { most_group_rows: 3, ..rows }, words, alignment);
            }
        }
    }

    #[test]
    fn no_more_than_needed() {
        let count = |words| rows(1, 12, 64).shards(&caps(words, 64)).unwrap().len();
        assert_eq!([12 * 64, 12 * 64 - 1, 6 * 64, 64].map(count), [1, 2, 2, 12]);
    }

    #[test]
    fn a_row_that_does_not_fit_is_an_error() {
        let error = rows(1, 12, 64).shards(&caps(63, 64)).unwrap_err();
        assert!(error.to_string().contains("a row needs 256 bytes a binding"), "{error}");
    }
}
