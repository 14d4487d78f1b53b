//! `switchback plan`: what a network would do and take, without doing it.

use std::path::PathBuf;

use switchback::gpu::{Caps, Gpu};
use switchback::net::{Fcn, Head};
use switchback::weights::Weights;

use crate::Result;
use crate::adapter::AdapterArgs;
use crate::console::print;

/// Show a network's layers, shapes, multiply-adds, parameters, buffers and peak memory
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  switchback plan --model fcn8s --size 500x500
  switchback plan --model fcn8s --size 128x128 --weights examples/digits/fcn8s-digits.safetensors --webgpu")]
pub(crate) struct Args {
    /// Which network
    #[arg(long = "model", value_name = "MODEL", default_value = "fcn8s", value_parser = crate::model::heads())]
    head: Head,
    /// Rows and columns of the image
    #[arg(long, value_name = "ROWSxCOLUMNS", default_value = "500x500", value_parser = crate::extents::extent)]
    size: [usize; 2],
    /// Weights whose widths and classes to take, instead of the published network's, and whose zeros to look for
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Classes of the published network
    #[arg(long, value_name = "N", default_value_t = 21, conflicts_with = "weights")]
    classes: usize,
    /// Plan for the limits that every WebGPU device guarantees; no adapter is opened
    #[arg(long, conflicts_with = "choice")]
    webgpu: bool,
    #[command(flatten)]
    adapter: AdapterArgs,
}

pub(crate) fn run(args: &Args) -> Result {
    let graph = match &args.weights {
        Some(path) => {
            let weights = Weights::open(path)?;
            let network =
                Fcn::from_weights(args.head, &weights).map_err(|error| format!("{}: {error}", path.display()))?;
            // As a session does, which has the weights too.
            network.labels_from_image(args.size)?.with_diagonal_weights_apart(&weights)?
        }
        None => Fcn::published(args.head, args.classes).labels_from_image(args.size)?,
    };
    let caps = if args.webgpu { Caps::WEBGPU } else { args.caps()? };
    print(graph.plan(&caps)?)
}

impl Args {
    fn caps(&self) -> Result<Caps> {
        let gpu: Gpu = self.adapter.open_gpu("planning for a device (other than with `--webgpu`)")?;
        print(format_args!("on {}", gpu.info()))?;
        Ok(*gpu.caps())
    }
}
