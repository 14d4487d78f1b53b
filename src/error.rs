//! The one error type: every message gives the operand, what was expected, what was found, and the way out.

use std::path::PathBuf;

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, from a misshapen operand to a device that has been unplugged.
///
/// Callers branch on the variants or on the predicates ([`Error::is_device_lost`], [`Error::is_out_of_memory`],
/// [`Error::is_unsupported`]); people read the message.
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
    #[error("node `{node}`: {source}")]
    Node {
        /// The node's name.
        node: String,
        /// What went wrong there.
        source: Box<Error>,
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
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// The device is gone; nothing on it can be used again.
    #[must_use]
    pub fn is_device_lost(&self) -> bool {
        match self {
            Self::DeviceLost { .. } => true,
            Self::Node { source, .. } => source.is_device_lost(),
            _ => false,
        }
    }

    /// Less at a time (a smaller image, another device) may succeed: out of memory, or over a limit.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        match self {
            Self::OutOfMemory { .. } | Self::Limit { .. } => true,
            Self::Node { source, .. } => source.is_out_of_memory(),
            _ => false,
        }
    }

    /// The request is valid, but not served here.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        match self {
            Self::Unsupported { .. } => true,
            Self::Node { source, .. } => source.is_unsupported(),
            _ => false,
        }
    }

    /// Names the graph node at which this error arose.
    #[must_use]
    pub(crate) fn at_node(self, node: &str) -> Self {
        Self::Node { node: node.to_owned(), source: Box::new(self) }
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
    pub(crate) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
