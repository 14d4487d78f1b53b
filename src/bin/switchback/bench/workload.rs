//! What to measure: from the words on the command line to graphs with operands.

mod convolution;
mod pooling;

use std::str::FromStr;

use clap::Subcommand;
use switchback::graph::Inputs;
use switchback::kernel::AnyVariant;
use switchback::net::Head;
use switchback::reference::half_tensor;
use switchback::weights::Weights;
use switchback::{Graph, Shape, Tensor, Value};

use super::data;
use super::network::{FcnArgs, NetworkArgs};
use crate::Result;
use crate::model::Model;
use convolution::{Convolution, Transposed, Upsampling};
use pooling::{Pooling, Unpooling};

/// A graph with its operands.
pub(super) struct Workload {
    pub(super) label: String,
    pub(super) graph: Graph,
    pub(super) weights: Weights,
    /// The kernel variant to take, if not the library's choice.
    pub(super) variant: Option<AnyVariant>,
    /// Whether it is no error if the variant cannot do this.
    pub(super) optional: bool,
    /// Whether it is a network, measured layer by layer and whole, and not an operator.
    pub(super) network: bool,
    pub(super) inputs: Vec<(String, Value)>,
}

impl Workload {
    pub(super) fn inputs(&self) -> Inputs<'_> {
        self.inputs.iter().fold(Inputs::new(), |inputs, (name, value)| inputs.with(name, value))
    }

    /// The same with tensors rounded to what f16 holds.
    pub(super) fn rounded(&self) -> Self {
        let round = |value: &Value| match value {
            Value::Tensor(tensor) => Value::Tensor(half_tensor(tensor)),
            other => other.clone(),
        };
        let inputs = self.inputs.iter().map(|(name, value)| (name.clone(), round(value))).collect();
        Self { inputs, label: self.label.clone(), graph: self.graph.clone(), weights: self.weights.clone(), ..*self }
    }

    /// Whether measured variants could be taken: there are convolutions, and no variant is asked for.
    pub(super) fn may_be_tuned(&self) -> bool {
        let is_tunable = |name| name == "conv2d" || name == "conv_transpose2d";
        self.variant.is_none() && self.graph.nodes().iter().any(|node| is_tunable(node.operation().name()))
    }

    /// An input that is a tensor.
    pub(super) fn input(&self, name: &str) -> Option<&Tensor> {
        self.inputs.iter().find_map(|(other, value)| match value {
            Value::Tensor(tensor) if other == name => Some(tensor),
            _ => None,
        })
    }
}

/// The workloads of the command line.
#[derive(Clone, Subcommand)]
#[command(rename_all = "snake_case")]
pub(super) enum Command {
    /// One convolution
    Conv2d(Convolution),
    /// One transposed convolution
    ConvTranspose2d(Transposed),
    /// One max pooling, with and without switches
    MaxPool2d(Pooling),
    /// One max unpooling, of the switches of a pooling
    MaxUnpool2d(Unpooling),
    /// One upsampling by every variant of the transposed convolution, beside a convolution of as many useful multiply-adds
    Upsampling(Upsampling),
    /// FCN-8s, layer by layer and whole
    Fcn8s(FcnArgs),
    /// FCN on AlexNet, layer by layer and whole
    #[command(name = "fcn-alexnet")]
    FcnAlexNet(FcnArgs),
    /// SegNet, layer by layer and whole
    #[command(name = "segnet")]
    SegNet(NetworkArgs),
    /// SegNet-Basic, layer by layer and whole
    #[command(name = "segnet-basic")]
    SegNetBasic(NetworkArgs),
    /// DeconvNet, layer by layer and whole
    #[command(name = "deconvnet")]
    DeconvNet(NetworkArgs),
    /// VGG16 made fully convolutional, layer by layer and whole
    Vgg16(NetworkArgs),
}

impl Default for Command {
    fn default() -> Self {
        Self::Fcn8s(FcnArgs::default())
    }
}

/// Which kernels to measure.
#[derive(Clone, clap::Args)]
struct VariantArgs {
    /// Kernel variant: a name, `all`, or `best` (the library's choice)
    #[arg(long = "variant", value_name = "NAME|all|best", default_value = "best")]
    variant: String,
}

impl Command {
    /// The workloads, one a variant.
    pub(super) fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
        match self {
            Self::Conv2d(args) => args.workloads(seed),
            Self::ConvTranspose2d(args) => args.workloads(seed),
            Self::MaxPool2d(args) => args.workloads(seed),
            Self::MaxUnpool2d(args) => args.workloads(seed),
            Self::Upsampling(args) => args.workloads(seed),
            Self::Fcn8s(args) => args.workloads(Model::Fcn(Head::Stride8), seed),
            Self::FcnAlexNet(args) => args.workloads(Model::FcnAlexNet, seed),
            Self::SegNet(args) => args.workloads(Model::SegNet, seed),
            Self::SegNetBasic(args) => args.workloads(Model::SegNetBasic, seed),
            Self::DeconvNet(args) => args.workloads(Model::DeconvNet, seed),
            Self::Vgg16(args) => args.workloads(Model::Vgg16, seed),
        }
    }
}

impl VariantArgs {
    /// The variants that were asked for; `None` is the library's choice.
    fn choose<V: FromStr<Err = switchback::Error> + Copy + Into<AnyVariant>>(
        &self,
        all: &[V],
    ) -> Result<Vec<Option<AnyVariant>>> {
        match self.variant.as_str() {
            "best" => Ok(vec![None]),
            "all" => Ok(all.iter().map(|&variant| Some(variant.into())).collect()),
            name => Ok(vec![Some(name.parse::<V>()?.into())]),
        }
    }
}

/// One operator between an input and an output, once for each variant.
fn single(
    label: &str,
    variants: Vec<Option<AnyVariant>>,
    input: Shape,
    seed: u64,
    build: impl Fn(&mut switchback::GraphBuilder, switchback::Edge) -> Result<(), switchback::Error>,
) -> Result<Vec<Workload>> {
    let several = variants.len() > 1;
    let workload = |variant| {
        let mut g = Graph::builder();
        let x = g.input("input", input)?;
        build(&mut g, x)?;
        let graph = g.build()?;
        let required = graph.weights_required();
        let mut weights = Weights::new();
        for (position, (name, shape)) in required.into_iter().enumerate() {
            weights.insert(name, &data::tensor(shape, seed.wrapping_add(1 + position as u64))?);
        }
        let inputs = vec![("input".to_owned(), Value::Tensor(data::tensor(input, seed)?))];
        let (label, optional) = (label.to_owned(), several);
        Ok(Workload { label, graph, weights, variant, optional, network: false, inputs })
    };
    variants.into_iter().map(workload).collect()
}
