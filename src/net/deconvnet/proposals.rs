//! A network of one input size over parts of a larger image: cut out, label, put back, keep the best.

use super::DeconvNet;
use crate::error::{Error, Result};
use crate::graph::{Session, ValueType};
use crate::net::Segmentation;
use crate::op::{ChannelOrder, Normalize};
use crate::shape::Shape;
use crate::tensor::{RgbImage, Tensor};

const OP: &str = "proposals";

/// A rectangle of an image, in pixels. It may reach beyond the image, where everything is black.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Region {
    /// First row.
    pub top: i32,
    /// First column.
    pub left: i32,
    /// Number of rows.
    pub rows: u32,
    /// Number of columns.
    pub columns: u32,
}

/// Object proposals: the regions of an image that a network is asked about, and what its answers are multiplied by.
#[derive(Clone, PartialEq, Debug)]
pub struct Proposals {
    regions: Vec<Region>,
    factor: Option<Tensor>,
}

impl Region {
    /// All of an image of `extent` (rows, columns).
    ///
    /// # Errors
    /// [`Error::Parameter`] for an extent that does not fit 32 bits.
    pub fn whole([rows, columns]: [usize; 2]) -> Result<Self> {
        let cells = |found: usize| {
            u32::try_from(found).map_err(|_| Error::parameter(OP, "extent", "up to 2^32 rows and columns", found))
        };
        Ok(Self { top: 0, left: 0, rows: cells(rows)?, columns: cells(columns)? })
    }

    /// Cuts the region out of an image, resizes it to `extent` (rows, columns) and preprocesses it: `1 x 3 x rows x columns`.
    ///
    /// Resizing is bilinear between cell centres (PyTorch's `align_corners=False`), without smoothing where it shrinks.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty region, [`Error::Operand`] for an empty extent.
    pub fn crop(&self, image: &RgbImage, extent: [usize; 2], preprocessing: &Normalize) -> Result<Tensor> {
        let [rows, columns] = self.axes()?;
        let (rows, columns) = (rows.resized(extent[0]), columns.resized(extent[1]));
        let pixel = |row: i64, column: i64, channel: usize| {
            let [height, width] = image.extent();
            let inside = |cell: i64, cells: usize| usize::try_from(cell).ok().filter(|&cell| cell < cells);
            match (inside(row, height), inside(column, width)) {
                (Some(row), Some(column)) => f32::from(image.data()[3 * (row * width + column) + channel]),
                _ => 0.0,
            }
        };
        Tensor::from_fn([1, 3, extent[0], extent[1]], |[_, c, i, j]| {
            let channel = if preprocessing.order == ChannelOrder::Bgr { 2 - c } else { c };
            let value = between(&rows[i], &columns[j], |row, column| pixel(row, column, channel));
            (value - preprocessing.mean[c]) * preprocessing.factor[c]
        })
    }

    /// Resizes the scores of a crop back to the region, as [`Region::crop`] does, and raises those of the image there that
    /// are less.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty region, [`Error::Operand`] for another number of channels or images.
    pub fn place(&self, scores: &Tensor, image: &mut Tensor) -> Result<()> {
        let (shape, whole) = (scores.shape(), image.shape());
        if (shape.n, shape.c) != (1, whole.c) || whole.n != 1 {
            return Err(Error::operand(OP, "scores", format!("1x{}xHxW, as of the whole image", whole.c), shape));
        }
        let [rows, columns] = self.axes()?;
        let (rows, columns) = (rows.within(whole.h, shape.h), columns.within(whole.w, shape.w));
        for c in 0..shape.c {
            for (y, row) in &rows {
                for (x, column) in &columns {
                    let score = |i: i64, j: i64| scores.data()[shape.index([0, c, i as usize, j as usize])];
                    let place = &mut image.data_mut()[whole.index([0, c, *y, *x])];
                    *place = place.max(between(row, column, score));
                }
            }
        }
        Ok(())
    }

    fn axes(&self) -> Result<[Axis; 2]> {
        if self.rows == 0 || self.columns == 0 {
            return Err(Error::parameter(OP, "region", "at least one row and column", format!("{self:?}")));
        }
        let axis = |start: i32, cells: u32| Axis { start: start.into(), cells: cells.into() };
        Ok([axis(self.top, self.rows), axis(self.left, self.columns)])
    }
}

/// A region along rows or columns.
#[derive(Clone, Copy)]
struct Axis {
    start: i64,
    cells: i64,
}

/// A place between two neighbouring cells: both, and how far it is from the first to the second.
struct Between {
    cells: [i64; 2],
    fraction: f32,
}

impl Axis {
    /// For each of `count` cells over the region, the cells of the image that its centre lies between.
    fn resized(self, count: usize) -> Vec<Between> {
        let scale = self.cells as f64 / count as f64;
        (0..count).map(|cell| Between::at((cell as f64 + 0.5) * scale - 0.5, self.cells, self.start)).collect()
    }

    /// For each cell of an image of `image` cells that lies in the region, the cells of a map of `count` over the region
    /// that its centre lies between.
    fn within(self, image: usize, count: usize) -> Vec<(usize, Between)> {
        let scale = count as f64 / self.cells as f64;
        let inside = self.start.clamp(0, image as i64)..(self.start + self.cells).clamp(0, image as i64);
        let place = |cell: i64| {
            let at = ((cell - self.start) as f64 + 0.5) * scale - 0.5;
            (cell as usize, Between::at(at, count as i64, 0))
        };
        inside.map(place).collect()
    }
}

impl Between {
    /// A place in units of cells, drawn to the first or last of `cells` where it lies beyond; cells count from `start`.
    fn at(place: f64, cells: i64, start: i64) -> Self {
        let place = place.clamp(0.0, (cells - 1) as f64);
        let first = place.floor();
        let second = (first as i64 + 1).min(cells - 1);
        Self { cells: [start + first as i64, start + second], fraction: (place - first) as f32 }
    }
}

/// The value at a place between four cells.
fn between(row: &Between, column: &Between, value: impl Fn(i64, i64) -> f32) -> f32 {
    let along = |row: i64| {
        let [first, second] = column.cells.map(|column| value(row, column));
        first + (second - first) * column.fraction
    };
    let [first, second] = row.cells.map(along);
    first + (second - first) * row.fraction
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
