//! How long each node of a session takes.

use std::fmt;
use std::num::NonZero;
use std::time::Duration;

use super::Session;
use crate::error::Result;
use crate::gpu::{BoundStep, Timer};
use crate::graph::Inputs;
use crate::op::Cost;

/// The time of one node.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct NodeTime {
    /// The node's name.
    pub name: String,
    /// The operator's name.
    pub operator: &'static str,
    /// The kernel variant that ran.
    pub variant: &'static str,
    /// Multiply-adds, parameters and least bytes by the operator's definition.
    pub cost: Cost,
    /// From the beginning of its first dispatch to the end of its last, with what its pass takes to begin and end; of a node
    /// that ran several times in its pass, the part of one.
    pub time: Duration,
}

/// The times of all nodes, in the order in which they ran.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// What they were measured with.
    pub timer: Timer,
    /// One entry a node.
    pub nodes: Vec<NodeTime>,
}

impl Profile {
    /// The sum of all times.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.nodes.iter().map(|node| node.time).sum()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.nodes.iter().map(|node| node.name.chars().count()).max().unwrap_or(0);
        let total = self.total().as_secs_f64();
        for node in &self.nodes {
            let seconds = node.time.as_secs_f64();
            let share = if total > 0.0 { 100.0 * seconds / total } else { 0.0 };
            let (name, operator, variant) = (&node.name, node.operator, node.variant);
            write!(f, "{name:<width$}  {:>10.3} ms  {share:>5.1} %", 1e3 * seconds)?;
            if node.cost.macs > 0 && seconds > 0.0 {
                write!(f, "  {:>8.1} GFLOP/s", 2.0 * node.cost.macs as f64 / seconds / 1e9)?;
            } else {
                write!(f, "  {:>8} GFLOP/s", "-")?;
            }
            writeln!(f, "  {operator}{}{variant}", if variant.is_empty() { "" } else { "/" })?;
        }
        write!(f, "{:<width$}  {:>10.3} ms  by {}", "total", 1e3 * total, self.timer)
    }
}

impl Session {
    /// Runs the graph once and times each node. Nodes run one after another, each in a pass of its own, so that the sum
    /// is more than a plain run takes.
    ///
    /// # Errors
    /// As [`Session::run_async`]; [`crate::Error::Unsupported`] in browsers without GPU timestamps.
    pub async fn profile_async<'a>(&mut self, inputs: impl Into<Inputs<'a>>) -> Result<Profile> {
        self.profile_repeated_async(inputs, NonZero::<u32>::MIN).await
    }

    /// As [`Session::profile_async`], each node running `runs` times in a row in its pass, of which [`NodeTime::time`] is one's
    /// part: for nodes so short that a pass's own beginning and end (some 4 us on an H200) would be much of their time. A run
    /// waits for the one before, reads the same operands, which its results never overwrite, and gives the same results.
    ///
    /// # Errors
    /// As [`Session::profile_async`].
    pub async fn profile_repeated_async<'a>(
        &mut self,
        inputs: impl Into<Inputs<'a>>,
        runs: NonZero<u32>,
    ) -> Result<Profile> {
        self.write(inputs)?;
        let passes: Vec<&[BoundStep]> = self.nodes.iter().map(Vec::as_slice).collect();
        let times = self.gpu.measure("a profile", &passes, runs.get()).await?;
        let node = |(planned, time): (&crate::graph::PlannedNode, Duration)| NodeTime {
            name: planned.name().to_owned(),
            operator: planned.operator(),
            variant: planned.variant(),
            cost: planned.cost(),
            time: time / runs.get(),
        };
        Ok(Profile { timer: times.timer, nodes: self.plan.nodes().iter().zip(times.passes).map(node).collect() })
    }

    /// Runs the graph once, timing each node, blocking; see [`Session::profile_async`].
    ///
    /// # Errors
    /// As [`Session::profile_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn profile<'a>(&mut self, inputs: impl Into<Inputs<'a>>) -> Result<Profile> {
        pollster::block_on(self.profile_async(inputs))
    }

    /// Runs each node several times in a row, blocking; see [`Session::profile_repeated_async`].
    ///
    /// # Errors
    /// As [`Session::profile_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn profile_repeated<'a>(&mut self, inputs: impl Into<Inputs<'a>>, runs: NonZero<u32>) -> Result<Profile> {
        pollster::block_on(self.profile_repeated_async(inputs, runs))
    }
}
