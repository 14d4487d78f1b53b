//! What classes are called, and how they are reported.

use std::path::Path;
use std::time::Duration;

use switchback::image::Confusion;
use switchback::{Dataset, Palette, RgbImage, read_text};

use super::labeller::Answer;
use super::tasks::Task;
use crate::Result;
use crate::console::report;

/// Most bytes of a file of names: thousands for each of 256 classes.
const MOST_BYTES: u64 = 1 << 20;

/// Names, if they are known, and colours.
pub(super) struct Classes {
    names: Option<Vec<String>>,
    pub(super) palette: Palette,
}

impl Classes {
    /// Names from the file, or else those of the data set if it has so many.
    pub(super) fn new(file: Option<&Path>, dataset: Dataset, classes: usize) -> Result<Self> {
        let own = || dataset.class_names(classes).map(|names| names.into_iter().map(str::to_owned).collect());
        let names = match file {
            Some(path) => Some(read_names(path, classes)?),
            None => own(),
        };
        Ok(Self { names, palette: dataset.palette() })
    }

    fn name(&self, class: usize) -> String {
        self.names.as_ref().map_or_else(|| class.to_string(), |names| names[class].clone())
    }

    /// Whether a class is none of the things to be found: background or unlabelled, which palettes have in black, as they do
    /// whatever comes after their classes.
    fn is_background(&self, class: usize) -> bool {
        self.palette.0.iter().position(|colour| *colour == [0; 3]) == Some(class)
    }

    /// One line: the image, its times, and the classes found in it.
    pub(super) fn report(&self, task: &Task, image: &RgbImage, answer: &Answer) -> String {
        let [rows, columns] = image.extent();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let mut found = [false; 256];
        answer.labels.data().iter().for_each(|&label| found[usize::from(label)] = true);
        let things = (0..256).filter(|&class| found[class] && !self.is_background(class));
        let things: Vec<String> = things.map(|class| self.name(class)).collect();
        let boxes = task.boxes.as_ref().map_or_else(String::new, |boxes| format!("  {} boxes", boxes.len()));
        format!(
            "{}  {rows}x{columns}{boxes}  prepared in {:.0} ms, ran in {:.0} ms  found: {}",
            task.image.display(),
            milliseconds(answer.prepared),
            milliseconds(answer.ran),
            if things.is_empty() { "background only".to_owned() } else { things.join(" ") },
        )
    }

    pub(super) fn report_metrics(&self, confusion: &Confusion) -> Result {
        let Some(metrics) = confusion.metrics() else {
            return report("no metrics: every pixel of the true label maps is void");
        };
        if let Some(names) = &self.names {
            let iu = |(name, iu): (&String, &Option<f64>)| {
                iu.map_or_else(|| format!("{name} does not occur"), |iu| format!("{name} {iu:.4}"))
            };
            let per_class: Vec<String> = names.iter().zip(&metrics.class_iu).map(iu).collect();
            report(format_args!("IU of each class: {}", per_class.join(", ")))?;
        }
        report(format_args!(
            "pixel accuracy {:.4}  mean accuracy {:.4}  mean IU {:.4}  f.w. IU {:.4}",
            metrics.pixel_accuracy, metrics.mean_accuracy, metrics.mean_iu, metrics.frequency_weighted_iu
        ))
    }
}

fn read_names(path: &Path, expected: usize) -> Result<Vec<String>> {
    let text = read_text(path, MOST_BYTES)?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if names.len() != expected {
        let found = names.len();
        return Err(format!("{}: {found} class names, expected {expected}, one a line", path.display()).into());
    }
    Ok(names)
}
