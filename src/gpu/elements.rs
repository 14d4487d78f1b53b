//! In which numbers a graph's weights and activations are kept on the device.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// What [`Gpu::compile`](crate::Gpu::compile) keeps weights and activations in: f32, or f16 with sums in f32.
///
/// f16 takes half the memory and has 11 significant bits up to 65,504. With it the plan keeps every tensor between two
/// operators in f16, but for what only goes to the caller, to an argmax or to a softmax, and convolutions may run on matrix
/// units. An activation that is more than f16 holds is an error of the run that names the node; a weight that is rounded to
/// it, of the compilation.
///
/// ```no_run
/// use switchback::gpu::Elements;
/// let gpu = switchback::Gpu::new()?.with_elements(Elements::f16().keep_f32("conv1_1"));
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Elements {
    half: bool,
    ports: bool,
    kept: BTreeSet<String>,
}

impl Elements {
    /// Everything in f32.
    #[must_use]
    pub const fn f32() -> Self {
        Self { half: false, ports: false, kept: BTreeSet::new() }
    }

    /// Weights and activations in f16.
    #[must_use]
    pub const fn f16() -> Self {
        Self { half: true, ports: false, kept: BTreeSet::new() }
    }

    /// Keeps what has this name in f32: a node's results, or a weight.
    #[must_use]
    pub fn keep_f32(mut self, name: impl Into<String>) -> Self {
        self.kept.insert(name.into());
        self
    }

    /// With f16: also what the caller gives and takes lies in f16 on the device, and is converted on its way. For graphs of
    /// one operator, which have nothing between.
    #[must_use]
    pub fn with_ports(mut self) -> Self {
        self.ports = true;
        self
    }

    /// Whether anything is in f16.
    #[must_use]
    pub fn is_half(&self) -> bool {
        self.half
    }

    pub(crate) fn has_ports(&self) -> bool {
        self.half && self.ports
    }

    /// Whether what has this name may be in f16.
    pub(crate) fn halves(&self, name: &str) -> bool {
        self.half && !self.kept.contains(name)
    }

    /// The first of the names to be kept in f32 that is not among those that there are.
    pub(crate) fn unknown(&self, known: impl Fn(&str) -> bool) -> Option<&str> {
        self.kept.iter().map(String::as_str).find(|name| !known(name))
    }
}

/// Separates the numbers from the names to be kept in f32, which [`NAME`] separates.
const KEPT: &str = " but ";
const NAME: &str = ",";
const PORTS: &str = " with ports";

/// `f32`, `f16`, `f16 with ports`, `f16 but conv1_1,fc6.weight`: what [`FromStr`] reads back where
/// no name has a comma in it.
impl fmt::Display for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.half { "f16" } else { "f32" })?;
        if self.ports {
            f.write_str(PORTS)?;
        }
        for (position, name) in self.kept.iter().enumerate() {
            write!(f, "{}{name}", if position == 0 { KEPT } else { NAME })?;
        }
        Ok(())
    }
}

/// What [`Display`](fmt::Display) writes.
impl FromStr for Elements {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (numbers, kept) = text.split_once(KEPT).map_or((text, None), |(numbers, kept)| (numbers, Some(kept)));
        let (number, ports) = numbers.strip_suffix(PORTS).map_or((numbers, false), |number| (number, true));
        let half = match number {
            "f32" => false,
            "f16" => true,
            _ => return Err(Error::parameter("elements", "name", "f32 or f16", text)),
        };
        let kept = kept.into_iter().flat_map(|names| names.split(NAME)).map(str::to_owned).collect();
        Ok(Self { half, ports, kept })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_displayed_is_read_back() {
        let rows = [
            ("f32", Elements::f32()),
            ("f16", Elements::f16()),
            ("f16 with ports", Elements::f16().with_ports()),
            ("f16 but conv1_1,fc6.weight", Elements::f16().keep_f32("fc6.weight").keep_f32("conv1_1")),
            ("f16 with ports but a but b", Elements::f16().with_ports().keep_f32("a but b")),
            ("f32 but conv1_1", Elements::f32().keep_f32("conv1_1")),
        ];
        for (text, elements) in rows {
            assert_eq!(elements.to_string(), text);
            assert_eq!(text.parse::<Elements>().unwrap(), elements, "{text}");
        }
        for text in ["", "F16", "f16 ", "f16 with", "f16 but", "f16 ports"] {
            assert!(text.parse::<Elements>().is_err(), "{text}");
        }
        let message = "f64".parse::<Elements>().unwrap_err().to_string();
        assert_eq!(message, "elements: name is f64, expected f32 or f16");
    }
}
