//! Weights on the device: streamed there a part at a time, packed once, and split where one buffer would not hold them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::error::{Error, Result};
use crate::gpu::{Buffer, BufferRange, Gpu, GpuBuffer, Operand, Step};
use crate::graph::{Graph, Node, Parameter, PlannedNode};
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
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    /// Which words of the weight it holds. Parts may overlap, where bindings have to start before their first row.
    words: Range<u64>,
    buffer: GpuBuffer,
}

impl Resident {
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

/// Runs of words of weights, by position among the graph's parameters.
pub(super) type Bound = HashMap<usize, Vec<Range<u64>>>;

/// The words of each weight that the dispatches of some nodes bind.
pub(super) fn bound_words(graph: &Graph, nodes: &[PlannedNode]) -> Bound {
    let mut bound: Bound = HashMap::new();
    for planned in nodes {
        let steps = planned.kernel.prepare.iter().chain(&planned.kernel.run);
        for (parameter, words) in steps.flat_map(|step| bound_by(graph, &graph.nodes()[planned.node], step)) {
            bound.entry(parameter).or_default().extend(words);
        }
    }
    bound
}

/// The words of each weight that one dispatch of a node binds.
pub(super) fn bound_by(graph: &Graph, node: &Node, step: &Step) -> Bound {
    let mut bound: Bound = HashMap::new();
    for operand in &step.operands {
        let Buffer::Input(position) = operand.buffer else { continue };
        let Some(parameter) = node.parameter_at(position) else { continue };
        let whole = 0..graph.parameter(parameter).shape().elements() as u64;
        bound.entry(parameter).or_default().push(operand.words.clone().unwrap_or(whole));
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
    /// Names of the weights that are rounded to f16.
    halves: HashSet<String>,
}

impl<'a> Mover<'a> {
    pub(super) fn new(gpu: &'a Gpu, weights: &'a Weights, halves: HashSet<String>) -> Self {
        Self { gpu, weights, under_way: 0, halves }
    }

    /// Allocates and fills what `bound` says is needed of a weight.
    ///
    /// # Errors
    /// [`Error::Limit`] where a dispatch binds more of it than a buffer holds; [`Error::Weights`]; the device's faults.
    pub(super) async fn upload(&mut self, parameter: &Parameter, bound: Vec<Range<u64>>) -> Result<Resident> {
        let name = parameter.name();
        let most = self.gpu.caps().max_buffer_bytes / 4;
        let runs = split(bound, most).ok_or_else(|| Error::Limit {
            what: format!("weight `{name}` of {}", parameter.shape()),
            needed: 4 * parameter.shape().elements() as u64,
            available: 4 * most,
            unit: "bytes a buffer",
            way_out: "use an adapter and limits that allow more".to_owned(),
        })?;
        let allocate = |words: Range<u64>| {
            let buffer = self.gpu.allocate(name, words.end - words.start)?;
            Ok(Part { words, buffer })
        };
        let parts = runs.into_iter().map(allocate).collect::<Result<Vec<_>>>()?;
        match parameter.constant() {
            Some(constant) => self.fill(name, &parts, 0, constant.data()).await?,
            None => self.stream(parameter, &parts).await?,
        }
        Ok(Resident { parts })
    }

    async fn stream(&mut self, parameter: &Parameter, parts: &[Part]) -> Result<()> {
        let name = parameter.name();
        let rows = self.weights.get(name).and_then(|entry| entry.shape().first().copied()).unwrap_or(1);
        let row_words = (parameter.shape().elements() as u64 / rows.max(1) as u64).max(1);
        let step = (CHUNK_WORDS / row_words).max(1) as usize;
        for start in (0..rows).step_by(step) {
            let end = rows.min(start + step);
            let words = start as u64 * row_words..end as u64 * row_words;
            if parts.iter().any(|part| part.words.start < words.end && words.start < part.words.end) {
                let chunk = self.weights.tensor_rows(name, start..end)?;
                self.fill(name, parts, words.start, chunk.data()).await?;
            }
        }
        Ok(())
    }

    /// Writes words `start ..` of a weight to every part that holds some of them.
    async fn fill(&mut self, name: &str, parts: &[Part], start: u64, data: &[f32]) -> Result<()> {
        self.check_range(name, data)?;
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

    /// Refuses a weight that is rounded to f16 and holds a number that f16 does not.
    fn check_range(&self, name: &str, data: &[f32]) -> Result<()> {
        let beyond = |value: &&f32| value.is_finite() && value.abs() >= FIRST_BEYOND_HALF;
        match data.iter().find(beyond).filter(|_| self.halves.contains(name)) {
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

    /// Waits until everything written is on the device.
    pub(super) async fn settle(&mut self) -> Result<()> {
        self.under_way = 0;
        self.gpu.flush("weights").await
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
