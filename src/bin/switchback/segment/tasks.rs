//! Which images are to be labelled and what belongs to each, known before any work is begun.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use switchback::net::Region;

use super::Args;
use super::boxes::read_boxes;
use crate::Result;
use crate::console::notice;

/// Endings of what this command writes beside images.
const OWN: [&str; 2] = [".labels.png", ".overlay.png"];

/// One image's work.
pub(super) struct Task {
    pub(super) image: PathBuf,
    /// Base of the output names: DIR/NAME.
    stem: PathBuf,
    pub(super) truth: Option<PathBuf>,
    pub(super) boxes: Option<Vec<Region>>,
    /// Another network's scores to multiply by.
    pub(super) factor: Option<PathBuf>,
}

impl Task {
    pub(super) fn output(&self, suffix: &str) -> PathBuf {
        let mut path = self.stem.clone().into_os_string();
        path.push(".");
        path.push(suffix);
        path.into()
    }
}

impl Args {
    /// All images with their outputs and companions; refuses names that collide and companions that are not there.
    pub(super) fn tasks(&self) -> Result<Vec<Task>> {
        let images = images(&self.images)?;
        let mut taken: HashMap<PathBuf, &Path> = HashMap::new();
        let mut tasks = Vec::new();
        for image in &images {
            let name = image.file_stem().ok_or_else(|| format!("{}: expected an image file", image.display()))?;
            let stem = self.out.join(name);
            if let Some(other) = taken.insert(stem.clone(), image) {
                let (a, b) = (other.display(), image.display());
                return Err(format!("{a} and {b} would both be written to {}.labels.png", stem.display()).into());
            }
            let companion = |flag, path: &Option<PathBuf>, endings: &[&str]| {
                path.as_deref().map(|path| find_companion(flag, path, name, endings, images.len())).transpose()
            };
            let boxes = companion("--boxes", &self.boxes, &["boxes.txt"])?;
            tasks.push(Task {
                image: image.clone(),
                stem,
                truth: companion("--truth", &self.truth, &["truth.png", "png"])?,
                boxes: boxes.as_deref().map(read_boxes).transpose()?,
                factor: companion("--times", &self.times, &["scores.npy"])?,
            });
        }
        Ok(tasks)
    }
}

/// The files that are asked for, and of each folder its PNG and JPEG files in the order of their names.
fn images(asked: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut images = Vec::new();
    for path in asked {
        if path.is_dir() {
            images.extend(images_in(path)?);
        } else {
            check_exists(path)?;
            images.push(path.clone());
        }
    }
    Ok(images)
}

/// Refuses what is not there, before any work is done for what is.
fn check_exists(path: &Path) -> Result {
    std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(())
}

fn images_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    let (images, skipped): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| is_image(path));
    if !skipped.is_empty() {
        let names: Vec<_> =
            skipped.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy()).collect();
        let expected = "expected *.png or *.jpg, and none of the results of this command";
        notice(format_args!("{}: skipped {}, {expected}", folder.display(), names.join(", ")));
    }
    if images.is_empty() {
        return Err(format!("{}: there is no *.png or *.jpg in this folder", folder.display()).into());
    }
    Ok(images)
}

/// Whether a file in a folder is meant, by its name: a photograph, and none of this command's results.
fn is_image(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    ends(&[".png", ".jpg", ".jpeg"]) && !ends(&OWN) && !path.is_dir()
}

/// The file that belongs to the image called `name`: in a folder, `name` with one of the endings; otherwise the file itself,
/// if there is but one image.
fn find_companion(flag: &str, path: &Path, name: &OsStr, endings: &[&str], images: usize) -> Result<PathBuf> {
    if !path.is_dir() {
        check_exists(path)?;
        return match images {
            1 => Ok(path.to_owned()),
            _ => Err(format!("{flag} {} is no folder, expected one for {images} images", path.display()).into()),
        };
    }
    let name = name.to_string_lossy();
    let candidates: Vec<PathBuf> = endings.iter().map(|ending| path.join(format!("{name}.{ending}"))).collect();
    let found = candidates.iter().find(|path| path.is_file());
    found.cloned().ok_or_else(|| {
        let names: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
        format!("{flag}: there is no {}", names.join(" and no ")).into()
    })
}
