//! Pooling and unpooling, one at a time.

use switchback::kernel::max_unpool2d;
use switchback::{MaxPool2d, Padding, Rounding, Shape};

use super::{VariantArgs, Workload, single};
use crate::Result;
use crate::extents::{extent, padding, shape};

#[derive(Clone, clap::Args)]
#[command(after_help = "Example:\n  switchback bench max_pool2d --input 1x64x698x698 --kernel 2 --rounding caffe")]
pub(in crate::bench) struct Pooling {
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
pub(in crate::bench) struct Unpooling {
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

impl Pooling {
    pub(super) fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
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
    pub(super) fn workloads(&self, seed: u64) -> Result<Vec<Workload>> {
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
