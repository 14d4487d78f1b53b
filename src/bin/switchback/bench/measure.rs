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

/// Seconds after which runs that are not timed are looked at, and after which they end anyhow.
const WARM_UP: [f64; 2] = [0.1, 0.5];

/// How much less the least time of such a while is where times still fall.
const FALLING: f64 = 0.98;

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
/// Nothing is compiled, allocated or packed within a timed run, and the device's clock has risen before the first.
pub(super) fn run(session: &mut Session, workload: &Workload, whole: bool, seconds: f64) -> Result<Measured> {
    let mut begin = Instant::now();
    let elapsed = move || std::mem::replace(&mut begin, Instant::now()).elapsed().as_secs_f64();
    warm_up(elapsed, || {
        let nodes = session.profile(workload.inputs())?.nodes;
        Ok(nodes.iter().map(|node| milliseconds(node.time)).sum())
    })?;
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

/// Calls `run`, which gives its time on the device, until times have stopped falling; `elapsed` gives the seconds since it was
/// last called. A GPU that was idle raises its clock when there is work, some tenths of a second later.
fn warm_up(mut elapsed: impl FnMut() -> f64, mut run: impl FnMut() -> Result<f64>) -> Result {
    let [look, end] = WARM_UP;
    let (mut total, mut before) = (0.0, f64::INFINITY);
    while total < end {
        let (mut least, mut passed) = (f64::INFINITY, 0.0);
        while passed < look {
            least = run()?.min(least);
            passed += elapsed();
        }
        if least > FALLING * before {
            break;
        }
        before = least;
        total += passed;
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many runs of so many seconds each there are before timed ones, where the n-th takes `time(n)` on the device.
    fn runs(seconds: f64, time: impl Fn(usize) -> f64) -> usize {
        let mut runs = 0;
        let run = || {
            runs += 1;
            Ok(time(runs))
        };
        assert!(warm_up(|| seconds, run).is_ok());
        runs
    }

    #[test]
    fn a_device_warms_up_while_its_times_fall() {
        // One look to see how long it takes, one to see that this stays.
        assert_eq!(runs(0.05, |_| 1.0), 4);
        // One more for what the third run fell by, none for a fall of one per cent.
        assert_eq!(runs(0.05, |run| if run < 3 { 4.0 } else { 1.0 }), 6);
        assert_eq!(runs(0.05, |run| if run < 3 { 1.0 } else { 0.99 }), 4);
        // At an end, whatever times do.
        assert_eq!(runs(0.05, |run| 1.0 / run as f64), 10);
        assert_eq!(runs(3.0, |_| 1.0), 1);
    }
}
