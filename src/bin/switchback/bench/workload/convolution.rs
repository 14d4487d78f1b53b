//! Convolutions and transposed convolutions, one at a time.

use switchback::kernel::{conv_transpose2d, conv2d};
use switchback::{Conv2d, ConvTranspose2d, Padding, Parameters, Shape};

use super::{VariantArgs, Workload, single};
use crate::Result;
use crate::extents::{extent, padding, shape};

#[derive(Clone, clap::Args)]
#[command(after_help = "Example:\n  switchback bench conv2d --input 1x64x112x112 --weight 64x64x3x3 --pad 1 --relu")]
pub(in crate::bench) struct Convolution {
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
pub(in crate::bench) struct Transposed {
    /// As for conv2d; the weight is input channels x output channels a group x rows x columns
    #[command(flatten)]
    convolution: Convolution,
    /// Rows and columns to add at the bottom and the right: A or ROWSxCOLUMNS
    #[arg(long, value_name = "A", default_value = "0x0", value_parser = output_padding)]
    output_padding: [usize; 2],
}

#[derive(Clone, clap::Args)]
#[command(after_help = "\
Examples:
  switchback bench upsampling
  switchback bench upsampling --input 1x128x28x28 --weight 128x128x2x2 --stride 2 --json rows.jsonl")]
pub(in crate::bench) struct Upsampling {
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
    match padding(text) {
        Ok(Padding { top, left, .. }) if !text.contains(',') => Ok([top, left]),
        _ => Err("expected one number or ROWSxCOLUMNS".to_owned()),
    }
}

impl Convolution {
    fn parameters(&self) -> Parameters {
        let parameters = Parameters::weight("weight");
        if self.bias { parameters.bias("bias") } else { parameters }
    }

    pub(super) fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
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
    pub(super) fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
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
    pub(super) fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
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
