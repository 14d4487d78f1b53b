//! What a graph is given and what it gives back.

use super::{Edge, Graph, Operation, ValueType};
use crate::error::{Error, Result};
use crate::reference;
use crate::tensor::{Labels, RgbImage, Switches, Tensor, Value};

/// A borrowed [`Value`].
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// f32, NCHW.
    Tensor(&'a Tensor),
    /// Pooling switches.
    Switches(&'a Switches),
    /// A class index a pixel.
    Labels(&'a Labels),
    /// An 8-bit RGB image.
    Image(&'a RgbImage),
}

impl ValueRef<'_> {
    /// Its kind and shape.
    #[must_use]
    pub fn value_type(self) -> ValueType {
        match self {
            Self::Tensor(tensor) => ValueType::Tensor(tensor.shape()),
            Self::Switches(switches) => {
                let (shape, origin, pool) = (switches.shape(), switches.origin(), switches.pool());
                ValueType::Switches { shape, origin, pool }
            }
            Self::Labels(labels) => ValueType::Labels { count: labels.count(), extent: labels.extent() },
            Self::Image(image) => ValueType::Image { extent: image.extent() },
        }
    }

    /// A copy.
    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::Tensor(tensor) => Value::Tensor(tensor.clone()),
            Self::Switches(switches) => Value::Switches(switches.clone()),
            Self::Labels(labels) => Value::Labels(labels.clone()),
            Self::Image(image) => Value::Image(image.clone()),
        }
    }
}

impl<'a> From<&'a Tensor> for ValueRef<'a> {
    fn from(tensor: &'a Tensor) -> Self {
        Self::Tensor(tensor)
    }
}

impl<'a> From<&'a RgbImage> for ValueRef<'a> {
    fn from(image: &'a RgbImage) -> Self {
        Self::Image(image)
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Tensor(tensor) => Self::Tensor(tensor),
            Value::Switches(switches) => Self::Switches(switches),
            Value::Labels(labels) => Self::Labels(labels),
            Value::Image(image) => Self::Image(image),
        }
    }
}

/// What a run is given: one value for each input of the graph.
///
/// A graph with one input takes the bare value: `session.run(&image)`. One with several takes
/// `Inputs::new().with("left", &left).with("right", &right)`.
///
/// ```
/// use switchback::{Graph, Tensor, graph::{Inputs, interpret}, weights::Weights};
/// let mut g = Graph::builder();
/// let (left, right) = (g.input("left", [1, 1, 1, 2])?, g.input("right", [1, 1, 1, 2])?);
/// let sum = g.add("sum", left, right)?;
/// g.output(sum)?;
/// let (a, b) = (Tensor::full([1, 1, 1, 2], 1.0)?, Tensor::full([1, 1, 1, 2], 2.0)?);
/// let inputs = Inputs::new().with("left", &a).with("right", &b);
/// let outputs = interpret(&g.build()?, &Weights::new(), inputs)?;
/// assert_eq!(outputs.tensor("sum")?.data(), [3.0, 3.0]);
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Inputs<'a> {
    named: Vec<(String, ValueRef<'a>)>,
    only: Option<ValueRef<'a>>,
}

impl<'a> Inputs<'a> {
    /// No values yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the value of the input `name`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<ValueRef<'a>>) -> Self {
        self.named.push((name.into(), value.into()));
        self
    }

    /// A value for each input of the graph, in the graph's order.
    pub(crate) fn bind(&self, graph: &Graph) -> Result<Vec<(Edge, ValueRef<'a>)>> {
        let names = || graph.inputs().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let is_input = |name: &str| graph.node(name).is_some_and(|node| *node.operation() == Operation::Input);
        for (position, (name, _)) in self.named.iter().enumerate() {
            if !is_input(name) {
                return Err(Error::Graph(format!("there is no input `{name}`; the inputs are {}", names())));
            }
            if self.named[..position].iter().any(|(other, _)| other == name) {
                return Err(Error::Graph(format!("the input `{name}` is given twice")));
            }
        }
        let edges: Vec<Edge> = graph.input_edges().collect();
        if self.only.is_some() && edges.len() != 1 {
            let message =
                format!("one value is given without a name, but there are {} inputs: {}", edges.len(), names());
            return Err(Error::Graph(format!("{message}; name each with `Inputs::with`")));
        }
        let bind = |edge: Edge| {
            let name = graph.nodes()[edge.node()].name();
            let value = self.named.iter().find(|(given, _)| given == name).map(|(_, value)| *value).or(self.only);
            let value = value.ok_or_else(|| Error::Graph(format!("no value is given for the input `{name}`")))?;
            let (expected, found) = (graph.value_type(edge), value.value_type());
            if expected != found {
                return Err(Error::operand("input", "value", expected, found).at_node(name));
            }
            Ok((edge, value))
        };
        edges.into_iter().map(bind).collect()
    }
}

impl<'a, V: Into<ValueRef<'a>>> From<V> for Inputs<'a> {
    fn from(value: V) -> Self {
        Self { named: Vec::new(), only: Some(value.into()) }
    }
}

/// What a run gave: the value of each output of the graph, by name.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outputs {
    values: Vec<(String, Value)>,
}

impl Outputs {
    /// Names and values, in the order in which the outputs were declared.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The output of this name, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The tensor of this name.
    ///
    /// # Errors
    /// [`Error::Graph`] if there is no such output or it is of another kind; so do the methods below.
    pub fn tensor(&self, name: &str) -> Result<&Tensor> {
        match self.find(name)? {
            Value::Tensor(tensor) => Ok(tensor),
            other => Err(unexpected(name, "a tensor", other)),
        }
    }

    /// The pooling switches of this name.
    ///
    /// # Errors
    /// As [`Outputs::tensor`].
    pub fn switches(&self, name: &str) -> Result<&Switches> {
        match self.find(name)? {
            Value::Switches(switches) => Ok(switches),
            other => Err(unexpected(name, "switches", other)),
        }
    }

    /// The label maps of this name.
    ///
    /// # Errors
    /// As [`Outputs::tensor`].
    pub fn labels(&self, name: &str) -> Result<&Labels> {
        match self.find(name)? {
            Value::Labels(labels) => Ok(labels),
            other => Err(unexpected(name, "labels", other)),
        }
    }

    /// The image of this name.
    ///
    /// # Errors
    /// As [`Outputs::tensor`].
    pub fn image(&self, name: &str) -> Result<&RgbImage> {
        match self.find(name)? {
            Value::Image(image) => Ok(image),
            other => Err(unexpected(name, "an RGB image", other)),
        }
    }

    /// The class of each pixel, for a graph with one output: labels as they are, a tensor of scores by its largest
    /// channel (computed here on the host; a graph that ends in `argmax_channels` reads back a byte a pixel instead).
    ///
    /// # Errors
    /// [`Error::Graph`] if there are several outputs or the only one is neither.
    pub fn argmax_channels(&self) -> Result<Labels> {
        match self.values.as_slice() {
            [(_, Value::Labels(labels))] => Ok(labels.clone()),
            [(_, Value::Tensor(scores))] => reference::argmax_channels(scores),
            [(name, other)] => Err(unexpected(name, "scores or labels", other)),
            _ => {
                let message = format!("there are {} outputs ({}), not one", self.values.len(), self.names());
                Err(Error::Graph(format!("{message}; ask for one by name")))
            }
        }
    }

    /// The values themselves, in the order in which the outputs were declared.
    #[must_use]
    pub fn into_values(self) -> Vec<(String, Value)> {
        self.values
    }

    /// Takes the output of this name out, if there is one.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let position = self.values.iter().position(|(other, _)| other == name)?;
        Some(self.values.swap_remove(position).1)
    }

    fn find(&self, name: &str) -> Result<&Value> {
        self.get(name)
            .ok_or_else(|| Error::Graph(format!("there is no output `{name}`; the outputs are {}", self.names())))
    }

    fn names(&self) -> String {
        self.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}

impl FromIterator<(String, Value)> for Outputs {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        Self { values: values.into_iter().collect() }
    }
}

fn unexpected(name: &str, expected: &str, found: &Value) -> Error {
    Error::Graph(format!("output `{name}` is {}, not {expected}", found.kind()))
}
