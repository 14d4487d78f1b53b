//! Running a verified workload again and again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use switchback::gpu::Timer;
use switchback::graph::{PlannedNode, Session};

use super::statistics::Statistics;
use super::workload::Workload;
use crate::Result;

/// Most timed runs: beyond them the median does not move.
const MOST_RUNS: usize = 200;

/// Fewest timed runs, however long each takes.
const FEWEST_RUNS: usize = 3;

/// Times of a workload, in milliseconds.
pub(super) struct Measured {
    /// Each node's, by name, in the order in which they run.
    pub(super) nodes: Vec<(PlannedNode, Statistics)>,
    /// What the nodes' times were measured with.
    pub(super) timer: Timer,
    /// From the inputs in host memory to the outputs in host memory, by wall clock, if asked for.
    pub(super) whole: Option<Statistics>,
}

/// Times every node, and the run as a whole if that is asked for, each for `seconds`.
///
/// Nothing is compiled, allocated or packed within a timed run.
pub(super) fn run(session: &mut Session, workload: &Workload, whole: bool, seconds: f64) -> Result<Measured> {
    let whole = match whole {
        false => None,
        true => Some(repeat(seconds, || {
            let start = Instant::now();
            session.run(workload.inputs())?;
            Ok(start.elapsed())
        })?),
    };
    let mut times: HashMap<String, Vec<f64>> = HashMap::new();
    let mut timer = Timer::WallClock;
    repeat(seconds, || {
        let profile = session.profile(workload.inputs())?;
        timer = profile.timer;
        for node in profile.nodes {
            times.entry(node.name).or_default().push(milliseconds(node.time));
        }
        Ok(Duration::ZERO)
    })?;
    let statistics = |node: &PlannedNode| {
        let of_node = times.get(node.name()).and_then(|samples| Statistics::of(samples));
        of_node.map(|statistics| (node.clone(), statistics)).ok_or_else(|| format!("`{}` has no times", node.name()))
    };
    let nodes = session.plan().nodes().iter().map(statistics).collect::<Result<Vec<_>, _>>()?;
    Ok(Measured { nodes, timer, whole })
}

/// Calls `run` for `seconds`, and statistics of the times it gives.
fn repeat(seconds: f64, mut run: impl FnMut() -> Result<Duration>) -> Result<Statistics> {
    let begin = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < FEWEST_RUNS || (begin.elapsed().as_secs_f64() < seconds && samples.len() < MOST_RUNS) {
        samples.push(milliseconds(run()?));
    }
    Statistics::of(&samples).ok_or_else(|| "no time was measured".into())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
