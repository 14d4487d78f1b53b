//! `switchback visualize`: what units of a network respond to in an image.

use std::path::PathBuf;
use std::str::FromStr;

use switchback::graph::Inputs;
use switchback::net::{Activation, DeconvView, Region, Sight, plate};
use switchback::{RgbImage, Tensor, image};

use crate::Result;
use crate::adapter::{AdapterArgs, Prepared};
use crate::console::{Progress, check_folder, report};
use crate::model::{self, Model};

/// Most units that `topN` shows: a plate of ten rows.
const MOST: usize = 100;

/// Show what units of a network respond to: a deconvnet's projections beside the patches they come from
///
/// Forward to the layer with the poolings' switches, all activations but one set to zero, and back to pixels by unpooling,
/// ReLU and the same filters transposed (Zeiler and Fergus 2014). The left half of the picture holds the projections, grey
/// where nothing is; the right half the parts of the image that the activations look at, in the same order.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  The strongest activation of unit 17, and the nine units that respond most:
    switchback visualize photo.jpg --model vgg16 --weights vgg16.safetensors \\
        --layer conv4_3 --unit 17 --out 17.png
    switchback visualize photo.jpg --model vgg16 --weights vgg16.safetensors \\
        --layer conv4_3 --unit top9 --out top9.png
  The demo's digits:
    switchback visualize examples/digits/scene-4.png \\
        --weights examples/digits/fcn8s-digits.safetensors \\
        --layer conv3_3 --unit top9 --out digits.png")]
pub(crate) struct Args {
    /// A PNG or JPEG file
    image: PathBuf,
    /// Which network the weights are for
    #[arg(long, value_name = "MODEL", default_value = "fcn8s", value_parser = model::any())]
    model: Model,
    /// The weights: safetensors, .pth or .caffemodel, with the names that the network was published with
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// The layer, as `switchback plan` names it; VGG16's go by conv1_1 to conv5_3, pool1 to pool5, fc6 to fc8 too
    #[arg(long, value_name = "NAME")]
    layer: String,
    /// Which units, each by its strongest activation: a number from 0, or `topN`, those N that respond most
    #[arg(long, value_name = "N|topN", default_value = "top9")]
    unit: Units,
    /// The picture to write, a PNG
    #[arg(long, value_name = "PNG")]
    out: PathBuf,
    #[command(flatten)]
    adapter: AdapterArgs,
}

/// Which units of a layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Units {
    One(usize),
    Strongest(usize),
}

impl FromStr for Units {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let most = |count: &str| count.parse().ok().filter(|count| (1..=MOST).contains(count)).map(Self::Strongest);
        let units = text.strip_prefix("top").map_or_else(|| text.parse().ok().map(Self::One), most);
        units.ok_or_else(|| format!("expected a unit's number from 0, or top1 to top{MOST}"))
    }
}

impl Units {
    fn count(self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Strongest(count) => count,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result {
    check_folder(&args.out)?;
    let (network, weights) = args.model.open(&args.weights)?;
    let image = image::load(&args.image)?;
    let graph = network.graph_to_look_into(image.extent())?;
    let layer = network.node_name(&args.layer);
    let view = DeconvView::new(&graph, &weights, layer)?;
    let (name, channels) = (&args.layer, view.shape().c);
    if let Units::One(unit) = args.unit
        && unit >= channels
    {
        return Err(format!("`{name}` has no unit {unit}; its {channels} count from 0 to {}", channels - 1).into());
    }
    let engine = args.adapter.open()?;
    report(format_args!("{}, `{name}` ({}) on {}", network.title(), view.shape(), engine.name()))?;

    let progress = Progress::new(1 + args.unit.count());
    progress.doing("preparing");
    let prepared = engine.with(view.weights()).prepare(view.graph().clone())?;
    let mut looking = Looking { prepared, image: &image, progress: &progress };
    let activations = looking.run(&view.nothing()?, layer)?;
    let chosen = args.choose(&view, &activations)?;
    let mut sights = Vec::new();
    for activation in chosen {
        progress.doing(format_args!("unit {}", activation.unit));
        let pixels = looking.run(&view.keep(activation)?, "pixels")?;
        let sight = view.sight(&image, activation, &pixels)?;
        progress.report(describe(&sight))?;
        sights.push(sight);
    }
    drop(progress);
    let columns = args.unit.count().isqrt() + usize::from(args.unit.count().isqrt().pow(2) < args.unit.count());
    image::write_rgb(&args.out, &plate(&sights, columns)?)?;
    report(format_args!("{}: {} of {channels} units", args.out.display(), sights.len()))
}

impl Args {
    /// The activations to show; an error where nothing is to be seen.
    fn choose(&self, view: &DeconvView, activations: &Tensor) -> Result<Vec<Activation>> {
        let layer = &self.layer;
        match self.unit {
            Units::One(unit) => {
                let strongest = view.strongest_of(activations, unit)?;
                if strongest.value > 0.0 {
                    return Ok(vec![strongest]);
                }
                let (value, way_out) = (strongest.value, "`--unit top9` shows those that do");
                let reason = format!("its strongest activation is {value}; {way_out}");
                Err(format!("unit {unit} of `{layer}` does not respond to this image: {reason}").into())
            }
            Units::Strongest(count) => {
                let strongest = view.strongest(activations, count)?;
                if strongest.is_empty() {
                    return Err(format!("no unit of `{layer}` responds to this image").into());
                }
                Ok(strongest)
            }
        }
    }
}

/// A view that is ready to run, and what it looks at.
struct Looking<'a> {
    prepared: Prepared<'a>,
    image: &'a RgbImage,
    progress: &'a Progress,
}

impl Looking<'_> {
    /// One of the view's outputs.
    fn run(&mut self, keep: &Tensor, output: &str) -> Result<Tensor> {
        let inputs = Inputs::new().with("image", self.image).with("keep", keep);
        let outputs = self.prepared.run(inputs, self.progress)?;
        self.progress.step();
        Ok(outputs.tensor(output)?.clone())
    }
}

/// One line: the unit, its activation, and what it looks at.
fn describe(Sight { activation, region, .. }: &Sight) -> String {
    let Activation { unit, row, column, value } = activation;
    let Region { top, left, rows, columns } = region;
    format!("unit {unit}  {value:.4} at {row},{column}  looks at {rows}x{columns} pixels from {top},{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_as_typed() {
        assert_eq!("17".parse(), Ok(Units::One(17)));
        assert_eq!("top9".parse(), Ok(Units::Strongest(9)));
        for text in ["", "top", "top0", "top101", "-1", "all", "1.5", "topp"] {
            assert!(text.parse::<Units>().is_err(), "{text}");
        }
    }
}
