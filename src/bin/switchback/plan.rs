//! `switchback plan`: what a network would do and take, without doing it.

use std::path::PathBuf;

use switchback::gpu::Caps;

use crate::Result;
use crate::adapter::AdapterArgs;
use crate::console::print;
use crate::model::Model;

/// Show a network's layers, shapes, multiply-adds, parameters, buffers and peak memory
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  switchback plan --model fcn8s --size 500x500
  switchback plan --model segnet --webgpu
  switchback plan --model fcn8s --webgpu --element f16
  switchback plan --size 128x128 --weights examples/digits/fcn8s-digits.safetensors --webgpu")]
pub(crate) struct Args {
    /// Which network
    #[arg(long, value_name = "MODEL", default_value = "fcn8s", value_parser = crate::model::any())]
    model: Model,
    /// Rows and columns of the image [default: those that the network was published for]
    #[arg(long, value_name = "ROWSxCOLUMNS", value_parser = crate::extents::extent)]
    size: Option<[usize; 2]>,
    /// Weights whose widths and classes to take, instead of the published network's, and whose zeros to look for
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Classes of the published network [default: as many as it was published with]
    #[arg(long, value_name = "N", conflicts_with = "weights")]
    classes: Option<usize>,
    /// Plan for the limits that every WebGPU device guarantees; no adapter is opened
    #[arg(long, conflicts_with_all = ["choice", "tuning"])]
    webgpu: bool,
    #[command(flatten)]
    adapter: AdapterArgs,
}

pub(crate) fn run(args: &Args) -> Result {
    let (network, weights) = args.model.open_or_published(args.weights.as_deref(), args.classes)?;
    let mut graph = network.graph_from_image(args.size.unwrap_or(args.model.published_extent()))?;
    if args.weights.is_some() {
        // As a session does, which has the weights too.
        let folded = graph.fold();
        graph = folded.graph().with_diagonal_weights_apart(&folded.weights(&weights)?)?;
    }
    if args.webgpu {
        return print(graph.plan_in(&Caps::WEBGPU, &args.adapter.elements()?)?);
    }
    let gpu = args.adapter.open_gpu("planning for a device (other than with `--webgpu`)")?;
    print(format_args!("on {}", gpu.info()))?;
    print(gpu.plan(&graph)?)
}
