//! What a graph is made of: nodes, the edges between them, and what flows along an edge.

use std::fmt;

use crate::op::{
    BatchNorm, Conv2d, ConvTranspose2d, Cost, Crop, CropAdd, LocalResponseNorm, MaxPool2d, MaxUnpool2d, Normalize, Pad,
    Palette, Slice,
};
use crate::shape::Shape;

/// One result of a node, to be given to others: a small handle, valid in the builder (and graph) that made it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Edge {
    pub(super) builder: u64,
    pub(super) node: usize,
    pub(super) port: usize,
}

impl Edge {
    /// Position of the node it comes from.
    pub(crate) fn node(self) -> usize {
        self.node
    }

    /// Which of that node's results it is.
    pub(crate) fn port(self) -> usize {
        self.port
    }
}

/// Kind and shape of what flows along an edge.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ValueType {
    /// An f32 tensor, NCHW.
    Tensor(Shape),
    /// Pooling switches.
    Switches {
        /// Shape of the pooled map: one switch for each of its elements.
        shape: Shape,
        /// Rows and columns of the planes that were pooled.
        origin: [usize; 2],
        /// The pooling that makes them.
        pool: MaxPool2d,
    },
    /// A class index for each pixel, one byte each.
    Labels {
        /// Number of images.
        count: usize,
        /// Rows and columns.
        extent: [usize; 2],
    },
    /// An 8-bit RGB image.
    Image {
        /// Rows and columns.
        extent: [usize; 2],
    },
}

impl ValueType {
    /// Its shape, if it is a tensor.
    pub(crate) fn tensor(self) -> Option<Shape> {
        match self {
            Self::Tensor(shape) => Some(shape),
            _ => None,
        }
    }

    /// 4-byte words it takes on the device, where bytes are packed four to a word.
    pub(crate) fn words(self) -> u64 {
        match self {
            Self::Tensor(shape) | Self::Switches { shape, .. } => shape.elements() as u64,
            Self::Labels { count, extent: [rows, columns] } => bytes_in_words([count, 1, rows, columns].into()),
            Self::Image { extent: [rows, columns] } => bytes_in_words([1, 3, rows, columns].into()),
        }
    }

    /// Bytes it takes on the device.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.words().saturating_mul(4)
    }
}

/// Words that hold a byte for each element.
fn bytes_in_words(shape: Shape) -> u64 {
    (shape.elements() as u64).div_ceil(4)
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tensor(shape) => write!(f, "{shape}"),
            Self::Switches { shape, origin, .. } => write!(f, "{shape} switches into {}x{}", origin[0], origin[1]),
            Self::Labels { count, extent } => write!(f, "{count}x{}x{} labels", extent[0], extent[1]),
            Self::Image { extent } => write!(f, "{}x{} RGB image", extent[0], extent[1]),
        }
    }
}

/// What a node does.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Operation {
    /// Given by the caller of each run.
    Input,
    /// Parameters: weight, then bias if there is one.
    Conv2d(Conv2d),
    /// A convolution whose map only a max pooling reads, and that pooling. Parameters: as the convolution's. Graphs get such
    /// nodes when they are planned for a device.
    Conv2dMaxPool2d {
        /// The convolution.
        conv: Conv2d,
        /// The pooling of its map.
        pool: MaxPool2d,
        /// Whether the switches are a second result.
        switches: bool,
    },
    /// Parameters: weight, then bias if there is one.
    ConvTranspose2d(ConvTranspose2d),
    /// The maxima alone.
    MaxPool2d(MaxPool2d),
    /// The maxima and where they came from.
    MaxPool2dSwitches(MaxPool2d),
    /// Inputs: values, switches.
    MaxUnpool2d(MaxUnpool2d),
    /// `max(x, 0)`.
    Relu,
    /// Of two tensors of one shape.
    Add,
    /// A window of each plane.
    Crop(Crop),
    /// A border of zeros around each plane.
    Pad(Pad),
    /// Inputs: the map added to, the map that is cropped.
    CropAdd(CropAdd),
    /// Channels one after the other.
    Concat,
    /// A run of channels.
    Slice(Slice),
    /// Parameters: factor, then shift if there is one.
    Scale,
    /// Parameters: weight, bias, running mean, running variance.
    BatchNorm(BatchNorm),
    /// Each value over a power of those around it.
    LocalResponseNorm(LocalResponseNorm),
    /// Class probabilities.
    SoftmaxChannels,
    /// Class of each pixel.
    ArgmaxChannels,
    /// Class of each pixel of a transposed convolution, whose scores are not kept: made by the planner. Parameters: weight, then
    /// bias if there is one.
    ConvTranspose2dArgmax(ConvTranspose2d),
    /// 8-bit image to a network's input.
    Normalize(Normalize),
    /// Labels to a picture.
    Colorize(Box<Palette>),
}

impl Operation {
    /// The operator's name, as in `conv2d`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Conv2d(_) => "conv2d",
            Self::Conv2dMaxPool2d { .. } => "conv2d+max_pool2d",
            Self::ConvTranspose2d(_) => "conv_transpose2d",
            Self::MaxPool2d(_) | Self::MaxPool2dSwitches(_) => "max_pool2d",
            Self::MaxUnpool2d(_) => "max_unpool2d",
            Self::Relu => "relu",
            Self::Add => "add",
            Self::Crop(_) => "crop",
            Self::Pad(_) => "pad",
            Self::CropAdd(_) => "crop_add",
            Self::Concat => "concat",
            Self::Slice(_) => "slice",
            Self::Scale => "scale",
            Self::BatchNorm(_) => "batch_norm",
            Self::LocalResponseNorm(_) => "local_response_norm",
            Self::SoftmaxChannels => "softmax_channels",
            Self::ArgmaxChannels => "argmax_channels",
            Self::ConvTranspose2dArgmax(_) => "conv_transpose2d_argmax",
            Self::Normalize(_) => "normalize",
            Self::Colorize(_) => "colorize",
        }
    }
}

/// A named operator at its place in a graph.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) name: String,
    pub(super) operation: Operation,
    pub(super) inputs: Vec<Edge>,
    /// Positions among the graph's parameters; an optional last one is left out.
    pub(super) parameters: Vec<usize>,
    pub(super) outputs: Vec<ValueType>,
    pub(super) cost: Cost,
}

impl Node {
    /// Its name, unique in the graph.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Kinds and shapes of its results: one, but for a pooling with switches.
    #[must_use]
    pub fn outputs(&self) -> &[ValueType] {
        &self.outputs
    }

    /// Multiply-adds, parameters and least bytes.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The name of one of its results as an output: its own, or `NODE.switches`.
    pub(super) fn value_name(&self, port: usize) -> String {
        if port == 0 { self.name.clone() } else { format!("{}.switches", self.name) }
    }

    /// What it reads.
    pub(crate) fn inputs(&self) -> &[Edge] {
        &self.inputs
    }

    /// The weights it reads, as positions among the graph's parameters.
    pub(crate) fn parameters(&self) -> &[usize] {
        &self.parameters
    }

    /// The weight that a kernel plan's input of this position is, as a position among the graph's parameters: weights
    /// come after the node's inputs.
    pub(super) fn parameter_at(&self, position: usize) -> Option<usize> {
        self.parameters.get(position.checked_sub(self.inputs.len())?).copied()
    }
}
