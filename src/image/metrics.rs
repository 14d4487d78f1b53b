//! The four figures of semantic segmentation, over a whole data set.

use crate::error::{Error, Result};
use crate::tensor::Labels;

/// The label that counts for nothing, in a true label map.
const VOID: u8 = 255;

/// How often each true class was given each class: `n_ij` pixels of class `i` labelled `j`, over all images added.
///
/// Void pixels (true label 255) are left out, whatever they were labelled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

/// Figures from a [`Confusion`]; each in 0 to 1.
///
/// With `t_i = sum_j n_ij` and `u_i = t_i + sum_j n_ji - n_ii`, as in Long, Shelhamer and Darrell, *Fully convolutional
/// networks for semantic segmentation*, section 5, and that project's `score.py`.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// `sum_i n_ii / sum_i t_i`.
    pub pixel_accuracy: f64,
    /// Mean of `n_ii / t_i` over the classes that occur in the truth.
    pub mean_accuracy: f64,
    /// Mean of `n_ii / u_i` over the classes that occur in the truth or the answer.
    pub mean_iu: f64,
    /// `sum_i t_i * n_ii / u_i / sum_i t_i`.
    pub frequency_weighted_iu: f64,
    /// `n_ii / u_i` of each class; `None` for a class that occurs nowhere.
    pub class_iu: Vec<Option<f64>>,
}

impl Confusion {
    /// No pixels yet, of 1 to 256 classes.
    ///
    /// # Errors
    /// [`Error::Parameter`] for another number of classes.
    pub fn new(classes: usize) -> Result<Self> {
        if !(1..=256).contains(&classes) {
            return Err(Error::parameter("confusion", "classes", "1 to 256", classes));
        }
        Ok(Self { classes, counts: vec![0; classes * classes] })
    }

    /// Adds the pixels of one or more images. On an error nothing is added.
    ///
    /// # Errors
    /// [`Error::Operand`] if the maps differ in extent, or hold a label that is not a class (or, in `truth`, 255).
    pub fn add(&mut self, truth: &Labels, answer: &Labels) -> Result<()> {
        const OP: &str = "confusion";
        if (truth.count(), truth.extent()) != (answer.count(), answer.extent()) {
            let map = |labels: &Labels| format!("{} of {:?} (rows, columns)", labels.count(), labels.extent());
            return Err(Error::operand(OP, "truth", map(answer), map(truth)));
        }
        let is_class = |label: u8| usize::from(label) < self.classes;
        let pixels = || truth.data().iter().copied().zip(answer.data().iter().copied()).filter(|&(t, _)| t != VOID);
        let below = format!("labels below {}", self.classes);
        if let Some((label, _)) = pixels().find(|&(truth, _)| !is_class(truth)) {
            return Err(Error::operand(OP, "truth", format!("{below}, or 255 for void"), format!("label {label}")));
        }
        if let Some((_, label)) = pixels().find(|&(_, answer)| !is_class(answer)) {
            return Err(Error::operand(OP, "answer", below, format!("label {label}")));
        }
        for (truth, answer) in pixels() {
            self.counts[usize::from(truth) * self.classes + usize::from(answer)] += 1;
        }
        Ok(())
    }

    /// Pixels of class `truth` that were labelled `answer`; 0 for what is no class.
    #[must_use]
    pub fn count(&self, truth: usize, answer: usize) -> u64 {
        if truth.max(answer) < self.classes { self.counts[truth * self.classes + answer] } else { 0 }
    }

    /// The figures, or `None` before the first pixel that is not void.
    #[must_use]
    pub fn metrics(&self) -> Option<Metrics> {
        let classes = 0..self.classes;
        let truth: Vec<u64> = classes.clone().map(|i| classes.clone().map(|j| self.count(i, j)).sum()).collect();
        let answer: Vec<u64> = classes.clone().map(|i| classes.clone().map(|j| self.count(j, i)).sum()).collect();
        let right: Vec<u64> = classes.clone().map(|i| self.count(i, i)).collect();
        let total: u64 = truth.iter().sum();

        let class_accuracy: Vec<Option<f64>> = classes.clone().map(|i| ratio(right[i], truth[i])).collect();
        let class_iu: Vec<Option<f64>> = classes.map(|i| ratio(right[i], truth[i] + answer[i] - right[i])).collect();
        let weighted: f64 = class_iu.iter().zip(&truth).map(|(iu, &t)| iu.unwrap_or(0.0) * t as f64).sum();
        Some(Metrics {
            pixel_accuracy: ratio(right.iter().sum(), total)?,
            mean_accuracy: mean(&class_accuracy)?,
            mean_iu: mean(&class_iu)?,
            frequency_weighted_iu: weighted / total as f64,
            class_iu,
        })
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Mean of those there are.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let present: Vec<f64> = values.iter().flatten().copied().collect();
    (!present.is_empty()).then(|| present.iter().sum::<f64>() / present.len() as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn map(data: &[u8]) -> Labels {
        Labels::new(1, [1, data.len()], data.to_vec()).unwrap()
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12
    }

    #[test]
    fn by_hand() {
        // n = [[3, 1, 0], [2, 2, 0], [0, 0, 0]], one void pixel labelled with something absurd.
        let mut confusion = Confusion::new(3).unwrap();
        confusion.add(&map(&[0, 0, 0, 0, 1, 1, 1, 1, 255]), &map(&[0, 0, 0, 1, 0, 0, 1, 1, 200])).unwrap();
        assert_eq!((confusion.count(0, 1), confusion.count(1, 0), confusion.count(9, 0)), (1, 2, 0));
        let metrics = confusion.metrics().unwrap();
        assert!(close(metrics.pixel_accuracy, 5.0 / 8.0));
        assert!(close(metrics.mean_accuracy, (3.0 / 4.0 + 2.0 / 4.0) / 2.0)); // class 2 does not occur
        let iu = [3.0 / 6.0, 2.0 / 5.0];
        assert!(close(metrics.mean_iu, (iu[0] + iu[1]) / 2.0));
        assert!(close(metrics.frequency_weighted_iu, (4.0 * iu[0] + 4.0 * iu[1]) / 8.0));
        assert_eq!(metrics.class_iu, [Some(iu[0]), Some(iu[1]), None]);
    }

    #[test]
    fn a_class_only_in_the_answer_counts_for_iu_not_for_accuracy() {
        let mut confusion = Confusion::new(2).unwrap();
        confusion.add(&map(&[0, 0]), &map(&[0, 1])).unwrap();
        let metrics = confusion.metrics().unwrap();
        assert!(close(metrics.mean_accuracy, 0.5));
        assert!(close(metrics.mean_iu, (0.5 + 0.0) / 2.0));
        assert!(close(metrics.frequency_weighted_iu, 0.5));
    }

    #[test]
    fn images_are_pooled_not_averaged() {
        let mut confusion = Confusion::new(2).unwrap();
        confusion.add(&map(&[0]), &map(&[1])).unwrap();
        confusion.add(&map(&[0, 0, 0]), &map(&[0, 0, 0])).unwrap();
        assert!(close(confusion.metrics().unwrap().pixel_accuracy, 0.75));
    }

    #[test]
    fn no_labelled_pixel_gives_no_figures() {
        let mut confusion = Confusion::new(2).unwrap();
        assert_eq!(confusion.metrics(), None);
        confusion.add(&map(&[255]), &map(&[0])).unwrap();
        assert_eq!(confusion.metrics(), None);
    }

    #[test]
    fn all_256_classes_leave_255_void() {
        let mut confusion = Confusion::new(256).unwrap();
        confusion.add(&map(&[254, 255]), &map(&[255, 255])).unwrap();
        assert_eq!((confusion.count(254, 255), confusion.count(255, 255)), (1, 0));
    }

    #[test]
    fn refuses_what_does_not_fit_and_adds_nothing() {
        let mut confusion = Confusion::new(2).unwrap();
        let wide = Labels::new(1, [1, 2], vec![0, 0]).unwrap();
        let tall = Labels::new(1, [2, 1], vec![0, 0]).unwrap();
        assert!(confusion.add(&wide, &tall).unwrap_err().to_string().contains("truth is 1 of [1, 2]"));
        let error = confusion.add(&map(&[0, 2]), &map(&[0, 0])).unwrap_err().to_string();
        assert!(error.contains("label 2") && error.contains("255 for void"), "{error}");
        assert!(confusion.add(&map(&[0, 0]), &map(&[0, 2])).unwrap_err().to_string().contains("answer is label 2"));
        assert_eq!(confusion.metrics(), None);
        assert!(Confusion::new(0).is_err() && Confusion::new(257).is_err());
    }
}
