//! Rectangles of an image: cut out, resized, put back.

use crate::error::{Error, Result};
use crate::op::{ChannelOrder, Normalize};
use crate::shape::Shape;
use crate::tensor::{RgbImage, Tensor};

const OP: &str = "region";

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

    /// The part of it that lies in an image of `extent` (rows, columns), or `None` if there is none.
    #[must_use]
    pub fn within(&self, extent: [usize; 2]) -> Option<Self> {
        let clip = |start: i32, cells: u32, most: usize| {
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let (first, end) = (i64::from(start).max(0), (i64::from(start) + i64::from(cells)).min(most));
            let cells = u32::try_from(end - first).ok().filter(|&cells| cells > 0)?;
            Some((i32::try_from(first).ok()?, cells))
        };
        let (top, rows) = clip(self.top, self.rows, extent[0])?;
        let (left, columns) = clip(self.left, self.columns, extent[1])?;
        Some(Self { top, left, rows, columns })
    }

    /// The region's pixels; black where it reaches beyond the image.
    ///
    /// # Errors
    /// [`Error::Operand`] for an empty or too large region.
    pub fn cut(&self, image: &RgbImage) -> Result<RgbImage> {
        let extent = [self.rows as usize, self.columns as usize];
        let shape = Shape { n: 1, c: 3, h: extent[0], w: extent[1] };
        shape.check(OP, "region")?;
        let mut bytes = Vec::with_capacity(shape.elements());
        for row in 0..i64::from(self.rows) {
            for column in 0..i64::from(self.columns) {
                bytes.extend(pixel(image, i64::from(self.top) + row, i64::from(self.left) + column));
            }
        }
        RgbImage::new(extent, bytes)
    }

    /// Cuts the region out of an image, resizes it to `extent` (rows, columns) and preprocesses it: `1 x 3 x rows x columns`.
    ///
    /// Resizing is bilinear between cell centres (PyTorch's `align_corners=False`), without smoothing where it shrinks.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty region, [`Error::Operand`] for an extent that is empty or too large.
    pub fn crop(&self, image: &RgbImage, extent: [usize; 2], preprocessing: &Normalize) -> Result<Tensor> {
        let [rows, columns] = self.axes()?;
        let shape = Shape { n: 1, c: 3, h: extent[0], w: extent[1] };
        shape.check(OP, "extent")?;
        let (rows, columns) = (rows.resized(extent[0]), columns.resized(extent[1]));
        Tensor::from_fn(shape, |[_, c, i, j]| {
            let channel = if preprocessing.order == ChannelOrder::Bgr { 2 - c } else { c };
            let value = between(&rows[i], &columns[j], |row, column| f32::from(pixel(image, row, column)[channel]));
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

/// A pixel's bytes; black beyond the image.
fn pixel(image: &RgbImage, row: i64, column: i64) -> [u8; 3] {
    let [height, width] = image.extent();
    let inside = |cell: i64, cells: usize| usize::try_from(cell).ok().filter(|&cell| cell < cells);
    match (inside(row, height), inside(column, width)) {
        (Some(row), Some(column)) => {
            let first = 3 * (row * width + column);
            [0, 1, 2].map(|channel| image.data()[first + channel])
        }
        _ => [0; 3],
    }
}
