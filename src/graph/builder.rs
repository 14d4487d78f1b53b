//! Building a graph: every node is named, and every shape is checked as the node is added.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::insert::{Checked, tensor};
use super::node::{Edge, Node, Operation, ValueType};
use super::parameter::{Parameter, Parameters, Weight};
use super::{Graph, Output};
use crate::error::{Error, Result};
use crate::op::{
    Add, ArgmaxChannels, BatchNorm, Colorize, Concat, Conv2d, ConvTranspose2d, Cost, Crop, CropAdd, LocalResponseNorm,
    MaxPool2d, MaxUnpool2d, Normalize, Pad, Palette, Relu, Scale, Slice, SoftmaxChannels,
};
use crate::shape::Shape;

/// Distinguishes builders, so that an edge of another graph is refused instead of being taken for one of this.
static BUILDERS: AtomicU64 = AtomicU64::new(0);

/// A graph under construction.
///
/// Each method adds one node under a name that no other node has, checks what it is given, and returns handles to the
/// node's results. An error names the node and leaves the builder as it was.
#[derive(Debug)]
pub struct GraphBuilder {
    pub(super) id: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) by_name: HashMap<String, usize>,
    pub(super) parameters: Vec<Parameter>,
    outputs: Vec<Output>,
}

impl GraphBuilder {
    pub(super) fn new() -> Self {
        Self {
            id: BUILDERS.fetch_add(1, Ordering::Relaxed),
            nodes: Vec::new(),
            by_name: HashMap::new(),
            parameters: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// A builder that begins with these nodes and weights of a graph.
    pub(super) fn resume(nodes: Vec<Node>, parameters: Vec<Parameter>) -> Self {
        let mut builder = Self { nodes, parameters, ..Self::new() };
        for (position, node) in builder.nodes.iter_mut().enumerate() {
            node.inputs.iter_mut().for_each(|input| input.builder = builder.id);
            builder.by_name.insert(node.name.clone(), position);
        }
        builder
    }

    /// The edge here that an edge of the graph was which this builder began with.
    pub(crate) fn resumed(&self, edge: Edge) -> Edge {
        Edge { builder: self.id, ..edge }
    }

    /// The (first) result of a node that is there already; the switches of a pooling are `NODE.switches`.
    ///
    /// # Errors
    /// [`Error::Graph`] if there is none of this name.
    pub fn edge(&self, name: &str) -> Result<Edge> {
        let found = self.nodes.iter().enumerate().find_map(|(node, described)| {
            let port = (0..described.outputs.len()).find(|&port| described.value_name(port) == name)?;
            Some(Edge { builder: self.id, node, port })
        });
        found.ok_or_else(|| Error::Graph(format!("there is no node `{name}`")))
    }

    /// A tensor that each run is given.
    ///
    /// # Errors
    /// [`Error::Node`] for a name already taken or a shape that is empty or too large. The same holds for every method
    /// below, which also refuse edges of another builder and operands that do not fit the operator.
    pub fn input(&mut self, name: &str, shape: impl Into<Shape>) -> Result<Edge> {
        let shape = shape.into();
        self.add_node(name, Operation::Input, &[], vec![], |_, _| {
            shape.check("input", "shape")?;
            Ok(Checked::tensor(shape, Cost::default()))
        })
    }

    /// An 8-bit RGB image of `extent` (rows, columns) that each run is given.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn image(&mut self, name: &str, extent: [usize; 2]) -> Result<Edge> {
        self.add_node(name, Operation::Input, &[], vec![], |_, _| {
            Normalize::RAW.output_shape(extent)?;
            Ok(Checked { outputs: vec![ValueType::Image { extent }], cost: Cost::default() })
        })
    }

    /// A convolution with the weights `NAME.weight` and `NAME.bias`.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn conv2d(&mut self, name: &str, x: Edge, op: Conv2d, output_channels: usize) -> Result<Edge> {
        self.conv2d_with(name, x, op, output_channels, Parameters::named(name))
    }

    /// A convolution with weights from elsewhere, perhaps shared with other nodes.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`]; also for a weight name that another node uses with another shape.
    pub fn conv2d_with(
        &mut self,
        name: &str,
        x: Edge,
        op: Conv2d,
        output_channels: usize,
        parameters: Parameters,
    ) -> Result<Edge> {
        let expected = self.tensor(x, "conv2d", "input").and_then(|x| op.weight_shape(x.c, output_channels));
        let parameters = self.convolution_parameters(name, "conv2d", expected, output_channels, parameters)?;
        self.add_node(name, Operation::Conv2d(op), &[x], parameters, |inputs, parameters| {
            let (x, weight) = (tensor("conv2d", "input", inputs[0])?, parameters[0]);
            let bias = parameters.get(1).copied();
            Ok(Checked::tensor(op.output_shape(x, weight, bias)?, op.cost(x, weight, bias)?))
        })
    }

    /// A transposed convolution with the weights `NAME.weight` and `NAME.bias`.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn conv_transpose2d(
        &mut self,
        name: &str,
        x: Edge,
        op: ConvTranspose2d,
        output_channels: usize,
    ) -> Result<Edge> {
        self.conv_transpose2d_with(name, x, op, output_channels, Parameters::named(name))
    }

    /// A transposed convolution with weights from elsewhere, perhaps those of the convolution it is the transpose of.
    ///
    /// # Errors
    /// As [`GraphBuilder::conv2d_with`].
    pub fn conv_transpose2d_with(
        &mut self,
        name: &str,
        x: Edge,
        op: ConvTranspose2d,
        output_channels: usize,
        parameters: Parameters,
    ) -> Result<Edge> {
        let expected = self.tensor(x, "conv_transpose2d", "input").and_then(|x| op.weight_shape(x.c, output_channels));
        let parameters =
            self.convolution_parameters(name, "conv_transpose2d", expected, output_channels, parameters)?;
        self.add_node(name, Operation::ConvTranspose2d(op), &[x], parameters, |inputs, parameters| {
            let (x, weight) = (tensor("conv_transpose2d", "input", inputs[0])?, parameters[0]);
            let bias = parameters.get(1).copied();
            Ok(Checked::tensor(op.output_shape(x, weight, bias)?, op.cost(x, weight, bias)?))
        })
    }

    /// Max pooling.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn max_pool2d(&mut self, name: &str, x: Edge, op: MaxPool2d) -> Result<Edge> {
        self.add_node(name, Operation::MaxPool2d(op), &[x], vec![], |inputs, _| {
            let x = tensor("max_pool2d", "input", inputs[0])?;
            Ok(Checked::tensor(op.output_shape(x)?, op.cost(x, false)?))
        })
    }

    /// Max pooling that also gives its switches, for [`GraphBuilder::max_unpool2d`].
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn max_pool2d_switches(&mut self, name: &str, x: Edge, op: MaxPool2d) -> Result<(Edge, Edge)> {
        let values = self.add_node(name, Operation::MaxPool2dSwitches(op), &[x], vec![], |inputs, _| {
            let x = tensor("max_pool2d", "input", inputs[0])?;
            let shape = op.output_shape(x)?;
            let switches = ValueType::Switches { shape, origin: x.extent(), pool: op };
            Ok(Checked { outputs: vec![ValueType::Tensor(shape), switches], cost: op.cost(x, true)? })
        })?;
        Ok((values, Edge { port: 1, ..values }))
    }

    /// Max unpooling to the extent that was pooled.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn max_unpool2d(&mut self, name: &str, x: Edge, switches: Edge) -> Result<Edge> {
        self.max_unpool2d_with(name, x, switches, MaxUnpool2d::new())
    }

    /// Max unpooling, perhaps to a larger extent.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn max_unpool2d_with(&mut self, name: &str, x: Edge, switches: Edge, op: MaxUnpool2d) -> Result<Edge> {
        self.add_node(name, Operation::MaxUnpool2d(op), &[x, switches], vec![], |inputs, _| {
            let x = tensor("max_unpool2d", "input", inputs[0])?;
            let ValueType::Switches { shape, origin, .. } = inputs[1] else {
                return Err(Error::operand("max_unpool2d", "switches", "pooling switches", inputs[1]));
            };
            Ok(Checked::tensor(op.output_shape(x, shape, origin)?, op.cost(x, shape, origin)?))
        })
    }

    /// `max(x, 0)`.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn relu(&mut self, name: &str, x: Edge) -> Result<Edge> {
        self.add_node(name, Operation::Relu, &[x], vec![], |inputs, _| {
            let x = tensor("relu", "input", inputs[0])?;
            Ok(Checked::tensor(Relu.output_shape(x)?, Relu.cost(x)?))
        })
    }

    /// `a + b`, of one shape.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn add(&mut self, name: &str, a: Edge, b: Edge) -> Result<Edge> {
        self.add_node(name, Operation::Add, &[a, b], vec![], |inputs, _| {
            let (a, b) = (tensor("add", "a", inputs[0])?, tensor("add", "b", inputs[1])?);
            Ok(Checked::tensor(Add.output_shape(a, b)?, Add.cost(a, b)?))
        })
    }

    /// A window of each plane.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn crop(&mut self, name: &str, x: Edge, op: Crop) -> Result<Edge> {
        self.add_node(name, Operation::Crop(op), &[x], vec![], |inputs, _| {
            let x = tensor("crop", "input", inputs[0])?;
            Ok(Checked::tensor(op.output_shape(x)?, op.cost(x)?))
        })
    }

    /// A border of zeros around each plane.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn pad(&mut self, name: &str, x: Edge, op: Pad) -> Result<Edge> {
        self.add_node(name, Operation::Pad(op), &[x], vec![], |inputs, _| {
            let x = tensor("pad", "input", inputs[0])?;
            Ok(Checked::tensor(op.output_shape(x)?, op.cost(x)?))
        })
    }

    /// `a` plus `b` cropped down to it: a skip connection.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn crop_add(&mut self, name: &str, a: Edge, b: Edge, op: CropAdd) -> Result<Edge> {
        self.add_node(name, Operation::CropAdd(op), &[a, b], vec![], |inputs, _| {
            let (a, b) = (tensor("crop_add", "a", inputs[0])?, tensor("crop_add", "b", inputs[1])?);
            Ok(Checked::tensor(op.output_shape(a, b)?, op.cost(a, b)?))
        })
    }

    /// The channels of several tensors, one after the other.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn concat(&mut self, name: &str, inputs: &[Edge]) -> Result<Edge> {
        self.add_node(name, Operation::Concat, inputs, vec![], |inputs, _| {
            let shape = |(position, &input)| tensor("concat", &format!("input {position}"), input);
            let inputs = inputs.iter().enumerate().map(shape).collect::<Result<Vec<_>>>()?;
            Ok(Checked::tensor(Concat.output_shape(&inputs)?, Concat.cost(&inputs)?))
        })
    }

    /// A run of channels.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn slice(&mut self, name: &str, x: Edge, op: Slice) -> Result<Edge> {
        self.add_node(name, Operation::Slice(op), &[x], vec![], |inputs, _| {
            let x = tensor("slice", "input", inputs[0])?;
            Ok(Checked::tensor(op.output_shape(x)?, op.cost(x)?))
        })
    }

    /// A factor and perhaps a shift for each channel: names in the weight file, tensors `1 x C x 1 x 1`, or one number
    /// for all channels.
    ///
    /// ```
    /// # let mut g = switchback::Graph::builder();
    /// # let pool3 = g.input("pool3", [1, 256, 88, 88])?;
    /// let scaled = g.scale("scale_pool3", pool3, 0.0001, None)?;
    /// let learned = g.scale("norm", scaled, "norm.weight", Some("norm.bias".into()))?;
    /// # Ok::<(), switchback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn scale(&mut self, name: &str, x: Edge, factor: impl Into<Weight>, shift: Option<Weight>) -> Result<Edge> {
        let at_node = |error: Error| error.at_node(name);
        let vector = Shape::vector(self.tensor(x, "scale", "input").map_err(at_node)?.c);
        let mut parameters = vec![Parameter::new(format!("{name}.factor"), vector, factor.into()).map_err(at_node)?];
        if let Some(shift) = shift {
            parameters.push(Parameter::new(format!("{name}.shift"), vector, shift).map_err(at_node)?);
        }
        self.add_node(name, Operation::Scale, &[x], parameters, |inputs, parameters| {
            let (x, shift) = (tensor("scale", "input", inputs[0])?, parameters.get(1).copied());
            Ok(Checked::tensor(Scale.output_shape(x, parameters[0], shift)?, Scale.cost(x, parameters[0], shift)?))
        })
    }

    /// Batch normalisation with the weights `NAME.weight`, `NAME.bias`, `NAME.running_mean` and `NAME.running_var`,
    /// PyTorch's names. Compiling makes it part of the convolution before it, if nothing else reads that
    /// ([`Graph::fold`](crate::graph::Graph::fold)).
    ///
    /// ```
    /// # use switchback::{BatchNorm, Conv2d, Graph, Parameters};
    /// let mut g = Graph::builder();
    /// let x = g.input("x", [1, 3, 37, 53])?;
    /// let x = g.conv2d_with("conv", x, Conv2d::new([3, 3]).pad(1), 8, Parameters::named("conv").without_bias())?;
    /// let x = g.batch_norm("norm", x, BatchNorm::new())?;
    /// g.relu("relu", x)?;
    /// # Ok::<(), switchback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn batch_norm(&mut self, name: &str, x: Edge, op: BatchNorm) -> Result<Edge> {
        let at_node = |error: Error| error.at_node(name);
        let vector = Shape::vector(self.tensor(x, "batch_norm", "input").map_err(at_node)?.c);
        let part = |part: &str| Parameter::new(format!("{name}.{part}"), vector, format!("{name}.{part}").into());
        let parameters = BatchNorm::PARTS.into_iter().map(part).collect::<Result<Vec<_>>>().map_err(at_node)?;
        self.add_node(name, Operation::BatchNorm(op), &[x], parameters, |inputs, _| {
            let x = tensor("batch_norm", "input", inputs[0])?;
            Ok(Checked::tensor(op.output_shape(x, [vector; 4])?, op.cost(x, [vector; 4])?))
        })
    }

    /// Local response normalisation across channels.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn local_response_norm(&mut self, name: &str, x: Edge, op: LocalResponseNorm) -> Result<Edge> {
        self.add_node(name, Operation::LocalResponseNorm(op), &[x], vec![], |inputs, _| {
            let x = tensor("local_response_norm", "input", inputs[0])?;
            Ok(Checked::tensor(op.output_shape(x)?, op.cost(x)?))
        })
    }

    /// Class probabilities from scores.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn softmax_channels(&mut self, name: &str, x: Edge) -> Result<Edge> {
        self.add_node(name, Operation::SoftmaxChannels, &[x], vec![], |inputs, _| {
            let x = tensor("softmax_channels", "input", inputs[0])?;
            Ok(Checked::tensor(SoftmaxChannels.output_shape(x)?, SoftmaxChannels.cost(x)?))
        })
    }

    /// The class of each pixel from scores.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn argmax_channels(&mut self, name: &str, x: Edge) -> Result<Edge> {
        self.add_node(name, Operation::ArgmaxChannels, &[x], vec![], |inputs, _| {
            let x = tensor("argmax_channels", "input", inputs[0])?;
            let shape = ArgmaxChannels.output_shape(x)?;
            let labels = ValueType::Labels { count: shape.n, extent: shape.extent() };
            Ok(Checked { outputs: vec![labels], cost: ArgmaxChannels.cost(x)? })
        })
    }

    /// A network's input from an 8-bit image.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn normalize(&mut self, name: &str, image: Edge, op: Normalize) -> Result<Edge> {
        self.add_node(name, Operation::Normalize(op), &[image], vec![], |inputs, _| {
            let ValueType::Image { extent } = inputs[0] else {
                return Err(Error::operand("normalize", "image", "an 8-bit RGB image", inputs[0]));
            };
            Ok(Checked::tensor(op.output_shape(extent)?, op.cost(extent)?))
        })
    }

    /// A picture of the labels of one image.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn colorize(&mut self, name: &str, labels: Edge, palette: Palette) -> Result<Edge> {
        self.add_node(name, Operation::Colorize(Box::new(palette)), &[labels], vec![], |inputs, _| {
            let ValueType::Labels { count, extent } = inputs[0] else {
                return Err(Error::operand("colorize", "labels", "a label map", inputs[0]));
            };
            let cost = Colorize.cost(Shape { n: count, c: 1, h: extent[0], w: extent[1] })?;
            Ok(Checked { outputs: vec![ValueType::Image { extent }], cost })
        })
    }

    /// Declares a result of the graph. It has its node's name; the switches of a pooling are `NODE.switches`.
    ///
    /// # Errors
    /// [`Error::Graph`] for an edge of another builder or one that is an output already.
    pub fn output(&mut self, edge: Edge) -> Result<()> {
        self.value_type(edge)?;
        let name = self.nodes[edge.node].value_name(edge.port);
        if self.outputs.iter().any(|output| output.name == name) {
            return Err(Error::Graph(format!("`{name}` is an output already")));
        }
        self.outputs.push(Output { name, edge });
        Ok(())
    }

    /// Kind and shape of what flows along an edge.
    ///
    /// # Errors
    /// [`Error::Graph`] for an edge of another builder.
    pub fn value_type(&self, edge: Edge) -> Result<ValueType> {
        let node = self.nodes.get(edge.node).filter(|_| edge.builder == self.id);
        let value_type = node.and_then(|node| node.outputs.get(edge.port));
        value_type.copied().ok_or_else(|| Error::Graph("an edge belongs to another builder".to_owned()))
    }

    /// Shape of the tensor that flows along an edge.
    ///
    /// # Errors
    /// [`Error::Graph`] for an edge of another builder, or of one that carries no tensor.
    pub fn shape(&self, edge: Edge) -> Result<Shape> {
        match self.value_type(edge)? {
            ValueType::Tensor(shape) => Ok(shape),
            other => Err(Error::Graph(format!("`{}` is {other}, not a tensor", self.nodes[edge.node].name()))),
        }
    }

    /// The finished graph.
    ///
    /// # Errors
    /// [`Error::Graph`] if it has no output.
    pub fn build(self) -> Result<Graph> {
        Graph::assemble(self.id, self.nodes, self.parameters, self.outputs)
    }
}
