//! DeconvNet (Noh, Hong and Han, *Learning deconvolution network for semantic segmentation*, 2015), as in the repository
//! `HyeonwooNoh/DeconvNet`.

mod proposals;

pub use proposals::Proposals;

use super::Segmentation;
use super::layers::{ENCODER, PUBLISHED, STAGES, operand};
use super::norm::Norm;
use crate::error::{Error, Result};
use crate::graph::{Edge, GraphBuilder};
use crate::op::{Conv2d, ConvTranspose2d, MaxPool2d, Normalize, Rounding};
use crate::shape::Shape;
use crate::weights::{Weights, vgg};

/// Convolutions down to the single cell in the middle: thirteen, and two that were fully connected.
const DOWN: usize = ENCODER + 2;
/// Transposed convolutions back up: the one that undoes `fc6`, and thirteen.
const UP: usize = 1 + ENCODER;
/// The class scores.
const SCORES: &str = "seg-score-voc";

/// VGG16 with batch norms down to its fully connected layers, and a mirror of it back up through the poolings' switches
/// by transposed convolutions: scores for each class at every pixel.
///
/// The published network takes 224x224, which [`Proposals`] cuts out of a larger image. Other sizes work too, if they
/// leave `fc6` a window.
///
/// Weights have Caffe's names: `conv1_1` ... `conv5_3`, `fc6`, `fc7`, `fc6-deconv`, `deconv5_1` ... `deconv1_2`, each with
/// a batch norm (`bn1_1`, `bnfc6`, `fc6-deconv-bn`, `debn5_1`) as `.scale` and `.shift`, as PyTorch's four tensors, or not
/// at all where the layers hold it already; then `seg-score-voc`.
///
/// ```
/// use switchback::net::{DeconvNet, Segmentation};
/// let graph = DeconvNet::published(21).graph([1, 3, 224, 224].into())?;
/// assert_eq!(graph.cost().parameters, 251_805_653);
/// assert_eq!(graph.fold().graph().cost().macs, 32_745_979_904);
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeconvNet {
    input_channels: usize,
    /// Output channels of the layers down.
    down: [usize; DOWN],
    /// Output channels of the layers up.
    up: [usize; UP],
    classes: usize,
    /// Rows and columns of `fc6`'s kernel, and of the one that undoes it.
    fc6_kernel: usize,
    norm: Norm,
    preprocessing: Normalize,
}

/// One layer of the network: a convolution, or a transposed one, with its batch norm and ReLU.
struct Layer {
    name: String,
    norm: String,
    relu: String,
    width: usize,
    kernel: usize,
    pad: usize,
    transposed: bool,
}

impl DeconvNet {
    /// The full-size network of the paper with so many classes (21 for PASCAL VOC), batch norms as scale and shift: 252
    /// million parameters.
    #[must_use]
    pub fn published(classes: usize) -> Self {
        let mut down = [0; DOWN];
        down.copy_from_slice(&PUBLISHED[..DOWN]);
        let mut network = Self {
            input_channels: 3,
            down,
            up: [0; UP],
            classes,
            fc6_kernel: 7,
            norm: Norm::FactorAndShift,
            preprocessing: Normalize::CAFFE,
        };
        network.mirror();
        network
    }

    /// The network that `weights` are for: channel widths, classes, `fc6`'s kernel and the form of the batch norms come
    /// from them.
    ///
    /// # Errors
    /// [`Error::Weights`] that lists each missing, misshapen and unexpected tensor, with what was expected and found.
    pub fn from_weights(weights: &Weights) -> Result<Self> {
        let mut network = Self::published(21);
        let found = |name: &str| operand(weights, name);
        for (position, (name, _)) in vgg::LAYERS.iter().enumerate() {
            network.down[position] = found(name).map_or(network.down[position], |shape| shape.n);
        }
        network.mirror();
        // The others' follow from the way down.
        for position in (1..UP).filter(|&position| !stage_ends(position) || position == UP - 1) {
            network.up[position] = found(&up_name(position)).map_or(network.up[position], |shape| shape.c);
        }
        network.input_channels = found("conv1_1").map_or(network.input_channels, |shape| shape.c);
        network.fc6_kernel = found("fc6").map_or(network.fc6_kernel, |shape| shape.h);
        network.classes = found(SCORES).map_or(network.classes, |shape| shape.n);
        let names: Vec<String> = network.layers().map(|layer| layer.norm).collect();
        network.norm = Norm::read(names.into_iter(), weights);
        weights.check(network.title(), network.weights_required())?;
        Ok(network)
    }

    /// A slim network: every width but the classes' and the input's divided by `divisor`, at least 1.
    #[must_use]
    pub fn slimmed(mut self, divisor: usize) -> Self {
        for width in self.down.iter_mut().chain(&mut self.up) {
            *width = width.checked_div(divisor).unwrap_or(*width).max(1);
        }
        self
    }

    /// Sets what happens to an image first; [`Normalize::CAFFE`] unless told otherwise.
    #[must_use]
    pub fn preprocessed(mut self, preprocessing: Normalize) -> Self {
        self.preprocessing = preprocessing;
        self
    }

    /// Sets the epsilon of batch norms that are held as statistics; 1e-5, PyTorch's, unless told otherwise.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f32) -> Self {
        self.norm = self.norm.epsilon(epsilon);
        self
    }

    /// Gives the way up the widths of the way down: what goes back through the switches of a pooling has its channels.
    fn mirror(&mut self) {
        self.up[0] = self.down[ENCODER - 1];
        let mut position = 1;
        for stage in (0..STAGES.len()).rev() {
            let first: usize = STAGES[..stage].iter().sum();
            for layer in 1..=STAGES[stage] {
                let below = first.saturating_sub(1);
                self.up[position] = if layer == STAGES[stage] { self.down[below] } else { self.down[first] };
                position += 1;
            }
        }
    }

    /// All layers but the last, in the order of the computation.
    fn layers(&self) -> impl Iterator<Item = Layer> {
        let down = (0..DOWN).map(|position| {
            let name = vgg::LAYERS[position].0;
            let tail = name.trim_start_matches("conv").trim_start_matches("fc");
            let (norm, kernel) = match position {
                ..ENCODER => (format!("bn{tail}"), 3),
                ENCODER => (format!("bn{name}"), self.fc6_kernel),
                _ => (format!("bn{name}"), 1),
            };
            let pad = usize::from(position < ENCODER);
            let (relu, width) = (format!("relu{tail}"), self.down[position]);
            Layer { name: name.to_owned(), norm, relu, width, kernel, pad, transposed: false }
        });
        let up = (0..UP).map(|position| {
            let (name, width) = (up_name(position), self.up[position]);
            let tail = name.trim_start_matches("deconv");
            let (norm, relu, kernel) = match position {
                0 => (format!("{name}-bn"), format!("{name}-relu"), self.fc6_kernel),
                _ => (format!("debn{tail}"), format!("derelu{tail}"), 3),
            };
            Layer { norm, relu, width, kernel, pad: usize::from(position > 0), transposed: true, name }
        });
        down.chain(up)
    }

    /// A layer with its batch norm and its ReLU.
    fn block(&self, g: &mut GraphBuilder, x: Edge, layer: &Layer) -> Result<Edge> {
        let x = if layer.transposed {
            g.conv_transpose2d(&layer.name, x, ConvTranspose2d::new([layer.kernel; 2]).pad(layer.pad), layer.width)?
        } else {
            g.conv2d(&layer.name, x, Conv2d::new([layer.kernel; 2]).pad(layer.pad), layer.width)?
        };
        let x = self.norm.add(g, &layer.norm, x)?;
        g.relu(&layer.relu, x)
    }

    fn check_extent(&self, extent: [usize; 2]) -> Result<()> {
        // Poolings round up: a window of `kernel` cells begins with one cell more than `kernel - 1` whole ones.
        let least = self.fc6_kernel.saturating_sub(1).saturating_mul(1 << STAGES.len()).saturating_add(1);
        if extent.iter().all(|&cells| cells >= least) {
            return Ok(());
        }
        let [rows, columns] = extent;
        Err(Error::operand(
            "DeconvNet",
            "input",
            format!("at least {least} rows and columns"),
            format!("{rows}x{columns}"),
        ))
    }
}

impl Segmentation for DeconvNet {
    fn title(&self) -> &'static str {
        "DeconvNet"
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn input_channels(&self) -> usize {
        self.input_channels
    }

    fn preprocessing(&self) -> Normalize {
        self.preprocessing
    }

    fn scores_name(&self) -> &'static str {
        SCORES
    }

    fn weights_required(&self) -> Vec<(String, Shape)> {
        let mut required = Vec::new();
        let mut channels = self.input_channels;
        for Layer { name, norm, width, kernel, transposed, .. } in self.layers() {
            let [n, c] = if transposed { [channels, width] } else { [width, channels] };
            required.push((format!("{name}.weight"), Shape { n, c, h: kernel, w: kernel }));
            required.push((format!("{name}.bias"), Shape::vector(width)));
            self.norm.require(&norm, width, &mut required);
            channels = width;
        }
        required.push((format!("{SCORES}.weight"), Shape { n: self.classes, c: channels, h: 1, w: 1 }));
        required.push((format!("{SCORES}.bias"), Shape::vector(self.classes)));
        required
    }

    fn add_scores(&self, g: &mut GraphBuilder, data: Edge) -> Result<Edge> {
        self.check_extent(g.shape(data)?.extent())?;
        let pool = MaxPool2d::new([2, 2]).rounding(Rounding::Caffe);
        let mut layers = self.layers();
        let (mut x, mut switches) = (data, Vec::new());
        for (stage, convolutions) in STAGES.into_iter().enumerate() {
            for layer in layers.by_ref().take(convolutions) {
                x = self.block(g, x, &layer)?;
            }
            let (pooled, from) = g.max_pool2d_switches(&format!("pool{}", stage + 1), x, pool)?;
            switches.push(from);
            x = pooled;
        }
        for layer in layers.by_ref().take(3) {
            x = self.block(g, x, &layer)?;
        }
        for (stage, convolutions) in STAGES.into_iter().enumerate().rev() {
            x = g.max_unpool2d(&format!("unpool{}", stage + 1), x, switches[stage])?;
            for layer in layers.by_ref().take(convolutions) {
                x = self.block(g, x, &layer)?;
            }
        }
        g.conv2d(SCORES, x, Conv2d::new([1, 1]), self.classes)
    }
}

/// Name of a layer up: `fc6-deconv`, then `deconv5_1` to `deconv1_2`.
fn up_name(position: usize) -> String {
    if position == 0 {
        return "fc6-deconv".to_owned();
    }
    let (stage, layer) = up_place(position);
    format!("deconv{}_{}", stage + 1, layer + 1)
}

/// Stage and number within it, both from 0, of a layer up after the first.
fn up_place(position: usize) -> (usize, usize) {
    let mut rest = position - 1;
    for (stage, convolutions) in STAGES.into_iter().enumerate().rev() {
        if rest < convolutions {
            return (stage, rest);
        }
        rest -= convolutions;
    }
    (0, rest)
}

/// Whether the next thing after a layer up is a pooling undone.
fn stage_ends(position: usize) -> bool {
    let (stage, layer) = up_place(position);
    layer + 1 == STAGES[stage]
}
