//! The plan as people read it: a table of nodes, then the memory.

use std::fmt;

use super::{Plan, PlannedNode};
use crate::gpu::Storage;
use crate::graph::ValueType;

const HEADER: [&str; 7] = ["node", "operator", "output", "MACs", "parameters", "variant", "slots"];

impl PlannedNode {
    fn row(&self) -> [String; 7] {
        let join = |items: Vec<String>, separator| items.join(separator);
        [
            self.name.clone(),
            self.operator.to_owned(),
            join(self.outputs.iter().zip(&self.storages).map(stored).collect(), " + "),
            grouped(self.cost.macs),
            grouped(self.cost.parameters),
            if self.kernel.via_f32 {
                format!("{} via f32", self.kernel.variant)
            } else {
                self.kernel.variant.to_owned()
            },
            join(self.slots.iter().map(ToString::to_string).collect(), " "),
        ]
    }
}

/// A result's kind and shape, and its form if that is not words.
fn stored((value_type, storage): (&ValueType, &Storage)) -> String {
    match (value_type, storage) {
        (ValueType::Switches { shape, origin, .. }, Storage::Compact) => {
            format!("{shape} compact switches into {}x{}", origin[0], origin[1])
        }
        (ValueType::Tensor(shape), Storage::Halves) => format!("{shape} f16"),
        (ValueType::Image { .. }, Storage::Texels(texels)) => format!("{value_type} as {texels}"),
        _ => value_type.to_string(),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 7]> = self.steps.iter().map(PlannedNode::row).collect();
        let header = HEADER.map(str::to_owned);
        let width = |column: usize| {
            let cells = rows.iter().chain([&header]).map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: [usize; 7] = std::array::from_fn(width);
        for row in [&header].into_iter().chain(&rows) {
            let cell = |(column, (text, width)): (usize, (&String, usize))| {
                // Numbers are aligned to the right, words to the left.
                if (3..5).contains(&column) { format!("{text:>width$}") } else { format!("{text:<width$}") }
            };
            let line: Vec<String> = row.iter().zip(widths).enumerate().map(cell).collect();
            writeln!(f, "{}", line.join("  ").trim_end())?;
        }
        let total: crate::op::Cost = self.steps.iter().map(|step| step.cost).sum();
        writeln!(
            f,
            "{} nodes, {} MACs, {} parameters",
            self.steps.len(),
            grouped(total.macs),
            grouped(self.parameters)
        )?;
        let slots: Vec<String> = self.slots.iter().map(|&bytes| mebibytes(bytes)).collect();
        writeln!(f, "slots (MiB): {}", slots.join(" "))?;
        let (peak, live) = (mebibytes(self.peak_bytes()), mebibytes(self.live_bytes));
        writeln!(f, "activations: peak {peak} MiB in {} slots, largest live set {live} MiB", self.slots.len())?;
        write!(f, "weights on the device: {} MiB", mebibytes(self.weight_bytes))?;
        for step in &self.steps {
            if let Some(times) = step.wasted() {
                let (name, variant) = (&step.name, step.variant());
                write!(f, "\nslow: `{name}` by {variant} executes {times} times its multiply-adds")?;
            }
        }
        Ok(())
    }
}

/// From so many times its definition's multiply-adds on, a node is called slow, unless even that is little work.
const WASTE: u64 = 10;
/// Multiply-adds that take no time to speak of.
const LITTLE: u64 = 1 << 20;

impl PlannedNode {
    /// How many times its definition's multiply-adds its kernels execute, if that is an order of magnitude more.
    fn wasted(&self) -> Option<u64> {
        let times = self.executed_macs().checked_div(self.cost.macs)?;
        (times >= WASTE && self.executed_macs() >= LITTLE).then_some(times)
    }
}

/// A number with its digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / f64::from(1 << 20))
}
