//! A network, ready for images of the extent that was last asked for.

use std::time::{Duration, Instant};

use switchback::graph::Outputs;
use switchback::net::{Proposals, Segmentation};
use switchback::{Graph, Labels, RgbImage, Tensor, reference};

use crate::Result;
use crate::adapter::{Loaded, Prepared};
use crate::console::Progress;

/// What the network says about one image.
pub(super) struct Answer {
    pub(super) labels: Labels,
    pub(super) scores: Option<Tensor>,
    /// Making the graph ready: nothing for an image as large as the one before; for another size buffers, and what pipelines
    /// and packed weights that one has not.
    pub(super) prepared: Duration,
    /// Upload, computation and readback.
    pub(super) ran: Duration,
}

pub(super) struct Labeller<'a> {
    loaded: Loaded<'a>,
    network: &'a dyn Segmentation,
    with_scores: bool,
    ready: Option<([usize; 2], Prepared<'a>)>,
}

impl<'a> Labeller<'a> {
    /// One whose weights `loaded` has.
    pub(super) fn new(loaded: Loaded<'a>, network: &'a dyn Segmentation, with_scores: bool) -> Self {
        Self { loaded, network, with_scores, ready: None }
    }

    /// Labels an image as a whole.
    pub(super) fn whole(&mut self, image: &RgbImage, progress: &Progress) -> Result<Answer> {
        let network = self.network;
        let with_scores = self.with_scores;
        let graph = |extent| match with_scores {
            true => network.graph_from_image(extent),
            false => network.labels_from_image(extent),
        };
        let (mut prepared, ready_after) = self.prepared(image.extent(), graph)?;
        let start = Instant::now();
        let outputs = prepared.run(image, progress)?;
        let ran = start.elapsed();
        self.ready = Some((image.extent(), prepared));
        let scores = with_scores.then(|| scores(network, &outputs)).transpose()?;
        Ok(Answer { labels: outputs.labels("labels")?.clone(), scores, prepared: ready_after, ran })
    }

    /// Labels an image by proposals, each resized to `extent`.
    pub(super) fn proposals(
        &mut self,
        image: &RgbImage,
        proposals: &Proposals,
        extent: [usize; 2],
        progress: &Progress,
    ) -> Result<Answer> {
        let network = self.network;
        let graph = |[rows, columns]: [usize; 2]| network.graph([1, network.input_channels(), rows, columns].into());
        let (mut prepared, ready_after) = self.prepared(extent, graph)?;
        let start = Instant::now();
        let mut total = proposals.start(network.classes(), image.extent())?;
        let count = proposals.regions().len();
        for (number, region) in (1..).zip(proposals.regions()) {
            progress.doing(format_args!("box {number} of {count}"));
            let crop = region.crop(image, extent, &network.preprocessing())?;
            region.place(&scores(network, &prepared.run(&crop, progress)?)?, &mut total)?;
        }
        let total = proposals.finish(total)?;
        let labels = reference::argmax_channels(&total)?;
        let ran = start.elapsed();
        self.ready = Some((extent, prepared));
        Ok(Answer { labels, scores: self.with_scores.then_some(total), prepared: ready_after, ran })
    }

    /// The graph of that extent, ready, and how long that took.
    fn prepared(
        &mut self,
        extent: [usize; 2],
        graph: impl Fn([usize; 2]) -> Result<Graph, switchback::Error>,
    ) -> Result<(Prepared<'a>, Duration)> {
        let start = Instant::now();
        let prepared = match self.ready.take().filter(|(ready, _)| *ready == extent) {
            Some((_, prepared)) => prepared,
            None => self.loaded.prepare(graph(extent)?)?,
        };
        Ok((prepared, start.elapsed()))
    }
}

fn scores(network: &dyn Segmentation, outputs: &Outputs) -> Result<Tensor> {
    Ok(outputs.tensor(network.scores_name())?.clone())
}
