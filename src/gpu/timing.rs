//! How long passes take, by the device's own clock where it has one.

use std::fmt;
use std::time::Duration;

use crate::error::Result;
use crate::gpu::buffer::{GpuBuffer, WORD};
use crate::gpu::{BoundStep, Gpu};

/// What a time was measured with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Timer {
    /// Timestamps that the device writes at a pass's beginning and end.
    GpuTimestamps,
    /// The host's clock round a submission and the wait for it, so that both are in the time.
    WallClock,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GpuTimestamps => "gpu timestamps",
            Self::WallClock => "wall clock",
        })
    }
}

/// Times of passes, in the order in which they ran.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Times {
    pub(crate) timer: Timer,
    pub(crate) passes: Vec<Duration>,
}

/// Passes timed in one submission: each takes two of the 4096 queries that a set may hold.
const PASSES: usize = wgpu::QUERY_SET_MAX_QUERIES as usize / 2;

impl Gpu {
    /// What times are measured with on this device.
    #[must_use]
    pub fn timer(&self) -> Timer {
        if self.shared.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            Timer::GpuTimestamps
        } else {
            Timer::WallClock
        }
    }

    /// Runs the passes one after another, the dispatches of each `runs` times in a row, and times each pass.
    ///
    /// # Errors
    /// The device's faults; [`crate::Error::Unsupported`] in browsers without GPU timestamps, whose clock is out of this crate's
    /// reach.
    pub(crate) async fn measure(&self, what: &str, passes: &[&[BoundStep]], runs: u32) -> Result<Times> {
        let timer = self.timer();
        let mut times = Vec::with_capacity(passes.len());
        match timer {
            Timer::GpuTimestamps => {
                for some in passes.chunks(PASSES) {
                    times.extend(self.by_timestamps(what, some, runs).await?);
                }
            }
            Timer::WallClock => {
                for pass in passes {
                    times.push(self.by_clock(what, pass, runs)?);
                }
            }
        }
        Ok(Times { timer, passes: times })
    }

    async fn by_timestamps(&self, what: &str, passes: &[&[BoundStep]], runs: u32) -> Result<Vec<Duration>> {
        let device = &self.shared.device;
        let queries = 2 * passes.len() as u32;
        let set = self.shared.faults.guarded(what, || {
            let ty = wgpu::QueryType::Timestamp;
            Ok(device.create_query_set(&wgpu::QuerySetDescriptor { label: Some(what), ty, count: queries }))
        })?;
        let words = 2 * u64::from(queries);
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let resolved = GpuBuffer::foreign(self.create_buffer(what, words * WORD, usage)?, words, self.shared.id);
        let readback = self.readback(what, &resolved, words)?;
        self.submit(what, |encoder| {
            for (first, steps) in (0..).step_by(2).zip(passes) {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                    label: Some(what),
                    timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                        query_set: &set,
                        beginning_of_pass_write_index: Some(first),
                        end_of_pass_write_index: Some(first + 1),
                    }),
                });
                record(steps, runs, &mut pass);
            }
            encoder.resolve_query_set(&set, 0..queries, resolved.raw(), 0);
            readback.record(encoder, &resolved);
        })?;
        let ticks: Vec<u64> = readback.read(self, what, queries as usize).await?;
        let nanoseconds = f64::from(self.shared.queue.get_timestamp_period());
        Ok(durations(&ticks, nanoseconds))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn by_clock(&self, what: &str, steps: &[BoundStep], runs: u32) -> Result<Duration> {
        self.shared.faults.wait(None)?;
        let begin = std::time::Instant::now();
        let submission = self.submit(what, |encoder| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            record(steps, runs, &mut pass);
        })?;
        self.shared.faults.wait(Some(submission))?;
        Ok(begin.elapsed())
    }

    #[cfg(target_arch = "wasm32")]
    fn by_clock(&self, what: &str, _steps: &[BoundStep], _runs: u32) -> Result<Duration> {
        Err(crate::Error::Unsupported {
            what: format!("timing {what}"),
            why: "this browser offers no GPU timestamps".to_owned(),
            way_out: "enable them in the browser, or time the page's own run".to_owned(),
        })
    }
}

/// Records the steps `runs` times in a row. What a run writes the next one writes too, so that wgpu has it wait for that one.
fn record(steps: &[BoundStep], runs: u32, pass: &mut wgpu::ComputePass<'_>) {
    for _ in 0..runs {
        steps.iter().for_each(|step| step.record(pass));
    }
}

/// Pairs of ticks as durations; a pair in the wrong order, which drivers give after a reset of their clock, is zero.
fn durations(ticks: &[u64], nanoseconds_a_tick: f64) -> Vec<Duration> {
    let pairs = ticks.chunks_exact(2);
    pairs.map(|pair| pair[1].saturating_sub(pair[0]) as f64 * nanoseconds_a_tick).map(nanoseconds).collect()
}

fn nanoseconds(count: f64) -> Duration {
    Duration::from_nanos(count.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_durations() {
        let ticks = [100, 350, 350, 350, 9, 3, u64::MAX - 1, u64::MAX];
        let expected = [500, 0, 0, 2].map(Duration::from_nanos);
        assert_eq!(durations(&ticks, 2.0), expected);
    }
}
