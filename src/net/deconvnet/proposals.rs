//! A network of one input size over parts of a larger image: cut out, label, put back, keep the best.

use super::DeconvNet;
use crate::error::{Error, Result};
use crate::graph::{Session, ValueType};
use crate::net::{Region, Segmentation};
use crate::shape::Shape;
use crate::tensor::{RgbImage, Tensor};

const OP: &str = "proposals";

/// Object proposals: the regions of an image that a network is asked about, and what its answers are multiplied by.
///
/// ```no_run
/// use switchback::net::{DeconvNet, Proposals, Region, Segmentation};
/// use switchback::{Gpu, RgbImage, reference, weights::Weights};
/// # let photo = RgbImage::new([300, 400], vec![0; 360_000])?;
/// let weights = Weights::open("deconvnet.safetensors")?;
/// let network = DeconvNet::from_weights(&weights)?;
/// let mut session = Gpu::new()?.compile(&network.graph([1, 3, 224, 224].into())?, &weights)?;
/// let proposals = Proposals::new([Region { top: 20, left: 30, rows: 200, columns: 150 }]);
/// let labels = reference::argmax_channels(&network.propose(&mut session, &photo, &proposals)?)?;
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Proposals {
    regions: Vec<Region>,
    factor: Option<Tensor>,
}

impl Proposals {
    /// These regions, all of them.
    #[must_use]
    pub fn new(regions: impl Into<Vec<Region>>) -> Self {
        Self { regions: regions.into(), factor: None }
    }

    /// Only those regions that the published scripts ask about: the first 50 whose shorter side is at least 112 pixels.
    #[must_use]
    pub fn as_published(mut self) -> Self {
        self.regions.retain(|region| region.rows.min(region.columns) >= 112);
        self.regions.truncate(50);
        self
    }

    /// Multiplies the scores by another network's for the whole image, where those are above zero, and by zero elsewhere:
    /// the published ensemble with FCN-8s.
    #[must_use]
    pub fn times(mut self, scores: Tensor) -> Self {
        self.factor = Some(scores);
        self
    }

    /// The regions.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Scores of an image of `extent` before any region is asked about: zero, which the first class (background) wins.
    ///
    /// # Errors
    /// [`Error::Operand`] for an empty extent.
    pub fn start(&self, classes: usize, extent: [usize; 2]) -> Result<Tensor> {
        Tensor::zeros(Shape { n: 1, c: classes, h: extent[0], w: extent[1] })
    }

    /// What is left to do once all regions are placed: the multiplication of [`Proposals::times`], if any.
    ///
    /// # Errors
    /// [`Error::Operand`] if the other scores have another shape.
    pub fn finish(&self, mut scores: Tensor) -> Result<Tensor> {
        if let Some(factor) = &self.factor {
            if factor.shape() != scores.shape() {
                return Err(Error::operand(OP, "the other network's scores", scores.shape(), factor.shape()));
            }
            for (score, factor) in scores.data_mut().iter_mut().zip(factor.data()) {
                *score *= factor.max(0.0);
            }
        }
        Ok(scores)
    }
}

impl DeconvNet {
    /// Scores of a whole image by proposals, as in the paper: each region is cut out, resized and labelled on its own, and
    /// the image keeps the largest score of every class at every pixel, at least zero.
    ///
    /// `session` runs this network's [`graph`](Segmentation::graph) over one crop; its input's extent (224x224, say) is
    /// what regions are resized to. Labels follow by [`reference::argmax_channels`](crate::reference::argmax_channels).
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty region; [`Error::Operand`] for a session of another kind of graph; [`Error::Graph`]
    /// for one without the scores among its outputs; the device's faults.
    pub async fn propose_async(
        &self,
        session: &mut Session,
        image: &RgbImage,
        proposals: &Proposals,
    ) -> Result<Tensor> {
        let extent = match session.graph().inputs().next() {
            Some((_, ValueType::Tensor(shape))) => shape.extent(),
            other => {
                let found = other.map_or_else(|| "nothing".to_owned(), |(_, value)| value.to_string());
                return Err(Error::operand(OP, "the session's input", "a tensor, as of `graph`", found));
            }
        };
        let mut scores = proposals.start(self.classes(), image.extent())?;
        for region in proposals.regions() {
            let crop = region.crop(image, extent, &self.preprocessing())?;
            let outputs = session.run_async(&crop).await?;
            region.place(outputs.tensor(self.scores_name())?, &mut scores)?;
        }
        proposals.finish(scores)
    }

    /// Scores of a whole image by proposals, blocking; see [`DeconvNet::propose_async`].
    ///
    /// # Errors
    /// As [`DeconvNet::propose_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn propose(&self, session: &mut Session, image: &RgbImage, proposals: &Proposals) -> Result<Tensor> {
        pollster::block_on(self.propose_async(session, image, proposals))
    }
}
