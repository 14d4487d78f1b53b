//! What a network's time goes into, and its memory.

use std::fmt;

use switchback::graph::Plan;

use super::measure::{Measured, Timed};

/// Shares of the nodes' time by operator, and the planned bytes.
pub(super) struct Profile {
    /// Operator and share, the largest first.
    shares: Vec<(&'static str, f64)>,
    peak_bytes: u64,
    weight_bytes: u64,
}

impl Profile {
    pub(super) fn of(measured: &Measured, plan: &Plan) -> Self {
        let total = measured.node_time();
        let mut shares: Vec<(&'static str, f64)> = Vec::new();
        for Timed { node, time, .. } in &measured.nodes {
            let share = time.median / total;
            match shares.iter_mut().find(|(operator, _)| *operator == node.operator()) {
                Some((_, sum)) => *sum += share,
                None => shares.push((node.operator(), share)),
            }
        }
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        Self { shares, peak_bytes: plan.peak_bytes(), weight_bytes: plan.weight_bytes() }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares: Vec<String> =
            self.shares.iter().map(|(operator, share)| format!("{operator} {:.2} %", 100.0 * share)).collect();
        writeln!(f, "time by operator: {}", shares.join(", "))?;
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let (peak, weights) = (mebibytes(self.peak_bytes), mebibytes(self.weight_bytes));
        write!(f, "planned memory: {peak:.1} MiB of activations at most, {weights:.1} MiB of weights")
    }
}
