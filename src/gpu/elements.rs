//! In which numbers a graph's weights and activations are kept on the device.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::error::{Error, Result};

/// What [`Gpu::compile`](crate::Gpu::compile) keeps weights and activations in: f32, or f16 with sums in f32.
///
/// f16 takes half the memory and has 11 significant bits up to 65,504. With it the plan keeps every tensor between two
/// operators in f16, but for what only goes to the caller, to an argmax or to a softmax, and convolutions may run on matrix
/// units. An activation that is more than f16 holds is an error of the run that names the node; a weight, of the compilation.
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

/// `f32` or `f16`.
impl FromStr for Elements {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "f32" => Ok(Self::f32()),
            "f16" => Ok(Self::f16()),
            _ => Err(Error::parameter("elements", "name", "f32 or f16", text)),
        }
    }
}
