//! What to measure: from the words on the command line to graphs with operands.

use std::str::FromStr;

use clap::Subcommand;
use switchback::graph::Inputs;
use switchback::kernel::{AnyVariant, conv_transpose2d, conv2d, max_unpool2d};
use switchback::net::Head;
use switchback::reference::half_tensor;
use switchback::weights::Weights;
use switchback::{Conv2d, ConvTranspose2d, Graph, MaxPool2d, Padding, Parameters, Rounding, Shape, Tensor, Value};

use super::data;
use super::network::NetworkArgs;
use crate::Result;
use crate::extents::{extent, padding, shape};
use crate::model::Model;

/// A graph with its operands.
pub(super) struct Workload {
    pub(super) label: String,
    pub(super) graph: Graph,
    pub(super) weights: Weights,
    /// The kernel variant to take, if not the library's choice.
    pub(super) variant: Option<AnyVariant>,
    /// Whether it is no error if the variant cannot do this.
    pub(super) optional: bool,
    /// Whether the run as a whole is measured too.
    pub(super) whole: bool,
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
    Fcn8s(NetworkArgs),
    /// FCN on AlexNet, layer by layer and whole
    #[command(name = "fcn-alexnet")]
    FcnAlexNet(NetworkArgs),
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
        Self::Fcn8s(NetworkArgs::default())
    }
}

/// Which kernels to measure.
#[derive(Clone, clap::Args)]
struct VariantArgs {
    /// Kernel variant: a name, `all`, or `best` (the library's choice)
    #[arg(long = "variant", value_name = "NAME|all|best", default_value = "best")]
    variant: String,
}

#[derive(Clone, clap::Args)]
#[command(after_help = "Example:\n  switchback bench conv2d --input 1x64x112x112 --weight 64x64x3x3 --pad 1 --relu")]
pub(super) struct Convolution {
    /// Input: images x channels x rows x columns
    #[arg(long, value_name = "NxCxHxW", value_parser = shape)]
    input: Shape,
    /// Weight: output channels x input channels a group x rows x columns
    #[arg(long, value_name = "OxCxHxW", value_parser = shape)]
    weight: Shape,
    /// Step in rows and columns
    #[arg(long, value_name = "S", default_value = "1", value_parser = extent)]
    stride: [usize; 2],
    /// Border of zeros: P, ROWSxCOLUMNS or TOP,BOTTOM,LEFT,RIGHT
    #[arg(long, value_name = "P", default_value = "0", value_parser = padding)]
    pad: Padding,
    /// Distance between taps
    #[arg(long, value_name = "D", default_value = "1", value_parser = extent)]
    dilation: [usize; 2],
    /// Channel groups
    #[arg(long, value_name = "G", default_value_t = 1)]
    groups: usize,
    /// With a bias
    #[arg(long)]
    bias: bool,
    /// With a fused ReLU
    #[arg(long)]
    relu: bool,
    #[command(flatten)]
    variant: VariantArgs,
}

#[derive(Clone, clap::Args)]
#[command(after_help = "\
Example:
  switchback bench conv_transpose2d --input 1x21x34x34 --weight 21x21x16x16 --stride 8 --variant all")]
pub(super) struct Transposed {
    /// As for conv2d; the weight is input channels x output channels a group x rows x columns
    #[command(flatten)]
    convolution: Convolution,
    /// Rows and columns to add at the bottom and the right
    #[arg(long, value_name = "A", default_value = "0x0", value_parser = output_padding)]
    output_padding: [usize; 2],
}

#[derive(Clone, clap::Args)]
#[command(after_help = "Example:\n  switchback bench max_pool2d --input 1x64x698x698 --kernel 2 --rounding caffe")]
pub(super) struct Pooling {
    /// Input: images x channels x rows x columns
    #[arg(long, value_name = "NxCxHxW", value_parser = shape)]
    input: Shape,
    /// Rows and columns of a window
    #[arg(long, value_name = "K", default_value = "2", value_parser = extent)]
    kernel: [usize; 2],
    /// Step in rows and columns [default: the kernel]
    #[arg(long, value_name = "S", value_parser = extent)]
    stride: Option<[usize; 2]>,
    /// Border: P, ROWSxCOLUMNS or TOP,BOTTOM,LEFT,RIGHT
    #[arg(long, value_name = "P", default_value = "0", value_parser = padding)]
    pad: Padding,
    /// Distance between the cells of a window
    #[arg(long, value_name = "D", default_value = "1", value_parser = extent)]
    dilation: [usize; 2],
    /// What happens to a last partial window
    #[arg(long, value_name = "RULE", default_value = "floor", value_parser = ["floor", "ceil", "caffe"])]
    rounding: String,
    /// `values`, `switches` (values and where they came from), `all`, or `best` (values)
    #[arg(long, value_name = "NAME|all|best", default_value = "best", value_parser = ["values", "switches", "all", "best"])]
    variant: String,
}

#[derive(Clone, clap::Args)]
#[command(after_help = "Example:\n  switchback bench max_unpool2d --input 1x64x112x112 --kernel 2 --compact")]
pub(super) struct Unpooling {
    /// Input, the pooled map: images x channels x rows x columns
    #[arg(long, value_name = "NxCxHxW", value_parser = shape)]
    input: Shape,
    /// Rows and columns of the pooling's windows
    #[arg(long, value_name = "K", default_value = "2", value_parser = extent)]
    kernel: [usize; 2],
    /// The pooling's step [default: the kernel]
    #[arg(long, value_name = "S", value_parser = extent)]
    stride: Option<[usize; 2]>,
    /// Keep the switches from the caller, as a network does, so that they may be compact
    #[arg(long)]
    compact: bool,
    #[command(flatten)]
    variant: VariantArgs,
}

#[derive(Clone, clap::Args)]
#[command(after_help = "\
Examples:
  switchback bench upsampling
  switchback bench upsampling --input 1x128x28x28 --weight 128x128x2x2 --stride 2 --json upsampling.jsonl")]
pub(super) struct Upsampling {
    /// Input: images x channels x rows x columns
    #[arg(long, value_name = "NxCxHxW", default_value = "1x21x34x34", value_parser = shape)]
    input: Shape,
    /// Weight: input channels x output channels x rows x columns
    #[arg(long, value_name = "CxOxHxW", default_value = "21x21x16x16", value_parser = shape)]
    weight: Shape,
    /// Output rows and columns that an input step is worth
    #[arg(long, value_name = "S", default_value = "8", value_parser = extent)]
    stride: [usize; 2],
}

fn output_padding(text: &str) -> Result<[usize; 2], String> {
    let Padding { top, left, .. } = padding(text)?;
    Ok([top, left])
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
            weights.insert(name, &data::tensor(shape, seed + 1 + position as u64)?);
        }
        let inputs = vec![("input".to_owned(), Value::Tensor(data::tensor(input, seed)?))];
        let (label, optional) = (label.to_owned(), several);
        Ok(Workload { label, graph, weights, variant, optional, whole: false, inputs })
    };
    variants.into_iter().map(workload).collect()
}

impl Convolution {
    fn parameters(&self) -> Parameters {
        let parameters = Parameters::weight("weight");
        if self.bias { parameters.bias("bias") } else { parameters }
    }

    fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
        let op = Conv2d::new(self.weight.extent()).stride(self.stride).pad(self.pad);
        let op = op.dilation(self.dilation).groups(self.groups);
        let op = if self.relu { op.relu() } else { op };
        op.output_shape(self.input, self.weight, None)?;
        let variants = self.variant.choose(conv2d::Variant::ALL)?;
        single("conv2d", variants, self.input, seed, |g, x| {
            let y = g.conv2d_with("conv2d", x, op, self.weight.n, self.parameters())?;
            g.output(y)
        })
    }
}

impl Transposed {
    fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
        let args = &self.convolution;
        let op = ConvTranspose2d::new(args.weight.extent()).stride(args.stride).pad(args.pad);
        let op = op.dilation(args.dilation).groups(args.groups).output_padding(self.output_padding);
        let op = if args.relu { op.relu() } else { op };
        let output = op.output_shape(args.input, args.weight, None)?;
        let variants = args.variant.choose(conv_transpose2d::Variant::ALL)?;
        single("conv_transpose2d", variants, args.input, seed, |g, x| {
            let y = g.conv_transpose2d_with("conv_transpose2d", x, op, output.c, args.parameters())?;
            g.output(y)
        })
    }
}

impl Upsampling {
    /// The dense weight by every variant; then, if there are as many output as input channels, the bilinear one; last a
    /// convolution that computes as many cells with as many taps.
    fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
        let Self { input, weight, stride } = *self;
        let op = ConvTranspose2d::new(weight.extent()).stride(stride);
        let output = op.output_shape(input, weight, None)?;
        let all = VariantArgs { variant: "all".to_owned() }.choose(conv_transpose2d::Variant::ALL)?;
        let up = |name: &'static str| {
            move |g: &mut switchback::GraphBuilder, x| {
                let y = g.conv_transpose2d_with(name, x, op, output.c, Parameters::weight("weight"))?;
                g.output(y)
            }
        };
        let mut workloads = single("upsampling", all, input, seed, up("dense"))?;
        if weight.n == weight.c {
            let mut bilinear = single("upsampling", vec![None], input, seed, up("bilinear"))?;
            for workload in &mut bilinear {
                workload.weights.insert("weight", &switchback::bilinear_weight(weight)?);
            }
            workloads.append(&mut bilinear);
        }
        let taps = [weight.h.div_ceil(stride[0]), weight.w.div_ceil(stride[1])];
        let cells = Shape { h: output.h + taps[0] - 1, w: output.w + taps[1] - 1, ..input };
        workloads.extend(single("upsampling", vec![None], cells, seed, |g, x| {
            let y = g.conv2d_with("equal work", x, Conv2d::new(taps), output.c, Parameters::weight("weight"))?;
            g.output(y)
        })?);
        Ok(workloads)
    }
}

impl Pooling {
    fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
        let rounding = match self.rounding.as_str() {
            "ceil" => Rounding::Ceil,
            "caffe" => Rounding::Caffe,
            _ => Rounding::Floor,
        };
        let op = MaxPool2d::new(self.kernel).stride(self.stride.unwrap_or(self.kernel)).pad(self.pad);
        let op = op.dilation(self.dilation).rounding(rounding);
        let mut workloads = Vec::new();
        if self.variant != "switches" {
            workloads.extend(single("max_pool2d", vec![None], self.input, seed, |g, x| {
                let y = g.max_pool2d("max_pool2d", x, op)?;
                g.output(y)
            })?);
        }
        if ["switches", "all"].contains(&self.variant.as_str()) {
            workloads.extend(single("max_pool2d", vec![None], self.input, seed, |g, x| {
                let (y, switches) = g.max_pool2d_switches("max_pool2d", x, op)?;
                g.output(y)?;
                g.output(switches)
            })?);
        }
        Ok(workloads)
    }
}

impl Unpooling {
    /// A pooling of the smallest plane that gives the input's extent, and the unpooling of its switches.
    fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
        let (kernel, stride) = (self.kernel, self.stride.unwrap_or(self.kernel));
        let cells = |axis: usize| {
            let steps = (self.input.extent()[axis] - 1).checked_mul(stride[axis]);
            steps.and_then(|steps| steps.checked_add(kernel[axis])).ok_or("the origin of the switches is too large")
        };
        let origin = self.input.with_extent([cells(0)?, cells(1)?]);
        let variants = self.variant.choose(max_unpool2d::Variant::ALL)?;
        single("max_unpool2d", variants, origin, seed, |g, x| {
            let (pooled, switches) = g.max_pool2d_switches("max_pool2d", x, MaxPool2d::new(kernel).stride(stride))?;
            g.output(pooled)?;
            if !self.compact {
                g.output(switches)?;
            }
            let y = g.max_unpool2d("max_unpool2d", pooled, switches)?;
            g.output(y)
        })
    }
}
