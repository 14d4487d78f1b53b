//! The one error type: every message gives the operand, what was expected, what was found, and the way out.
//!
//! A message is whole, with whatever it was caused by in it. So [`source`](std::error::Error::source) has nothing to add, and
//! whoever prints chains of errors prints nothing twice; a cause is a field of its variant (never one that is named `source`,
//! which thiserror would hand out).

use std::path::PathBuf;

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, from a misshapen operand to a device that has been unplugged.
///
/// Callers branch on the variants or on the predicates ([`Error::is_device_lost`], [`Error::is_out_of_memory`],
/// [`Error::is_unsupported`]); people read the message, which is whole: there is no
/// [`source`](std::error::Error::source) to print behind it. What caused an [`Error::Node`] or an [`Error::Io`] is their field
/// `cause`.
///
/// ```
/// use switchback::{Conv2d, Error, gpu::Caps, net::{Fcn, Head}};
/// let op = Conv2d::new([5, 5]);
/// let error = op.output_shape([1, 3, 4, 4].into(), [8, 3, 5, 5].into(), None).unwrap_err();
/// assert_eq!(error.to_string(), "conv2d: input is 4, expected at least 5 rows with padding");
/// assert!(matches!(error, Error::Operand { op: "conv2d", .. }));
/// // Too large for this device, and no defect of the caller's: smaller images fit.
/// let graph = Fcn::published(Head::Stride8, 21).labels_from_image([2000, 2000])?;
/// assert!(graph.plan(&Caps::WEBGPU).is_err_and(|error| error.is_out_of_memory()));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operand does not fit the operator: wrong shape, element count or kind.
    #[error("{op}: {operand} is {found}, expected {expected}")]
    Operand {
        /// The operator or call, as in `conv2d`.
        op: &'static str,
        /// Which operand, as in `weight`.
        operand: String,
        /// What would have been right.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A hyperparameter is out of its range.
    #[error("{op}: {parameter} is {found}, expected {expected}")]
    Parameter {
        /// The operator or call.
        op: &'static str,
        /// The hyperparameter, as in `output_padding`.
        parameter: &'static str,
        /// Its range here.
        expected: String,
        /// What was given.
        found: String,
    },
    /// Valid, but not something this build, kernel or device does.
    #[error("{what} is not supported: {why}; {way_out}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What stands in the way.
        why: String,
        /// What to do instead.
        way_out: String,
    },
    /// Valid and supported, but more than the device offers.
    #[error("{what} needs {needed} {unit}, the device offers {available}; {way_out}")]
    Limit {
        /// What is too large.
        what: String,
        /// How much it needs.
        needed: u64,
        /// How much there is.
        available: u64,
        /// The unit of both.
        unit: &'static str,
        /// What to do instead.
        way_out: String,
    },
    /// A pooling switch points outside the plane that it was said to come from.
    #[error(
        "{op}: switch {position} is {found}, expected an index below {planes_cells} into its {height}x{width} origin plane"
    )]
    Switch {
        /// The operator or call.
        op: &'static str,
        /// Flat NCHW position of the offending switch.
        position: usize,
        /// The index it holds.
        found: u32,
        /// Cells of the origin plane.
        planes_cells: usize,
        /// Height of the origin plane.
        height: usize,
        /// Width of the origin plane.
        width: usize,
    },
    /// No adapter answers the request.
    #[error("no GPU adapter {wanted}; found: {found}; {way_out}")]
    NoAdapter {
        /// What was asked for, as in `named "H200"`.
        wanted: String,
        /// The adapters that are there.
        found: String,
        /// What to do instead.
        way_out: String,
    },
    /// The device went away: unplugged, reset, or destroyed by the application.
    #[error("the GPU device was lost ({reason}); build a new Gpu and compile again")]
    DeviceLost {
        /// What the driver said.
        reason: String,
    },
    /// The device or the driver ran out of memory.
    #[error("{what}: out of GPU memory ({message}); {way_out}")]
    OutOfMemory {
        /// What was being made or run.
        what: String,
        /// What the driver said.
        message: String,
        /// What to do instead.
        way_out: String,
    },
    /// wgpu refused a call, or failed inside: a defect here or in the driver, worth reporting.
    #[error("{what}: the GPU refused it: {message}")]
    Gpu {
        /// What was being made or run.
        what: String,
        /// What wgpu said.
        message: String,
    },
    /// A number is larger than the elements that it is kept in can hold.
    #[error("{what} is beyond f16's range, which ends at 65504; {way_out}")]
    Overflow {
        /// What is too large, as in ``weight `fc6.weight` at 17``.
        what: String,
        /// What to do instead.
        way_out: String,
    },
    /// An error with the graph node at which it arose.
    #[error("node `{node}`: {cause}")]
    Node {
        /// The node's name.
        node: String,
        /// What went wrong there.
        cause: Box<Error>,
    },
    /// A graph that cannot be built or asked for: a duplicate name, an unknown output.
    #[error("graph: {0}")]
    Graph(String),
    /// A weight file or a weight in it: its name, what was expected, what was found.
    #[error("weights: {0}")]
    Weights(String),
    /// An image that cannot be read, converted or written.
    #[error("image {path}: {reason}", path = path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A file that cannot be read or written.
    #[error("{path}: {cause}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl Error {
    /// The device is gone; nothing on it can be used again.
    #[must_use]
    pub fn is_device_lost(&self) -> bool {
        match self {
            Self::DeviceLost { .. } => true,
            Self::Node { cause, .. } => cause.is_device_lost(),
            _ => false,
        }
    }

    /// Less at a time (a smaller image, another device) may succeed: out of memory, or over a limit.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        match self {
            Self::OutOfMemory { .. } | Self::Limit { .. } => true,
            Self::Node { cause, .. } => cause.is_out_of_memory(),
            _ => false,
        }
    }

    /// The request is valid, but not served here.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        match self {
            Self::Unsupported { .. } => true,
            Self::Node { cause, .. } => cause.is_unsupported(),
            _ => false,
        }
    }

    /// Names the graph node at which this error arose.
    #[must_use]
    pub(crate) fn at_node(self, node: &str) -> Self {
        Self::Node { node: node.to_owned(), cause: Box::new(self) }
    }

    pub(crate) fn operand(
        op: &'static str,
        operand: impl Into<String>,
        expected: impl ToString,
        found: impl ToString,
    ) -> Self {
        Self::Operand { op, operand: operand.into(), expected: expected.to_string(), found: found.to_string() }
    }

    pub(crate) fn parameter(
        op: &'static str,
        parameter: &'static str,
        expected: impl ToString,
        found: impl ToString,
    ) -> Self {
        Self::Parameter { op, parameter, expected: expected.to_string(), found: found.to_string() }
    }

    #[cfg(any(feature = "image", feature = "safetensors", not(target_arch = "wasm32")))]
    pub(crate) fn io(path: &std::path::Path, cause: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), cause }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::iter::{once, successors};

    use super::Error;

    /// One of each variant; whoever adds one is sent here by the compiler.
    fn all() -> Vec<Error> {
        match Error::Graph(String::new()) {
            Error::Operand { .. } | Error::Parameter { .. } | Error::Unsupported { .. } | Error::Limit { .. } => {}
            Error::Switch { .. } | Error::NoAdapter { .. } | Error::DeviceLost { .. } | Error::OutOfMemory { .. } => {}
            Error::Gpu { .. } | Error::Overflow { .. } | Error::Node { .. } | Error::Graph(_) | Error::Weights(_) => {}
            Error::Image { .. } | Error::Io { .. } => {}
        }
        let text = str::to_owned;
        let overflow = || Error::Overflow { what: text("weight `w` at 17"), way_out: text("keep it in f32") };
        vec![
            Error::operand("conv2d", "input", "5 rows", 4),
            Error::parameter("conv2d", "stride", "1 or more", 0),
            Error::Unsupported { what: text("this"), why: text("a reason"), way_out: text("do that") },
            Error::Limit {
                what: text("map"),
                needed: 2,
                available: 1,
                unit: "bytes",
                way_out: text("a smaller image"),
            },
            Error::Switch { op: "max_unpool2d", position: 3, found: 9, planes_cells: 4, height: 2, width: 2 },
            Error::NoAdapter { wanted: text("named A"), found: text("B"), way_out: text("choose it") },
            Error::DeviceLost { reason: text("unplugged") },
            Error::OutOfMemory { what: text("a buffer"), message: text("too large"), way_out: text("a smaller image") },
            Error::Gpu { what: text("a pipeline"), message: text("invalid") },
            overflow(),
            overflow().at_node("conv1"),
            overflow().at_node("inner").at_node("outer"),
            Error::Graph(text("no output `y`")),
            Error::Weights(text("`w` is missing")),
            Error::Image { path: "a.png".into(), reason: text("is empty") },
            Error::Io { path: "a.npy".into(), cause: std::io::Error::other("device gone") },
            Error::Io { path: "a.npy".into(), cause: std::io::ErrorKind::NotFound.into() },
        ]
    }

    /// As reporters of error chains print it: `{:#}` of anyhow's, for one.
    fn chain(error: &Error) -> Vec<String> {
        let causes = successors(error.source(), |&cause| cause.source());
        once(error.to_string()).chain(causes.map(ToString::to_string)).collect()
    }

    #[test]
    fn a_chain_of_errors_says_nothing_twice() {
        for error in all() {
            let chain = chain(&error);
            for (position, said) in chain.iter().enumerate().skip(1) {
                let before = &chain[..position];
                assert!(before.iter().all(|text| !text.contains(said)), "{said:?} is in {before:?}");
            }
        }
    }

    #[test]
    fn a_message_has_its_cause_in_it() {
        let found: Vec<String> = all().iter().map(ToString::to_string).collect();
        for expected in ["node `outer`: node `inner`: weight `w` at 17 is beyond", "a.npy: device gone"] {
            assert!(found.iter().any(|message| message.starts_with(expected)), "{expected} is not among {found:#?}");
        }
    }
}
