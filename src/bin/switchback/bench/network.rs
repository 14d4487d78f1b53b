//! Whole networks as workloads: published ones with seeded weights, or those of a file.

use std::path::PathBuf;

use switchback::weights::Weights;
use switchback::{RgbImage, Shape, Value};

use super::data;
use super::workload::Workload;
use crate::Result;
use crate::extents::extent;
use crate::model::Model;

#[derive(Clone, Default, clap::Args)]
#[command(after_help = "\
Examples:
  switchback bench fcn8s --size 500x500 --json fcn8s.jsonl
  switchback bench segnet
  switchback bench segnet-basic --weights segnet_basic.caffemodel
  switchback bench deconvnet --slim 4
  switchback bench fcn-alexnet
  switchback bench vgg16")]
pub(super) struct NetworkArgs {
    /// Rows and columns of the image [default: those that the network was published for]
    #[arg(long, value_name = "ROWSxCOLUMNS", value_parser = extent)]
    size: Option<[usize; 2]>,
    /// Divide all channel widths but the classes' by this
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    slim: Option<u16>,
    /// Weights to take instead of seeded ones
    #[arg(long, value_name = "FILE", conflicts_with = "slim")]
    weights: Option<PathBuf>,
}

/// Of networks that are published with bilinear upsampling.
#[derive(Clone, Default, clap::Args)]
pub(super) struct FcnArgs {
    #[command(flatten)]
    network: NetworkArgs,
    /// Upsample by bilinear weights, as FCN is published, instead of seeded ones
    #[arg(long, conflicts_with = "weights")]
    bilinear: bool,
}

impl FcnArgs {
    pub(super) fn workloads(&self, model: Model, seed: u64) -> Result<Vec<Workload>> {
        self.network.of_weights(model, seed, self.bilinear)
    }
}

impl NetworkArgs {
    pub(super) fn workloads(&self, model: Model, seed: u64) -> Result<Vec<Workload>> {
        self.of_weights(model, seed, false)
    }

    /// The network from an image to labels, [folded](switchback::Graph::fold) so that its nodes are those that run.
    fn of_weights(&self, model: Model, seed: u64, bilinear: bool) -> Result<Vec<Workload>> {
        let (network, weights) = match &self.weights {
            Some(path) => model.open(path)?,
            None => {
                let network = model.published(None, self.slim.unwrap_or(1).into());
                let required = network.weights_required();
                let mut weights = Weights::random(required.clone(), seed)?;
                let upsamplings = required.into_iter().filter(|(name, _)| bilinear && name.starts_with("upscore"));
                for (name, shape) in upsamplings {
                    weights.insert(&name, &switchback::bilinear_weight(shape)?);
                }
                (network, weights)
            }
        };
        let size = self.size.unwrap_or(model.published_extent());
        let [rows, columns] = size;
        let bytes = data::tensor(Shape::from([1, 3, rows, columns]), seed)?;
        let pixels = bytes.data().iter().map(|value| ((value + 1.0) * 127.0) as u8).collect();
        let folded = network.graph_from_image(size)?.fold();
        Ok(vec![Workload {
            label: format!("{} {rows}x{columns}", model.name()),
            graph: folded.graph().clone(),
            weights: folded.weights(&weights)?,
            variant: None,
            optional: false,
            network: true,
            inputs: vec![("image".to_owned(), Value::Image(RgbImage::new(size, pixels)?))],
        }])
    }
}
