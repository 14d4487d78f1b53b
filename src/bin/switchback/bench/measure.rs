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

impl Measured {
    /// The sum of the nodes' median times, in milliseconds; above zero.
    pub(super) fn node_time(&self) -> f64 {
        self.nodes.iter().map(|(_, statistics)| statistics.median).sum::<f64>().max(f64::MIN_POSITIVE)
    }
}

/// Times every node, and the run as a whole if that is asked for, each for `seconds`.
///
/// Nothing is compiled, allocated or packed within a timed run.
pub(super) fn run(session: &mut Session, workload: &Workload, whole: bool, seconds: f64) -> Result<Measured> {
    let mut whole_times = Vec::new();
    if whole {
        repeat(seconds, || {
            let start = Instant::now();
            session.run(workload.inputs())?;
            whole_times.push(milliseconds(start.elapsed()));
            Ok(())
        })?;
    }
    let mut times: HashMap<String, Vec<f64>> = HashMap::new();
    let mut timer = Timer::WallClock;
    repeat(seconds, || {
        let profile = session.profile(workload.inputs())?;
        timer = profile.timer;
        for node in profile.nodes {
            times.entry(node.name).or_default().push(milliseconds(node.time));
        }
        Ok(())
    })?;
    let statistics = |node: &PlannedNode| {
        let of_node = times.get(node.name()).and_then(|samples| Statistics::of(samples));
        of_node.map(|statistics| (node.clone(), statistics)).ok_or_else(|| format!("`{}` has no times", node.name()))
    };
    let nodes = session.plan().nodes().iter().map(statistics).collect::<Result<Vec<_>, _>>()?;
    Ok(Measured { nodes, timer, whole: Statistics::of(&whole_times) })
}

/// Calls `run` again and again for so many seconds.
fn repeat(seconds: f64, mut run: impl FnMut() -> Result) -> Result {
    let begin = Instant::now();
    let mut runs = 0;
    while runs < FEWEST_RUNS || (begin.elapsed().as_secs_f64() < seconds && runs < MOST_RUNS) {
        run()?;
        runs += 1;
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
