//! One node by the reference operators.

use std::borrow::Cow;

use super::{Arithmetic, Graph, Node, Operation, ValueRef};
use crate::error::{Error, Result};
use crate::op::{Conv2d, MaxPool2d};
use crate::reference::{self, Answer};
use crate::tensor::{Labels, RgbImage, Switches, Tensor, Value};
use crate::weights::Weights;

/// What the reference says about one result of a node.
pub(super) enum Evaluation {
    /// Sums, each with the bound that an f32 result must keep.
    Rounded(Answer),
    /// Values that are only moved or chosen, and must be equal.
    Exact(Value),
    /// Classes by scores that were rounded and not kept: each must be the class of the best score, or of one so near to it that
    /// rounding may have put it there.
    Best {
        /// The scores.
        scores: Answer,
        /// The classes by the scores as they are here.
        labels: Labels,
    },
    /// Switches into a map of sums, of which rounding may have made any close one the largest.
    Switches(MaxPool2d, Answer),
}

impl Evaluation {
    fn tensor(tensor: Tensor) -> Self {
        Self::Exact(Value::Tensor(tensor))
    }

    fn into_value(self) -> Result<Value> {
        Ok(match self {
            Self::Rounded(answer) => Value::Tensor(answer.tensor()),
            Self::Exact(value) => value,
            Self::Best { labels, .. } => Value::Labels(labels),
            Self::Switches(op, map) => Value::Switches(reference::max_pool2d(&op, &map.tensor())?.1),
        })
    }

    /// What is wrong with `found`, or `None`.
    pub(super) fn mismatch(&self, found: ValueRef) -> Option<String> {
        match (self, found) {
            (Self::Rounded(answer), ValueRef::Tensor(found)) => answer.check(found).err().map(|m| m.to_string()),
            (Self::Exact(Value::Tensor(expected)), ValueRef::Tensor(found)) => {
                Answer::from(expected).check(found).err().map(|m| m.to_string())
            }
            (Self::Switches(op, map), ValueRef::Switches(found)) => reference::switches_of_sums(op, map, found),
            (Self::Exact(Value::Switches(expected)), ValueRef::Switches(found)) => {
                differing(expected.indices(), found.indices())
            }
            (Self::Exact(Value::Labels(expected)), ValueRef::Labels(found)) => differing(expected.data(), found.data()),
            (Self::Exact(Value::Image(expected)), ValueRef::Image(found)) => differing(expected.data(), found.data()),
            (Self::Best { scores, labels }, ValueRef::Labels(found)) => not_best(scores, labels, found),
            _ => Some(format!("{}, another kind of value than the reference's", found.value_type())),
        }
    }
}

fn differing<T: PartialEq + std::fmt::Display>(expected: &[T], found: &[T]) -> Option<String> {
    if expected.len() != found.len() {
        return Some(format!("{} elements, expected {}", found.len(), expected.len()));
    }
    let wrong = || expected.iter().zip(found).enumerate().filter(|(_, (expected, found))| expected != found);
    let (position, (expected, found)) = wrong().next()?;
    Some(format!("{} wrong elements, the first at {position}: {found}, expected {expected}", wrong().count()))
}

/// The first pixel whose class differs from that of the best score by more than rounding explains.
fn not_best(scores: &Answer, labels: &Labels, found: &Labels) -> Option<String> {
    if (labels.count(), labels.extent()) != (found.count(), found.extent()) {
        return differing(labels.data(), found.data()).or_else(|| Some("labels of another extent".to_owned()));
    }
    let shape = scores.shape();
    let might_be_best = |pixel: usize, class: usize| {
        let [n, _, i, j] = shape.with_channels(1).position(pixel);
        let sum = |c| scores.sums()[shape.index([n, c, i, j])];
        let numbers = (0..shape.c).map(sum).filter(|sum| !sum.value.is_nan());
        let most = numbers.map(|sum| sum.value - sum.bound()).fold(f64::NEG_INFINITY, f64::max);
        class < shape.c && sum(class).value + sum(class).bound() >= most
    };
    let pairs = labels.data().iter().zip(found.data()).enumerate();
    let mut wrong =
        pairs.filter(|&(pixel, (expected, &found))| *expected != found && !might_be_best(pixel, found.into()));
    let (pixel, (expected, found)) = wrong.next()?;
    Some(format!("{} wrong classes, the first at {pixel}: {found}, expected {expected}", 1 + wrong.count()))
}

/// The weights that a node reads, decoded.
pub(super) fn parameters<'g>(graph: &'g Graph, node: &Node, weights: &Weights) -> Result<Vec<Cow<'g, Tensor>>> {
    let decode = |&position: &usize| {
        let parameter = graph.parameter(position);
        match parameter.constant() {
            Some(constant) => Ok(Cow::Borrowed(constant)),
            None => weights.tensor(parameter.name()).map(Cow::Owned),
        }
    };
    node.parameters().iter().map(decode).collect()
}

/// A node's results, each sum with the bound of such arithmetic.
pub(super) fn evaluate(
    node: &Node,
    inputs: &[ValueRef],
    parameters: &[Cow<Tensor>],
    arithmetic: Arithmetic,
) -> Result<Vec<Evaluation>> {
    let operands = Operands { node, inputs, parameters, arithmetic };
    operands.evaluate().map_err(|error| error.at_node(node.name()))
}

/// A node's results alone, which is faster where there are long sums.
pub(super) fn values(node: &Node, inputs: &[ValueRef], parameters: &[Cow<Tensor>]) -> Result<Vec<Value>> {
    let operands = Operands { node, inputs, parameters, arithmetic: Arithmetic::default() };
    operands.values().map_err(|error| error.at_node(node.name()))
}

/// What a node's operator is applied to.
#[derive(Clone, Copy)]
struct Operands<'a> {
    node: &'a Node,
    inputs: &'a [ValueRef<'a>],
    parameters: &'a [Cow<'a, Tensor>],
    arithmetic: Arithmetic,
}

impl<'a> Operands<'a> {
    fn values(self) -> Result<Vec<Value>> {
        match self.node.operation() {
            Operation::Conv2d(op) => {
                Ok(vec![Value::Tensor(reference::conv2d_values(op, self.x()?, self.weight()?, self.bias())?)])
            }
            Operation::ConvTranspose2d(op) => {
                let map = reference::conv_transpose2d_values(op, self.x()?, self.weight()?, self.bias())?;
                Ok(vec![Value::Tensor(map)])
            }
            Operation::ConvTranspose2dArgmax(op) => {
                let scores = reference::conv_transpose2d_values(op, self.x()?, self.weight()?, self.bias())?;
                Ok(vec![Value::Labels(reference::argmax_channels(&scores)?)])
            }
            Operation::Conv2dMaxPool2d { conv, pool, switches } => {
                let map = reference::conv2d_values(conv, self.x()?, self.weight()?, self.bias())?;
                let (maxima, positions) = reference::max_pool2d(pool, &map)?;
                let positions = switches.then_some(Value::Switches(positions));
                Ok([Value::Tensor(maxima)].into_iter().chain(positions).collect())
            }
            _ => self.evaluate()?.into_iter().map(Evaluation::into_value).collect(),
        }
    }

    fn evaluate(self) -> Result<Vec<Evaluation>> {
        use Evaluation::{Exact, Rounded};
        let result = match self.node.operation() {
            Operation::Input => return Err(self.unfit("a run's input", "no operator")),
            Operation::Conv2d(op) => Rounded(self.conv2d(op)?),
            Operation::Conv2dMaxPool2d { conv, pool, switches } => {
                let map = self.conv2d(conv)?;
                let maxima = Rounded(reference::max_pool2d_sums(pool, &map)?);
                let positions = switches.then(|| Evaluation::Switches(*pool, map));
                return Ok([maxima].into_iter().chain(positions).collect());
            }
            Operation::ConvTranspose2d(op) => {
                let (x, w, bias) = (self.x()?, self.weight()?, self.bias());
                Rounded(self.arithmetic.conv_transpose2d(op, x, w, bias)?)
            }
            Operation::MaxPool2d(op) => Evaluation::tensor(reference::max_pool2d(op, self.x()?)?.0),
            Operation::MaxPool2dSwitches(op) => {
                let (maxima, switches) = reference::max_pool2d(op, self.x()?)?;
                return Ok(vec![self.stored(Evaluation::tensor(maxima)), Exact(Value::Switches(switches))]);
            }
            Operation::MaxUnpool2d(op) => {
                Evaluation::tensor(reference::max_unpool2d(op, self.x()?, self.switches(1)?)?)
            }
            Operation::Relu => Evaluation::tensor(reference::relu(self.x()?)?),
            Operation::Add => Rounded(reference::add(self.x()?, self.tensor(1)?)?),
            Operation::Crop(op) => Evaluation::tensor(reference::crop(op, self.x()?)?),
            Operation::Pad(op) => Evaluation::tensor(reference::pad(op, self.x()?)?),
            Operation::CropAdd(op) => Rounded(reference::crop_add(op, self.x()?, self.tensor(1)?)?),
            Operation::Concat => {
                let inputs =
                    (0..self.inputs.len()).map(|position| self.tensor(position)).collect::<Result<Vec<_>>>()?;
                Evaluation::tensor(reference::concat(&inputs)?)
            }
            Operation::Slice(op) => Evaluation::tensor(reference::slice(op, self.x()?)?),
            Operation::Scale => Rounded(reference::scale(self.x()?, self.weight()?, self.bias())?),
            Operation::BatchNorm(op) => Rounded(reference::batch_norm(op, self.x()?, self.vectors()?)?),
            Operation::LocalResponseNorm(op) => Rounded(reference::local_response_norm(op, self.x()?)?),
            Operation::SoftmaxChannels => Rounded(reference::softmax_channels(self.x()?)?),
            Operation::ArgmaxChannels => Exact(Value::Labels(reference::argmax_channels(self.x()?)?)),
            Operation::ConvTranspose2dArgmax(op) => {
                let scores = reference::conv_transpose2d(op, self.x()?, self.weight()?, self.bias())?;
                let labels = reference::argmax_channels(&scores.tensor())?;
                Evaluation::Best { scores, labels }
            }
            Operation::Normalize(op) => Rounded(reference::normalize(op, self.image(0)?)?),
            Operation::Colorize(palette) => Exact(Value::Image(reference::colorize(self.labels(0)?, palette)?)),
        };
        Ok(vec![self.stored(result)])
    }

    /// With the bound of the form in which it is kept, but for convolutions, whose arithmetic has seen to that.
    fn stored(self, result: Evaluation) -> Evaluation {
        let convolution = matches!(self.node.operation(), Operation::Conv2d(_) | Operation::ConvTranspose2d(_));
        match result {
            Evaluation::Rounded(answer) if !convolution => Evaluation::Rounded(self.arithmetic.stored(answer)),
            Evaluation::Exact(Value::Tensor(tensor)) if self.arithmetic.half_result => {
                Evaluation::Rounded(Answer::from(&tensor).in_half())
            }
            other => other,
        }
    }

    fn conv2d(self, op: &Conv2d) -> Result<Answer> {
        self.arithmetic.conv2d(op, self.x()?, self.weight()?, self.bias())
    }

    fn x(self) -> Result<&'a Tensor> {
        self.tensor(0)
    }

    fn tensor(self, position: usize) -> Result<&'a Tensor> {
        match self.inputs.get(position) {
            Some(ValueRef::Tensor(tensor)) => Ok(tensor),
            other => Err(self.unfit("a tensor", kind(other))),
        }
    }

    fn switches(self, position: usize) -> Result<&'a Switches> {
        match self.inputs.get(position) {
            Some(ValueRef::Switches(switches)) => Ok(switches),
            other => Err(self.unfit("switches", kind(other))),
        }
    }

    fn labels(self, position: usize) -> Result<&'a Labels> {
        match self.inputs.get(position) {
            Some(ValueRef::Labels(labels)) => Ok(labels),
            other => Err(self.unfit("labels", kind(other))),
        }
    }

    fn image(self, position: usize) -> Result<&'a RgbImage> {
        match self.inputs.get(position) {
            Some(ValueRef::Image(image)) => Ok(image),
            other => Err(self.unfit("an RGB image", kind(other))),
        }
    }

    fn weight(self) -> Result<&'a Tensor> {
        self.parameters.first().map(AsRef::as_ref).ok_or_else(|| self.unfit("a weight", "none"))
    }

    fn bias(self) -> Option<&'a Tensor> {
        self.parameters.get(1).map(AsRef::as_ref)
    }

    /// The four vectors of a batch norm.
    fn vectors(self) -> Result<[&'a Tensor; 4]> {
        let vectors: Vec<&Tensor> = self.parameters.iter().map(AsRef::as_ref).collect();
        vectors.try_into().map_err(|found: Vec<_>| self.unfit("four vectors", found.len()))
    }

    fn unfit(self, expected: &str, found: impl ToString) -> Error {
        Error::operand(self.node.operation().name(), "operand", expected, found)
    }
}

fn kind(value: Option<&ValueRef>) -> String {
    value.map_or_else(|| "missing".to_owned(), |value| value.value_type().to_string())
}
