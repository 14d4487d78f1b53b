//! `switchback tune`: which kernel variants are the fastest for a network on this device.

use std::path::PathBuf;

use crate::Result;
use crate::adapter::AdapterArgs;
use crate::console::{Progress, check_folder, report};
use crate::model::Model;

/// Measure every kernel variant of a network's convolutions and keep the fastest for `--tuning`
///
/// Nothing needs this: without it variants follow from shapes and device, as they always do in f16. The file is for this
/// device, its driver and this version; elsewhere it is ignored with a warning.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  switchback tune --model fcn8s --size 500x500 --out h200.tuning
  switchback segment photo.jpg --weights fcn8s.safetensors --tuning h200.tuning")]
pub(crate) struct Args {
    /// Which network
    #[arg(long, value_name = "MODEL", default_value = "fcn8s", value_parser = crate::model::any())]
    model: Model,
    /// Rows and columns of the image [default: those that the network was published for]
    #[arg(long, value_name = "ROWSxCOLUMNS", value_parser = crate::extents::extent)]
    size: Option<[usize; 2]>,
    /// Weights whose widths and classes to take, instead of the published network's
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "FILE", conflicts_with = "tuning")]
    out: PathBuf,
    #[command(flatten)]
    adapter: AdapterArgs,
}

pub(crate) fn run(args: &Args) -> Result {
    check_folder(&args.out)?;
    if args.adapter.elements()?.is_half() {
        return Err("tune measures kernels in f32, and the element is f16; leave `--element` out".into());
    }
    let (network, _) = args.model.open_or_published(args.weights.as_deref(), None)?;
    let graph = network.graph_from_image(args.size.unwrap_or(args.model.published_extent()))?;
    let gpu = args.adapter.open_gpu("tune")?;
    report(format_args!("on {}", gpu.info()))?;
    let progress = Progress::new(graph.nodes().len());
    let mut said = Ok(());
    let tuning = gpu.tune(&graph, |trial| {
        let line = format!("{:<16} {:<14} {:>10.3} ms", trial.node, trial.variant, 1e3 * trial.time.as_secs_f64());
        if said.is_ok() {
            said = progress.report(line);
        }
    })?;
    drop(progress);
    tuning.save(&args.out)?;
    said?;
    report(format_args!("{}: {} shapes", args.out.display(), tuning.iter().count()))
}
