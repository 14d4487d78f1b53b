//! `switchback segment`: a label for every pixel of photographs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use switchback::image::{self, Confusion};
use switchback::net::Fcn;
use switchback::weights::Weights;
use switchback::{Labels, Palette, RgbImage, Tensor};

use crate::Result;
use crate::adapter::{AdapterArgs, Engine, Prepared};
use crate::console::{Progress, print};
use crate::model::ModelArgs;

/// Opacity of the labels in an overlay.
const OPACITY: f32 = 0.6;

/// Label every pixel of images
///
/// Writes NAME.labels.png for each image: a palette PNG whose pixels are class indices, shown in PASCAL VOC's colours.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  switchback segment photo.jpg --model fcn8s --weights fcn8s.safetensors --out out --overlay")]
pub(crate) struct Args {
    /// PNG or JPEG files
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
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
    /// or grayscale PNG, 255 = void
    #[arg(long, value_name = "PATH")]
    truth: Option<PathBuf>,
    /// Names of the classes, one a line, background first
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,
    #[command(flatten)]
    adapter: AdapterArgs,
}

/// One image's work, known to be possible before any is begun.
struct Task {
    image: PathBuf,
    /// Base of the output names: DIR/NAME.
    stem: PathBuf,
    truth: Option<PathBuf>,
}

/// What the network says about one image.
struct Answer {
    labels: Labels,
    scores: Option<Tensor>,
    /// Making the graph ready: pipelines, weights, buffers; nothing for an image as large as the one before.
    prepared: Duration,
    /// Upload, computation and readback.
    ran: Duration,
}

/// The network, ready for images of the extent that was last asked for.
struct Network<'a> {
    engine: Engine,
    model: &'a Fcn,
    weights: &'a Weights,
    with_scores: bool,
    ready: Option<([usize; 2], Prepared<'a>)>,
}

pub(crate) fn run(args: &Args) -> Result {
    let tasks = args.tasks()?;
    let (model, weights) = args.model.open()?;
    let classes = args.classes.as_deref().map(|path| class_names(path, model.classes())).transpose()?;
    std::fs::create_dir_all(&args.out).map_err(|error| format!("{}: {error}", args.out.display()))?;
    let engine = args.adapter.open()?;
    print(format_args!("{} with {} classes on {}", model.head().title(), model.classes(), engine.name()))?;

    let mut network = Network { engine, model: &model, weights: &weights, with_scores: args.scores, ready: None };
    let mut confusion = Confusion::new(model.classes())?;
    let progress = Progress::new(tasks.len());
    for task in &tasks {
        progress.doing(task.image.display());
        let image = image::load(&task.image)?;
        let answer = network.run(&image, &progress);
        let answer = answer.map_err(|error| format!("{}: {error}", task.image.display()))?;
        if let Some(path) = &task.truth {
            let add = confusion.add(&image::read_labels(path)?, &answer.labels);
            add.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        args.write(task, &image, &answer)?;
        progress.step();
        progress.print(task.report(&image, &answer, classes.as_deref()))?;
    }
    drop(progress);
    if args.truth.is_some() {
        report_metrics(&confusion, classes.as_deref())?;
    }
    Ok(())
}

impl Network<'_> {
    fn run(&mut self, image: &RgbImage, progress: &Progress) -> Result<Answer> {
        let extent = image.extent();
        let start = Instant::now();
        let mut prepared = match self.ready.take().filter(|(ready, _)| *ready == extent) {
            Some((_, prepared)) => prepared,
            None => {
                let graph = match self.with_scores {
                    true => self.model.graph_from_image(extent)?,
                    false => self.model.labels_from_image(extent)?,
                };
                self.engine.prepare(graph, self.weights)?
            }
        };
        let ready_after = start.elapsed();
        let start = Instant::now();
        let outputs = prepared.run(image, progress)?;
        let ran = start.elapsed();
        self.ready = Some((extent, prepared));
        let scores = self.with_scores.then(|| outputs.tensor("score").cloned()).transpose()?;
        Ok(Answer { labels: outputs.labels("labels")?.clone(), scores, prepared: ready_after, ran })
    }
}

impl Args {
    /// All images with their outputs and true label maps; refuses names that collide and maps that are not there.
    fn tasks(&self) -> Result<Vec<Task>> {
        let mut taken: HashMap<PathBuf, &Path> = HashMap::new();
        let mut tasks = Vec::new();
        for image in &self.images {
            let name = image.file_stem().ok_or_else(|| format!("{}: expected an image file", image.display()))?;
            let stem = self.out.join(name);
            if let Some(other) = taken.insert(stem.clone(), image) {
                let (a, b) = (other.display(), image.display());
                return Err(format!("{a} and {b} would both be written to {}.labels.png", stem.display()).into());
            }
            let truth = self.truth.as_deref().map(|truth| find_truth(truth, name, self.images.len())).transpose()?;
            tasks.push(Task { image: image.clone(), stem, truth });
        }
        Ok(tasks)
    }

    fn write(&self, task: &Task, image: &RgbImage, answer: &Answer) -> Result {
        let palette = Palette::voc();
        image::write_labels(task.output("labels.png"), &answer.labels, &palette)?;
        if self.overlay {
            let overlay = image::overlay(image, &answer.labels, &palette, OPACITY)?;
            image::write_rgb(task.output("overlay.png"), &overlay)?;
        }
        if let Some(scores) = &answer.scores {
            image::write_npy(task.output("scores.npy"), scores)?;
        }
        Ok(())
    }
}

impl Task {
    fn output(&self, suffix: &str) -> PathBuf {
        let mut path = self.stem.clone().into_os_string();
        path.push(".");
        path.push(suffix);
        path.into()
    }

    /// One line: the image, its times, and the classes found in it.
    fn report(&self, image: &RgbImage, answer: &Answer, classes: Option<&[String]>) -> String {
        let [rows, columns] = image.extent();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let name = |class: usize| classes.map_or_else(|| class.to_string(), |names| names[class].clone());
        let mut found = [false; 256];
        answer.labels.data().iter().for_each(|&label| found[usize::from(label)] = true);
        let found: Vec<String> = (1..256).filter(|&class| found[class]).map(name).collect();
        format!(
            "{}  {rows}x{columns}  prepared in {:.0} ms, ran in {:.0} ms  found: {}",
            self.image.display(),
            milliseconds(answer.prepared),
            milliseconds(answer.ran),
            if found.is_empty() { "background only".to_owned() } else { found.join(" ") },
        )
    }
}

/// The true label map of an image called `name`.
fn find_truth(truth: &Path, name: &std::ffi::OsStr, images: usize) -> Result<PathBuf> {
    if !truth.is_dir() {
        return match images {
            1 => Ok(truth.to_owned()),
            _ => Err(format!("--truth {} is no folder, expected one for {images} images", truth.display()).into()),
        };
    }
    let name = name.to_string_lossy();
    let candidates = [format!("{name}.truth.png"), format!("{name}.png")].map(|file| truth.join(file));
    let found = candidates.iter().find(|path| path.is_file());
    found.cloned().ok_or_else(|| {
        format!("--truth: neither {} nor {} is there", candidates[0].display(), candidates[1].display()).into()
    })
}

fn class_names(path: &Path, expected: usize) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if names.len() != expected {
        let found = names.len();
        return Err(format!("{}: {found} class names, expected {expected}, one a line", path.display()).into());
    }
    Ok(names)
}

fn report_metrics(confusion: &Confusion, classes: Option<&[String]>) -> Result {
    let Some(metrics) = confusion.metrics() else {
        return print("no metrics: every pixel of the true label maps is void");
    };
    if let Some(classes) = classes {
        let iu = |(name, iu): (&String, &Option<f64>)| {
            iu.map_or_else(|| format!("{name} does not occur"), |iu| format!("{name} {iu:.4}"))
        };
        let per_class: Vec<String> = classes.iter().zip(&metrics.class_iu).map(iu).collect();
        print(format_args!("IU of each class: {}", per_class.join(", ")))?;
    }
    print(format_args!(
        "pixel accuracy {:.4}  mean accuracy {:.4}  mean IU {:.4}  f.w. IU {:.4}",
        metrics.pixel_accuracy, metrics.mean_accuracy, metrics.mean_iu, metrics.frequency_weighted_iu
    ))
}
