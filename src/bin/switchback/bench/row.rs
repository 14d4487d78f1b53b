//! One measurement, for machines (JSON) and for people (a line of a table).

use std::fmt;

use serde::Serialize;
use switchback::gpu::{Gpu, Storage};
use switchback::graph::{Node, Operation, Plan, PlannedNode, ValueType};
use switchback::kernel::ceiling::Ceilings;
use switchback::op::Cost;
use switchback::{Padding, Shape};

use super::measure::{Measured, Timed};
use super::statistics::Statistics;
use super::verify::Verified;
use super::workload::Workload;
use crate::Result;

/// What measures: the device, and the best it can do.
pub(super) struct Machine {
    adapter: String,
    backend: String,
    driver: String,
    ceilings: Ceilings,
}

impl Machine {
    pub(super) fn measure(gpu: &Gpu) -> Result<Self> {
        let info = gpu.info();
        let (adapter, backend, driver) = (info.name.clone(), info.backend.clone(), info.driver.clone());
        Ok(Self { adapter, backend, driver, ceilings: gpu.ceilings()? })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ceilings { bytes_per_s, flops_per_s, matrix_flops_per_s, timer, .. } = self.ceilings;
        writeln!(f, "{} ({}, {}), timed by {timer}", self.adapter, self.backend, self.driver)?;
        let (bytes, flops) = (bytes_per_s / 1e9, flops_per_s / 1e9);
        write!(f, "a copy kernel reaches {bytes:.2} GB/s, a multiply-add kernel {flops:.1} GFLOP/s")?;
        match matrix_flops_per_s {
            Some(flops) => write!(f, ", matrix units {:.1} GFLOP/s", flops / 1e9),
            None => Ok(()),
        }
    }
}

/// One measurement. Shapes are NCHW; `pad` is top, bottom, left, right; times are in milliseconds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct Row {
    op: String,
    label: String,
    variant: String,
    element: &'static str,
    input: Option<[usize; 4]>,
    weight: Option<[usize; 4]>,
    output: Option<[usize; 4]>,
    kernel: Option<[usize; 2]>,
    stride: Option<[usize; 2]>,
    pad: Option<[usize; 4]>,
    dilation: Option<[usize; 2]>,
    groups: Option<usize>,
    median_ms: f64,
    min_ms: f64,
    mad_ms: f64,
    samples: usize,
    /// Of an operator: runs in a row that a timed pass had, whose time by their number is a sample.
    runs_a_pass: Option<u32>,
    /// Of passes that had one run, where the others had more.
    single_median_ms: Option<f64>,
    single_min_ms: Option<f64>,
    /// A node's part of the median times of all nodes, 0 to 1.
    time_share: Option<f64>,
    /// Bytes of the buffers that a whole run works in, as planned, without the weights.
    peak_bytes: Option<u64>,
    /// Multiply-adds of the definition, and those that the kernel executes, zeros and the padding of tiles included.
    macs: u64,
    executed_macs: u64,
    /// Two a multiply-add of the definition.
    gflop: f64,
    gflop_per_s: f64,
    /// Every operand read once, every result written once.
    gb: f64,
    gb_per_s: f64,
    /// The least time that the necessary work takes at the ceilings, by the median time. Necessary is what the kernel
    /// executes where that is less than the definition's (taps in the padding).
    ceiling_fraction: f64,
    /// Which ceiling bounds: `copy`, `fma` or `matrices`.
    ceiling: &'static str,
    timer: String,
    adapter: String,
    backend: String,
    driver: String,
    verified: String,
}

/// Hyperparameters of an operator that has a window.
#[derive(Default)]
struct Geometry {
    kernel: Option<[usize; 2]>,
    stride: Option<[usize; 2]>,
    pad: Option<Padding>,
    dilation: Option<[usize; 2]>,
    groups: Option<usize>,
}

impl Geometry {
    fn of(operation: &Operation) -> Self {
        let window = |kernel, stride, pad, dilation, groups| Self {
            kernel: Some(kernel),
            stride: Some(stride),
            pad: Some(pad),
            dilation: Some(dilation),
            groups,
        };
        match operation {
            Operation::Conv2d(op) => window(op.kernel, op.stride, op.pad, op.dilation, Some(op.groups)),
            Operation::ConvTranspose2d(op) => window(op.kernel, op.stride, op.pad, op.dilation, Some(op.groups)),
            Operation::MaxPool2d(op) | Operation::MaxPool2dSwitches(op) => {
                window(op.kernel, op.stride, op.pad, op.dilation, None)
            }
            _ => Self::default(),
        }
    }
}

/// A row for each node, and one for the whole if it was measured.
pub(super) fn rows(
    machine: &Machine,
    workload: &Workload,
    verified: &Verified,
    measured: &Measured,
    plan: &Plan,
) -> Vec<Row> {
    let node_time = measured.node_time();
    let node_row = |Timed { node: planned, time, single }: &Timed| {
        let node = workload.graph.node(planned.name())?;
        let how = verified.get(planned.name())?;
        let timer = measured.timer.to_string();
        let element = if is_half(planned) { "f16" } else { "f32" };
        Some(Row {
            verified: how.clone(),
            variant: planned.variant().to_owned(),
            element,
            time_share: Some(time.median / node_time),
            runs_a_pass: Some(measured.runs_a_pass.get()),
            single_median_ms: single.map(|single| single.median),
            single_min_ms: single.map(|single| single.min),
            ..Row::new(machine, planned.operator(), necessary(planned), Executed::of(planned), *time, timer)
                .shaped(workload, node)
        })
    };
    let mut rows: Vec<Row> = measured.nodes.iter().filter_map(node_row).collect();
    if let Some(statistics) = measured.whole {
        let executed = measured.nodes.iter().map(|timed| Executed::of(&timed.node)).sum();
        let bytes = measured.nodes.iter().map(|timed| timed.node.least_bytes()).sum();
        let cost = Cost { bytes, ..workload.graph.cost() };
        let element = if plan.nodes().iter().any(is_half) { "f16" } else { "f32" };
        let row = Row::new(machine, &workload.label, cost, executed, statistics, "wall clock".to_owned());
        // A single operator's shapes say what was run; a network's label does.
        let row = match (measured.nodes.as_slice(), rows.as_slice()) {
            ([timed], [of_node]) => match workload.graph.node(timed.node.name()) {
                Some(node) => Row { variant: of_node.variant.clone(), ..row.shaped(workload, node) },
                None => row,
            },
            _ => row,
        };
        rows.push(Row {
            label: "whole, host to host".to_owned(),
            element,
            peak_bytes: Some(plan.peak_bytes()),
            verified: "every node against the reference, outputs equal to the verified run's".to_owned(),
            ..row
        });
    }
    rows
}

/// Multiply-adds that kernels execute, zeros and the padding of tiles included.
#[derive(Clone, Copy, Default)]
struct Executed {
    macs: u64,
    /// Those of the definition that matrix units do.
    by_units: u64,
}

impl Executed {
    fn of(planned: &PlannedNode) -> Self {
        let macs = planned.executed_macs();
        let by_units = if planned.on_matrix_units() { planned.cost().macs.min(macs) } else { 0 };
        Self { macs, by_units }
    }
}

impl std::iter::Sum for Executed {
    fn sum<I: Iterator<Item = Self>>(nodes: I) -> Self {
        nodes.fold(Self::default(), |all, node| Self {
            macs: all.macs + node.macs,
            by_units: all.by_units + node.by_units,
        })
    }
}

/// Whether a node's result is kept in f16.
fn is_half(planned: &PlannedNode) -> bool {
    planned.storages().first() == Some(&Storage::Halves)
}

/// What a node costs by its definition, values and weights in the forms in which they are kept.
fn necessary(planned: &PlannedNode) -> Cost {
    Cost { bytes: planned.least_bytes(), ..planned.cost() }
}

impl Row {
    fn new(machine: &Machine, op: &str, cost: Cost, executed: Executed, times: Statistics, timer: String) -> Self {
        // A time of zero, from a clock that is too coarse, must not become an infinite rate.
        let seconds = (times.median / 1e3).max(1e-9);
        let (flops, bytes) = (2.0 * cost.macs as f64, cost.bytes as f64);
        let necessary = if executed.macs > 0 { cost.macs.min(executed.macs) } else { cost.macs };
        let by_units = necessary.min(executed.by_units);
        let ceilings = &machine.ceilings;
        let moving = ceilings.seconds(bytes, 0.0);
        let plain = ceilings.seconds(0.0, 2.0 * (necessary - by_units) as f64);
        let units = ceilings.matrix_seconds(2.0 * by_units as f64);
        let (least, ceiling) = match plain + units {
            computing if computing <= moving => (moving, "copy"),
            computing => (computing, if units > plain { "matrices" } else { "fma" }),
        };
        Self {
            op: op.to_owned(),
            label: String::new(),
            variant: String::new(),
            element: "f32",
            input: None,
            weight: None,
            output: None,
            kernel: None,
            stride: None,
            pad: None,
            dilation: None,
            groups: None,
            median_ms: times.median,
            min_ms: times.min,
            mad_ms: times.mad,
            samples: times.samples,
            runs_a_pass: None,
            single_median_ms: None,
            single_min_ms: None,
            time_share: None,
            peak_bytes: None,
            macs: cost.macs,
            executed_macs: executed.macs,
            gflop: flops / 1e9,
            gflop_per_s: flops / 1e9 / seconds,
            gb: bytes / 1e9,
            gb_per_s: bytes / 1e9 / seconds,
            ceiling_fraction: least / seconds,
            ceiling,
            timer,
            adapter: machine.adapter.clone(),
            backend: machine.backend.clone(),
            driver: machine.driver.clone(),
            verified: String::new(),
        }
    }

    /// Adds a node's name, shapes and hyperparameters.
    fn shaped(self, workload: &Workload, node: &Node) -> Self {
        let Geometry { kernel, stride, pad, dilation, groups } = Geometry::of(node.operation());
        let dims = |value: Option<ValueType>| match value {
            Some(ValueType::Tensor(shape) | ValueType::Switches { shape, .. }) => Some(shape.dims()),
            Some(ValueType::Labels { count, extent }) => Some([count, 1, extent[0], extent[1]]),
            Some(ValueType::Image { extent }) => Some([1, 3, extent[0], extent[1]]),
            _ => None,
        };
        Self {
            label: node.name().to_owned(),
            input: dims(workload.graph.operands(node).first().map(|(_, value)| *value)),
            weight: workload.graph.weights_of(node).first().map(|(_, shape): &(&str, Shape)| shape.dims()),
            output: dims(node.outputs().first().copied()),
            kernel,
            stride,
            pad: pad.map(|pad| [pad.top, pad.bottom, pad.left, pad.right]),
            dilation,
            groups,
            ..self
        }
    }

    /// The table's first line.
    pub(super) fn heading() -> String {
        format!(
            "{:<18} {:<20} {:<20} {:>20} {:>10} {:>10} {:>8} {:>9} {:>8} {:>7} {:>8}  {}",
            "op",
            "label",
            "variant",
            "output",
            "median ms",
            "min ms",
            "mad ms",
            "GFLOP/s",
            "GB/s",
            "ceiling",
            "executed",
            "verified"
        )
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let output = self.output.map_or_else(String::new, |dims| Shape::from(dims).to_string());
        write!(f, "{:<18} {:<20} {:<20} {output:>20}", self.op, self.label, self.variant)?;
        write!(f, " {:>10.3} {:>10.3} {:>8.3}", self.median_ms, self.min_ms, self.mad_ms)?;
        write!(f, " {:>9.2} {:>8.2} {:>6.1}%", self.gflop_per_s, self.gb_per_s, 100.0 * self.ceiling_fraction)?;
        // Executed multiply-adds, as a multiple of the definition's.
        match self.macs {
            0 => write!(f, " {:>8}", "-")?,
            macs => write!(f, " {:>7.2}x", self.executed_macs as f64 / macs as f64)?,
        }
        write!(f, "  {}", self.verified)
    }
}
