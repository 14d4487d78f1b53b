//! `switchback segment`: a label for every pixel of photographs.

mod boxes;
mod classes;
mod labeller;
mod tasks;

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use switchback::image::{self, Confusion};
use switchback::net::Proposals;
use switchback::{Dataset, Labels, Palette, RgbImage};

use crate::Result;
use crate::adapter::AdapterArgs;
use crate::console::{Progress, report};
use crate::model::{self, Model, Network};
use classes::Classes;
use labeller::{Answer, Labeller};
use tasks::Task;

/// The true label that counts for nothing.
const VOID: u8 = 255;

/// Opacity of the labels in an overlay.
const OPACITY: f32 = 0.6;

/// Label every pixel of images
///
/// Writes NAME.labels.png for each image: a palette PNG whose pixels are class indices, shown in the data set's colours.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  switchback segment photo.jpg --model fcn8s --weights fcn8s.safetensors --out out --overlay
  A folder of street scenes, in CamVid's eleven classes:
    switchback segment camvid/test --model segnet --weights segnet.caffemodel --out out
  DeconvNet as published: by boxes that an object detector proposes, times FCN-8s's scores:
    switchback segment photo.jpg --model fcn8s --weights fcn8s.safetensors --out out --scores
    switchback segment photo.jpg --model deconvnet --weights deconvnet.safetensors \\
        --boxes photo.boxes.txt --times out/photo.scores.npy --out out")]
pub(crate) struct Args {
    /// PNG or JPEG files, or folders: of these, every *.png and *.jpg but earlier results, in the order of their names
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Which network the weights are for
    #[arg(long, value_name = "MODEL", default_value = "fcn8s", value_parser = model::labelling())]
    model: Model,
    /// The weights: safetensors, .pth or .caffemodel, with the names that the network was published with; widths and
    /// classes come from the tensors
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Folder to write to; made if it does not exist
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Also write NAME.overlay.png: the image with the labels' colours over it
    #[arg(long)]
    overlay: bool,
    /// Also write NAME.scores.npy: float32, 1 x classes x rows x columns
    #[arg(long)]
    scores: bool,
    /// True label maps to measure against: a folder with NAME.truth.png or NAME.png, or for one image a file. Palette
    /// or grayscale PNG; what is no class of the network is void
    #[arg(long, value_name = "PATH")]
    truth: Option<PathBuf>,
    /// Names of the classes, one a line, in the order of their indices
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,
    /// Whose colours, and whose classes' names if there are as many: `voc` or `camvid` [default: what the network was
    /// published for]
    #[arg(long, value_name = "NAME", value_parser = datasets())]
    palette: Option<Dataset>,
    /// Label each box of the image by itself, resized to 224x224, and keep every pixel's largest scores: a folder with
    /// NAME.boxes.txt, or for one image a file. A line a box: LEFT TOP WIDTH HEIGHT in pixels. For deconvnet
    #[arg(long, value_name = "PATH")]
    boxes: Option<PathBuf>,
    /// Multiply by another network's scores where those are above zero: a folder with NAME.scores.npy (as `--scores`
    /// writes), or for one image a file
    #[arg(long, value_name = "PATH", requires = "boxes")]
    times: Option<PathBuf>,
    #[command(flatten)]
    adapter: AdapterArgs,
}

fn datasets() -> impl TypedValueParser<Value = Dataset> {
    PossibleValuesParser::new(Dataset::ALL.iter().map(|dataset| dataset.name())).try_map(|name| name.parse::<Dataset>())
}

pub(crate) fn run(args: &Args) -> Result {
    if args.boxes.is_some() && args.model != Model::DeconvNet {
        return Err(format!("--boxes is for deconvnet, and the model is {}", args.model.name()).into());
    }
    let tasks = args.tasks()?;
    let (network, weights) = args.model.open(&args.weights)?;
    let Network::Labels(network) = network else {
        return Err(format!("{} gives no label to each pixel", network.title()).into());
    };
    let dataset = args.palette.unwrap_or(args.model.dataset());
    let classes = Classes::new(args.classes.as_deref(), dataset, network.classes())?;
    std::fs::create_dir_all(&args.out).map_err(|error| format!("{}: {error}", args.out.display()))?;
    let engine = args.adapter.open()?;
    report(format_args!("{} with {} classes on {}", network.title(), network.classes(), engine.name()))?;

    let mut labeller = Labeller::new(engine.with(&weights), network.as_ref(), args.scores);
    let mut confusion = Confusion::new(network.classes())?;
    let progress = Progress::new(tasks.len());
    for task in &tasks {
        progress.doing(task.image.display());
        let image = image::load(&task.image)?;
        let answer = args.label(&mut labeller, task, &image, &progress);
        let answer = answer.map_err(|error| format!("{}: {error}", task.image.display()))?;
        if let Some(path) = &task.truth {
            let add = confusion.add(&read_truth(path, network.classes())?, &answer.labels);
            add.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        args.write(task, &image, &answer, &classes.palette)?;
        progress.step();
        progress.report(classes.report(task, &image, &answer))?;
    }
    drop(progress);
    if args.truth.is_some() {
        classes.report_metrics(&confusion)?;
    }
    Ok(())
}

/// A true label map, in which what is no class of the network is void.
fn read_truth(path: &Path, classes: usize) -> Result<Labels> {
    let truth = image::read_labels(path)?;
    let or_void = |&label: &u8| if usize::from(label) < classes { label } else { VOID };
    Ok(Labels::new(truth.count(), truth.extent(), truth.data().iter().map(or_void).collect())?)
}

impl Args {
    fn label(&self, labeller: &mut Labeller, task: &Task, image: &RgbImage, progress: &Progress) -> Result<Answer> {
        let Some(boxes) = &task.boxes else {
            return labeller.whole(image, progress).map_err(|error| self.with_way_out(error));
        };
        let mut proposals = Proposals::new(boxes.as_slice());
        if let Some(path) = &task.factor {
            proposals = proposals.times(image::read_npy(path)?);
        }
        labeller.proposals(image, &proposals, self.model.published_extent(), progress)
    }

    /// An image that is too small for DeconvNet as it is can be resized as a box.
    fn with_way_out(&self, error: Box<dyn std::error::Error>) -> Box<dyn std::error::Error> {
        match error.downcast_ref() {
            Some(switchback::Error::Operand { .. }) if self.model == Model::DeconvNet => {
                format!("{error}; `--boxes` resizes what it labels").into()
            }
            _ => error,
        }
    }

    fn write(&self, task: &Task, image: &RgbImage, answer: &Answer, palette: &Palette) -> Result {
        image::write_labels(task.output("labels.png"), &answer.labels, palette)?;
        if self.overlay {
            let overlay = image::overlay(image, &answer.labels, palette, OPACITY)?;
            image::write_rgb(task.output("overlay.png"), &overlay)?;
        }
        if let Some(scores) = &answer.scores {
            image::write_npy(task.output("scores.npy"), scores)?;
        }
        Ok(())
    }
}
