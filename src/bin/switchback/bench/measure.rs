//! Running a verified workload again and again.

use std::collections::HashMap;
use std::num::NonZero;
use std::time::{Duration, Instant};

use switchback::gpu::Timer;
use switchback::graph::{PlannedNode, Profile, Session};

use super::statistics::Statistics;
use super::workload::Workload;
use crate::Result;

/// Most samples: beyond them the median does not move.
const MOST_SAMPLES: usize = 200;

/// Fewest samples, however long each takes.
const FEWEST_SAMPLES: usize = 3;

/// Milliseconds that a pass of several runs is to take, and its most runs.
const PASS: f64 = 1.0;
const MOST_RUNS: u32 = 100;

/// Seconds after which runs that are not timed are looked at, and after which they end anyhow.
const WARM_UP: [f64; 2] = [0.1, 0.5];

/// How much less the least time of such a while is where times still fall.
const FALLING: f64 = 0.98;

/// What is measured of a workload.
pub(super) struct How {
    /// Also the run as a whole.
    pub(super) whole: bool,
    /// In a row in a timed pass, of each node; see [`most_runs`].
    pub(super) most_runs: u32,
    /// How long each measurement is repeated.
    pub(super) seconds: f64,
}

/// How many runs a pass may have. What a GPU takes to begin and end a pass (some 4 us on an H200) would be half of a small
/// operator's time; on a software driver it is a tenth of it. A network's nodes run once, as they do there.
pub(super) fn most_runs(network: bool, timer: Timer, software: bool) -> u32 {
    if timer == Timer::GpuTimestamps && !software && !network { MOST_RUNS } else { 1 }
}

/// A node with its times, in milliseconds.
pub(super) struct Timed {
    pub(super) node: PlannedNode,
    /// Of one run, as a pass's part.
    pub(super) time: Statistics,
    /// Of passes of one run, where those of [`Timed::time`] had more.
    pub(super) single: Option<Statistics>,
}

/// Times of a workload, in milliseconds.
pub(super) struct Measured {
    /// In the order in which they run.
    pub(super) nodes: Vec<Timed>,
    /// Runs in a row in each timed pass.
    pub(super) runs_a_pass: NonZero<u32>,
    /// What the nodes' times were measured with.
    pub(super) timer: Timer,
    /// From the inputs in host memory to the outputs in host memory, by wall clock, if asked for.
    pub(super) whole: Option<Statistics>,
}

impl Measured {
    /// The sum of the nodes' median times, in milliseconds; above zero.
    pub(super) fn node_time(&self) -> f64 {
        self.nodes.iter().map(|timed| timed.time.median).sum::<f64>().max(f64::MIN_POSITIVE)
    }
}

/// Times every node, and the run as a whole if that is asked for, each for so many seconds.
///
/// Nothing is compiled, allocated or packed within a timed run, and the device's clock has risen before the first.
pub(super) fn run(session: &mut Session, workload: &Workload, how: How) -> Result<Measured> {
    let mut begin = Instant::now();
    let elapsed = move || std::mem::replace(&mut begin, Instant::now()).elapsed().as_secs_f64();
    let mut longest = f64::INFINITY;
    warm_up(elapsed, || {
        let nodes = session.profile(workload.inputs())?.nodes;
        let times = nodes.iter().map(|node| milliseconds(node.time));
        longest = times.clone().fold(0.0, f64::max).min(longest);
        Ok(times.sum())
    })?;
    let mut whole_times = Vec::new();
    if how.whole {
        repeat(how.seconds, || {
            let start = Instant::now();
            session.run(workload.inputs())?;
            whole_times.push(milliseconds(start.elapsed()));
            Ok(())
        })?;
    }
    let runs_a_pass = runs_a_pass(longest, how.most_runs);
    let (mut times, mut single) = (Samples::default(), Samples::default());
    let mut timer = Timer::WallClock;
    repeat(how.seconds, || {
        let profile = session.profile_repeated(workload.inputs(), runs_a_pass)?;
        timer = profile.timer;
        times.add(profile);
        if runs_a_pass > NonZero::<u32>::MIN {
            single.add(session.profile(workload.inputs())?);
        }
        Ok(())
    })?;
    let timed = |node: &PlannedNode| {
        let time = times.of(node.name()).ok_or_else(|| format!("`{}` has no times", node.name()))?;
        Ok(Timed { node: node.clone(), time, single: single.of(node.name()) })
    };
    let nodes = session.plan().nodes().iter().map(timed).collect::<Result<Vec<_>, String>>()?;
    Ok(Measured { nodes, runs_a_pass, timer, whole: Statistics::of(&whole_times) })
}

/// How many runs of nodes, the longest of which takes so many milliseconds, make a pass long enough.
fn runs_a_pass(longest: f64, most: u32) -> NonZero<u32> {
    let runs = (PASS / longest).round().clamp(1.0, f64::from(most));
    NonZero::new(runs as u32).unwrap_or(NonZero::<u32>::MIN)
}

/// Times of nodes by their names, in milliseconds.
#[derive(Default)]
struct Samples(HashMap<String, Vec<f64>>);

impl Samples {
    fn add(&mut self, profile: Profile) {
        for node in profile.nodes {
            self.0.entry(node.name).or_default().push(milliseconds(node.time));
        }
    }

    fn of(&self, node: &str) -> Option<Statistics> {
        self.0.get(node).and_then(|samples| Statistics::of(samples))
    }
}

/// Calls `sample` again and again for so many seconds.
fn repeat(seconds: f64, mut sample: impl FnMut() -> Result) -> Result {
    let begin = Instant::now();
    let mut samples = 0;
    while samples < FEWEST_SAMPLES || (begin.elapsed().as_secs_f64() < seconds && samples < MOST_SAMPLES) {
        sample()?;
        samples += 1;
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

    #[test]
    fn only_operators_on_gpus_with_timestamps_run_several_times_in_a_pass() {
        assert_eq!(most_runs(false, Timer::GpuTimestamps, false), MOST_RUNS);
        assert_eq!(most_runs(false, Timer::GpuTimestamps, true), 1);
        assert_eq!(most_runs(false, Timer::WallClock, false), 1);
        assert_eq!(most_runs(true, Timer::GpuTimestamps, false), 1);
    }

    #[test]
    fn a_pass_has_as_many_runs_as_take_a_millisecond() {
        let runs = |longest, most| runs_a_pass(longest, most).get();
        assert_eq!([0.0, 0.002, 0.01, 0.013, 0.3, 0.6].map(|longest| runs(longest, 100)), [100, 100, 100, 77, 3, 2]);
        assert_eq!([0.7, 1.0, 700.0, f64::INFINITY].map(|longest| runs(longest, 100)), [1, 1, 1, 1]);
        assert_eq!([0.0, 0.002, 700.0].map(|longest| runs(longest, 1)), [1, 1, 1]);
    }
}
