//! Splitting a convolution's weight over output channels, where one binding would not hold all of it.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::gpu::Caps;

/// Output channels whose weights one binding holds: a run of whole groups, or a run of channels of one group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shard {
    /// First group.
    pub(crate) first_group: u64,
    /// How many groups.
    pub(crate) groups: u64,
    /// First output channel, counted over all groups.
    pub(crate) first_channel: u64,
    /// Output channels of each of these groups.
    pub(crate) group_channels: u64,
    /// Words of the weight to bind; they start where the device can bind, at most one alignment before the first row.
    pub(crate) words: Range<u64>,
    /// Word of the binding at which the first channel's row starts.
    pub(crate) offset: u64,
}

/// The fewest shards of a weight of `groups * group_channels` rows, `row_words` words each.
///
/// # Errors
/// [`Error::Limit`] where not even one output channel's row fits a binding.
pub(crate) fn shards(
    op: &'static str,
    groups: u64,
    group_channels: u64,
    row_words: u64,
    caps: &Caps,
) -> Result<Vec<Shard>> {
    let most_words = caps.max_binding_bytes.min(caps.max_buffer_bytes) / 4;
    let alignment = u64::from(caps.storage_alignment / 4).max(1);
    let all = groups * group_channels;
    // Rows of an aligned length start where bindings can; otherwise a binding may have to start a little earlier.
    let slack = if all * row_words <= most_words || row_words.is_multiple_of(alignment) { 0 } else { alignment - 1 };
    let most_rows = most_words.saturating_sub(slack) / row_words;
    if most_rows == 0 {
        return Err(Error::Limit {
            what: format!("{op}: the weight of one output channel"),
            needed: 4 * (row_words + slack),
            available: 4 * most_words,
            unit: "bytes a binding",
            way_out: "use an adapter and limits that allow more, or more groups".to_owned(),
        });
    }
    let shard = |first_group, groups, first_channel, group_channels| {
        let start = first_channel * row_words;
        let end = start + groups * group_channels * row_words;
        let offset = start % alignment;
        Shard { first_group, groups, first_channel, group_channels, words: start - offset..end, offset }
    };
    if most_rows >= group_channels {
        let step = (most_rows / group_channels).min(groups);
        let starts = (0..groups).step_by(step as usize);
        return Ok(starts
            .map(|group| shard(group, step.min(groups - group), group * group_channels, group_channels))
            .collect());
    }
    let starts = |group: u64| (0..group_channels).step_by(most_rows as usize).map(move |start| (group, start));
    Ok((0..groups)
        .flat_map(starts)
        .map(|(group, start)| shard(group, 1, group * group_channels + start, most_rows.min(group_channels - start)))
        .collect())
}
