//! Splitting a convolution's weight by its rows (the elements of one channel of its first axis), where one binding would
//! not hold all of it.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::gpu::Caps;

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
    /// Words of the weight to bind; they start where the device can bind, at most one alignment before the first row.
    pub(crate) words: Range<u64>,
    /// Word of the binding at which the first row starts.
    pub(crate) offset: u64,
}

/// The fewest shards of a weight of `groups * group_rows` rows, `row_words` words each, which are an operator's `row`
/// channels.
///
/// # Errors
/// [`Error::Limit`] where not even one row fits a binding.
pub(crate) fn shards(
    op: &'static str,
    row: &'static str,
    groups: u64,
    group_rows: u64,
    row_words: u64,
    caps: &Caps,
) -> Result<Vec<Shard>> {
    let most_words = caps.max_binding_bytes.min(caps.max_buffer_bytes) / 4;
    let alignment = u64::from(caps.storage_alignment / 4).max(1);
    let all = groups * group_rows;
    // Rows of an aligned length start where bindings can; otherwise a binding may have to start a little earlier.
    let slack = if all * row_words <= most_words || row_words.is_multiple_of(alignment) { 0 } else { alignment - 1 };
    let most_rows = most_words.saturating_sub(slack) / row_words;
    if most_rows == 0 {
        return Err(Error::Limit {
            what: format!("{op}: the weight of one {row} channel"),
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
        Shard { first_group, groups, first_row, group_rows, words: start - offset..end, offset }
    };
    if most_rows >= group_rows {
        let step = (most_rows / group_rows).min(groups);
        let starts = (0..groups).step_by(step as usize);
        return Ok(starts
            .map(|group| shard(group, step.min(groups - group), group * group_rows, group_rows))
            .collect());
    }
    let starts = |group: u64| (0..group_rows).step_by(most_rows as usize).map(move |start| (group, start));
    Ok((0..groups)
        .flat_map(starts)
        .map(|(group, start)| shard(group, 1, group * group_rows + start, most_rows.min(group_rows - start)))
        .collect())
}
