//! What a unit of a network responds to, as pixels (Zeiler and Fergus, *Visualizing and understanding convolutional
//! networks*, 2014).

mod backward;
mod receptive_field;
mod sight;

use crate::error::{Error, Result};
use crate::graph::{Graph, Operation, ValueType};
use crate::net::Region;
use crate::op::ChannelOrder;
use crate::shape::Shape;
use crate::tensor::{RgbImage, Tensor};
use crate::weights::Weights;
use backward::Backward;

pub use sight::{Sight, plate};

const OP: &str = "deconv view";
/// The input that says which activations are kept.
const KEEP: &str = "keep";
/// The output.
const PIXELS: &str = "pixels";
/// The node between an activation and the signal that comes of it.
const KEPT: &str = "kept";

/// One activation of a layer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Activation {
    /// Channel.
    pub unit: usize,
    /// Row of the layer's map.
    pub row: usize,
    /// Column of the layer's map.
    pub column: usize,
    /// Its value.
    pub value: f32,
}

/// A deconvnet on a network: forward to a layer with the poolings' switches, all activations but one set to zero, and back
/// to pixels by unpooling, ReLU and the same filters transposed.
///
/// It is one graph, in which a convolution and what undoes it share their weight: inputs are the network's own and `keep`
/// ([`DeconvView::keep`]), outputs the layer's activations (under the layer's name) and `pixels`. Batch norms are part of
/// the filters; rectification is applied to the signal, as the paper has it; local response normalisation is passed over.
/// Layers behind an unpooling cannot be looked at.
///
/// ```
/// use switchback::net::{DeconvView, SegNet, Segmentation};
/// use switchback::{Tensor, graph::{Inputs, interpret}, weights::Weights};
/// let network = SegNet::published(5).slimmed(32);
/// let weights = Weights::random(network.weights_required(), 1)?;
/// let view = DeconvView::new(&network.graph([1, 3, 24, 32].into())?, &weights, "conv3_3")?;
///
/// let image = Tensor::from_fn([1, 3, 24, 32], |[_, c, y, x]| (40 * c + 3 * y + 5 * x) as f32)?;
/// let inputs = |keep| Inputs::new().with("data", &image).with("keep", keep);
/// let nothing = view.nothing()?;
/// let activations = interpret(view.graph(), view.weights(), inputs(&nothing))?;
/// let kept = view.keep(view.strongest_of(activations.tensor("conv3_3")?, 0)?)?;
/// let pixels = interpret(view.graph(), view.weights(), inputs(&kept))?;
/// assert_eq!(pixels.tensor("pixels")?.shape(), [1, 3, 24, 32].into());
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeconvView {
    graph: Graph,
    weights: Weights,
    layer: String,
    /// Shape of the layer's activations.
    shape: Shape,
    order: ChannelOrder,
}

impl DeconvView {
    /// A view of the layer that a node of `graph` is, with what follows a convolution there (batch norm, ReLU) as part of it.
    ///
    /// # Errors
    /// [`Error::Graph`] if there is no such layer; [`Error::Operand`] for one without activations, or of several images;
    /// [`Error::Node`] for an operator that no signal goes back through; [`Error::Weights`] for weights that do not fit.
    pub fn new(graph: &Graph, weights: &Weights, layer: &str) -> Result<Self> {
        graph.check_weights(weights)?;
        let folded = graph.fold();
        let network = folded.graph().with_switches()?;
        let mut g = network.extend();
        let edge = g.edge(layer).map_err(|_| no_layer(&network, layer))?;
        let shape = g.shape(edge)?;
        if shape.n != 1 {
            return Err(Error::operand(OP, "the network's input", "one image", format!("{} images", shape.n)));
        }
        // What is added to an activation is zero where it is kept; elsewhere it is so low that ReLU leaves nothing.
        let keep = g.input(KEEP, shape)?;
        let chosen = g.add(&format!("{KEPT}.sum"), edge, keep)?;
        let kept = g.relu(KEPT, chosen)?;
        let signal = Backward::new(&network, &mut g).run(edge, kept)?;
        // By its own name, whatever undid the first layer.
        let pixels = g.scale(PIXELS, signal, 1.0, None)?;
        g.output(edge)?;
        g.output(pixels)?;
        let order = network.nodes().iter().find_map(|node| match node.operation() {
            Operation::Normalize(op) => Some(op.order),
            _ => None,
        });
        let (graph, weights) = (g.build()?, folded.weights(weights)?);
        Ok(Self { graph, weights, layer: layer.to_owned(), shape, order: order.unwrap_or_default() })
    }

    /// The graph, forward and back.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The graph's weights: the network's, with batch norms as part of the filters.
    #[must_use]
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Shape of the layer's activations.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The input `keep` that lets nothing through: for a first run, to see the activations.
    ///
    /// # Errors
    /// None that [`DeconvView::new`] did not report.
    pub fn nothing(&self) -> Result<Tensor> {
        Tensor::full(self.shape, f32::MIN)
    }

    /// The input `keep` that lets one activation through.
    ///
    /// # Errors
    /// [`Error::Operand`] for one that the layer does not have.
    pub fn keep(&self, activation: Activation) -> Result<Tensor> {
        self.check(activation)?;
        let Activation { unit, row, column, .. } = activation;
        let mut keep = self.nothing()?;
        keep.data_mut()[self.shape.index([0, unit, row, column])] = 0.0;
        Ok(keep)
    }

    /// The strongest activation of a unit, the first in raster order among equals.
    ///
    /// # Errors
    /// [`Error::Operand`] for activations of another shape, or a unit that the layer does not have.
    pub fn strongest_of(&self, activations: &Tensor, unit: usize) -> Result<Activation> {
        if activations.shape() != self.shape {
            return Err(Error::operand(OP, "activations", self.shape, activations.shape()));
        }
        if unit >= self.shape.c {
            return Err(Error::operand(OP, "unit", format!("below {} in `{}`", self.shape.c, self.layer), unit));
        }
        let plane = &activations.data()[unit * self.shape.plane()..][..self.shape.plane()];
        let mut best = Activation { unit, row: 0, column: 0, value: plane[0] };
        for (position, &value) in plane.iter().enumerate() {
            if value > best.value {
                best = Activation { unit, row: position / self.shape.w, column: position % self.shape.w, value };
            }
        }
        Ok(best)
    }

    /// The units that respond most, each by its strongest activation: at most `count`, the strongest first, none that does
    /// not respond at all.
    ///
    /// # Errors
    /// As [`DeconvView::strongest_of`].
    pub fn strongest(&self, activations: &Tensor, count: usize) -> Result<Vec<Activation>> {
        let units = (0..self.shape.c).map(|unit| self.strongest_of(activations, unit));
        let mut units = units.collect::<Result<Vec<_>>>()?;
        units.retain(|activation| activation.value > 0.0);
        units.sort_by(|a, b| b.value.total_cmp(&a.value));
        units.truncate(count);
        Ok(units)
    }

    /// The part of the network's input that an activation depends on: the smallest rectangle round it, which reaches beyond
    /// the image where padding does.
    ///
    /// # Errors
    /// [`Error::Operand`] for an activation that the layer does not have.
    pub fn receptive_field(&self, activation: Activation) -> Result<Region> {
        self.check(activation)?;
        let field = receptive_field::receptive_field(&self.graph, &self.layer, [activation.row, activation.column]);
        field.ok_or_else(|| Error::Graph(format!("nothing leads from the network's input to `{}`", self.layer)))
    }

    fn check(&self, activation: Activation) -> Result<()> {
        let Activation { unit, row, column, .. } = activation;
        if unit >= self.shape.c || row >= self.shape.h || column >= self.shape.w {
            return Err(Error::operand(OP, "activation", format!("one of {}", self.shape), format!("{activation:?}")));
        }
        Ok(())
    }

    /// The part of the image that a signal reaches: the smallest rectangle round all that is not zero in `pixels`, or
    /// `None` if all of it is.
    #[must_use]
    pub fn patch(pixels: &Tensor) -> Option<Region> {
        let shape = pixels.shape();
        let [mut rows, mut columns] = [(u32::MAX, 0_u32); 2];
        for (position, _) in pixels.data().iter().enumerate().filter(|(_, value)| **value != 0.0) {
            let [_, _, y, x] = shape.position(position).map(|place| place as u32);
            rows = (rows.0.min(y), rows.1.max(y));
            columns = (columns.0.min(x), columns.1.max(x));
        }
        let region = || Region {
            top: rows.0 as i32,
            left: columns.0 as i32,
            rows: rows.1 - rows.0 + 1,
            columns: columns.1 - columns.0 + 1,
        };
        (rows.0 <= rows.1).then(region)
    }

    /// A picture of `pixels`: zero is grey, the strongest value of either sign is as far from it as a byte goes.
    ///
    /// # Errors
    /// [`Error::Operand`] unless there are three channels.
    pub fn picture(&self, pixels: &Tensor) -> Result<RgbImage> {
        let shape = pixels.shape();
        if (shape.n, shape.c) != (1, 3) {
            return Err(Error::operand(OP, "pixels", "1x3xHxW", shape));
        }
        let strongest = pixels.data().iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let scale = if strongest > 0.0 { 127.0 / strongest } else { 0.0 };
        let mut bytes = Vec::with_capacity(shape.elements());
        for cell in 0..shape.plane() {
            for channel in 0..3 {
                let channel = if self.order == ChannelOrder::Bgr { 2 - channel } else { channel };
                let value = pixels.data()[channel * shape.plane() + cell];
                bytes.push((128.0 + value * scale).round() as u8);
            }
        }
        RgbImage::new(shape.extent(), bytes)
    }
}

/// The error about a layer that is not there, with those that are.
fn no_layer(network: &Graph, layer: &str) -> Error {
    let has_activations =
        |operation: &Operation| matches!(operation, Operation::Conv2d(_) | Operation::MaxPool2dSwitches(_));
    let nodes = network.nodes().iter().filter(|node| has_activations(node.operation()));
    let tensors = nodes.filter(|node| matches!(node.outputs()[0], ValueType::Tensor(_)));
    let names: Vec<&str> = tensors.map(|node| node.name()).collect();
    Error::Graph(format!("there is no layer `{layer}`; there are {}", names.join(", ")))
}
