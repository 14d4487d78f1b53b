//! Weights on the device: streamed there a part at a time, packed once, and split where one buffer would not hold them.

use std::collections::HashMap;
use std::ops::Range;

use super::source::Source;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, BufferRange, Gpu, GpuBuffer, Operand, Step};
use crate::graph::{Graph, PlannedNode};
use crate::weights::Weights;

/// Words of a weight that are decoded and handed to the device at once: the host never holds more of it.
const CHUNK_WORDS: u64 = 4 << 20;

/// The first number that becomes infinite as the nearest f16.
const FIRST_BEYOND_HALF: f32 = 65_520.0;

/// Words that may be on their way to the device before they are waited for. wgpu keeps a copy of each until then.
const MOST_UNDER_WAY: u64 = 16 << 20;

/// A weight on the device, in one buffer or several.
#[derive(Debug)]
pub(super) struct Resident {
    source: Source,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    /// Which words of the weight it holds. Parts may overlap, where bindings have to start before their first row.
    words: Range<u64>,
    buffer: GpuBuffer,
}

impl Resident {
    /// Whether it is these runs of this weight.
    pub(super) fn is(&self, source: &Source, runs: &[Range<u64>]) -> bool {
        self.source == *source && self.parts.iter().map(|part| &part.words).eq(runs)
    }

    /// The run of a part that holds the words an operand asks for.
    pub(super) fn find(&self, operand: &Operand) -> Option<BufferRange<'_>> {
        let inside = |part: &&Part| {
            let words = operand.words.as_ref();
            words.map_or(self.parts.len() == 1, |w| part.words.start <= w.start && w.end <= part.words.end)
        };
        let part = self.parts.iter().find(inside)?;
        let words = operand.words.clone().unwrap_or(part.words.clone());
        Some(part.buffer.range(words.start - part.words.start..words.end - part.words.start))
    }
}

/// Runs of words of weights, by a weight's position.
pub(super) type Bound = HashMap<usize, Vec<Range<u64>>>;

/// The words of each of a graph's parameters that the dispatches of some nodes bind.
pub(super) fn bound_words(graph: &Graph, nodes: &[PlannedNode]) -> Bound {
    let mut bound: Bound = HashMap::new();
    for planned in nodes {
        let parameter = |position| {
            let parameter = graph.nodes()[planned.node].parameter_at(position)?;
            Some((parameter, graph.parameter(parameter).shape().elements() as u64))
        };
        let steps = planned.kernel.prepare.iter().chain(&planned.kernel.run);
        for (parameter, words) in steps.flat_map(|step| bound_by(step, parameter)) {
            bound.entry(parameter).or_default().extend(words);
        }
    }
    bound
}

/// The words of each weight that one dispatch binds; `weight` tells of an input which one it is, and how many words that has.
pub(super) fn bound_by(step: &Step, weight: impl Fn(usize) -> Option<(usize, u64)>) -> Bound {
    let mut bound: Bound = HashMap::new();
    for operand in &step.operands {
        let Buffer::Input(position) = operand.buffer else { continue };
        let Some((weight, words)) = weight(position) else { continue };
        bound.entry(weight).or_default().push(operand.words.clone().unwrap_or(0..words));
    }
    bound
}

/// Runs of words, none longer than `most`, such that each of `bound` lies within one of them: as few as one pass from
/// the first word on gives.
fn split(mut bound: Vec<Range<u64>>, most: u64) -> Option<Vec<Range<u64>>> {
    bound.sort_by_key(|words| (words.start, words.end));
    let mut runs: Vec<Range<u64>> = Vec::new();
    for words in bound {
        if words.end - words.start > most {
            return None;
        }
        match runs.last_mut() {
            Some(run) if words.end.max(run.end) - run.start <= most => run.end = run.end.max(words.end),
            _ => runs.push(words),
        }
    }
    Some(runs)
}

/// Moves weights to the device, and sees to it that not too much of them is under way at once.
pub(super) struct Mover<'a> {
    gpu: &'a Gpu,
    weights: &'a Weights,
    under_way: u64,
}

impl<'a> Mover<'a> {
    pub(super) fn new(gpu: &'a Gpu, weights: &'a Weights) -> Self {
        Self { gpu, weights, under_way: 0 }
    }

    /// The runs of words, each for a buffer, in which a weight is uploaded of which `bound` is needed.
    ///
    /// # Errors
    /// [`Error::Limit`] where a dispatch binds more of it than a buffer holds.
    pub(super) fn runs(&self, source: &Source, bound: Vec<Range<u64>>) -> Result<Vec<Range<u64>>> {
        let most = self.gpu.caps().max_buffer_bytes / 4;
        let (name, shape) = (source.parameter().name(), source.parameter().shape());
        split(bound, most).ok_or_else(|| Error::Limit {
            what: format!("weight `{name}` of {shape}"),
            needed: 4 * source.words(),
            available: 4 * most,
            unit: "bytes a buffer",
            way_out: "use an adapter and limits that allow more".to_owned(),
        })
    }

    /// Allocates and fills these runs of a weight.
    ///
    /// # Errors
    /// [`Error::Weights`], [`Error::Overflow`]; the device's faults.
    pub(super) async fn upload(&mut self, source: &Source, runs: Vec<Range<u64>>) -> Result<Resident> {
        let allocate = |words: Range<u64>| {
            let buffer = self.gpu.allocate(source.parameter().name(), words.end - words.start)?;
            Ok(Part { words, buffer })
        };
        let parts = runs.into_iter().map(allocate).collect::<Result<Vec<_>>>()?;
        match source.parameter().constant() {
            Some(constant) => self.fill(source, &parts, 0, constant.data()).await?,
            None => self.stream(source, &parts).await?,
        }
        Ok(Resident { source: source.clone(), parts })
    }

    async fn stream(&mut self, source: &Source, parts: &[Part]) -> Result<()> {
        let name = source.parameter().name();
        let rows = self.weights.get(name).and_then(|entry| entry.shape().first().copied()).unwrap_or(1);
        let row_words = (source.words() / rows.max(1) as u64).max(1);
        let step = (CHUNK_WORDS / row_words).max(1) as usize;
        for start in (0..rows).step_by(step) {
            let end = rows.min(start + step);
            let words = start as u64 * row_words..end as u64 * row_words;
            if parts.iter().any(|part| part.words.start < words.end && words.start < part.words.end) {
                let chunk = self.weights.tensor_rows(name, start..end)?;
                self.fill(source, parts, words.start, chunk.data()).await?;
            }
        }
        Ok(())
    }

    /// Writes words `start ..` of a weight to every part that holds some of them.
    async fn fill(&mut self, source: &Source, parts: &[Part], start: u64, data: &[f32]) -> Result<()> {
        let name = source.parameter().name();
        if source.is_half() {
            check_range(name, data)?;
        }
        let end = start + data.len() as u64;
        for part in parts {
            let (from, to) = (start.max(part.words.start), end.min(part.words.end));
            if from < to {
                let bytes = bytemuck::cast_slice(&data[(from - start) as usize..(to - start) as usize]);
                self.gpu.write_at(name, &part.buffer, from - part.words.start, bytes)?;
                self.under_way += to - from;
            }
        }
        if self.under_way >= MOST_UNDER_WAY {
            self.settle().await?;
        }
        Ok(())
    }

    /// Waits until everything written is on the device.
    pub(super) async fn settle(&mut self) -> Result<()> {
        self.under_way = 0;
        self.gpu.flush("weights").await
    }
}

/// Refuses a weight that holds a number that f16 does not.
fn check_range(name: &str, data: &[f32]) -> Result<()> {
    let beyond = |value: &&f32| value.is_finite() && value.abs() >= FIRST_BEYOND_HALF;
    match data.iter().find(beyond) {
        None => Ok(()),
        Some(value) => Err(Error::Overflow {
            what: format!("{value}, in weight `{name}`,"),
            way_out: format!(
                "keep it in f32: Elements::f16().keep_f32({name:?}), on the command line --keep-f32 {name}; variant \
                 cooperative, asked for by name, rounds it all the same"
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bound_together_lies_together() {
        type Runs<'a> = &'a [(u64, u64)];
        let runs = |bounds: Runs| bounds.iter().map(|&(start, end)| start..end).collect::<Vec<_>>();
        let rows: [(Runs, u64, Option<Runs>); 6] = [
            (&[(0, 10)], 10, Some(&[(0, 10)])),
            (&[(0, 11)], 10, None),
            (&[(6, 10), (0, 6)], 10, Some(&[(0, 10)])),
            (&[(0, 6), (6, 12), (12, 18)], 12, Some(&[(0, 12), (12, 18)])),
            // The second binding starts before the first ends, to be aligned.
            (&[(0, 7), (6, 12)], 7, Some(&[(0, 7), (6, 12)])),
            (&[(0, 4), (0, 4), (2, 3), (8, 9)], 5, Some(&[(0, 4), (8, 9)])),
        ];
        for (bound, most, expected) in rows {
            assert_eq!(split(runs(bound), most), expected.map(runs), "{bound:?} within {most}");
        }
    }
}
