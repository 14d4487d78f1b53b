//! What was seen through a view, as pictures: projections beside the patches they come from, as in Zeiler and Fergus's
//! second figure.

use super::{Activation, DeconvView, OP};
use crate::error::{Error, Result};
use crate::net::Region;
use crate::shape::Shape;
use crate::tensor::{RgbImage, Tensor};

/// Longer side that small tiles are magnified to at least, in pixels.
const TILE: usize = 96;
/// Between tiles, and between the two halves.
const GAP: usize = 3;
const GUTTER: usize = 12;
const PAPER: u8 = 255;

/// One activation as it is shown: what the unit made of the image, and the part of the image that it looked at.
#[derive(Clone, PartialEq, Debug)]
pub struct Sight {
    /// The activation.
    pub activation: Activation,
    /// Its receptive field within the image.
    pub region: Region,
    /// Its projection down to pixels there: zero is grey, the strongest value of either sign as far from it as a byte goes.
    pub projection: RgbImage,
    /// The image there.
    pub patch: RgbImage,
}

impl DeconvView {
    /// An activation's `pixels` (the view's output for [`keep`](DeconvView::keep)) and the image that they are of, both cut
    /// to the activation's receptive field.
    ///
    /// # Errors
    /// [`Error::Operand`] for pixels that are not three channels of the image's extent, or for an activation that the layer
    /// does not have or whose receptive field lies beyond the image altogether.
    pub fn sight(&self, image: &RgbImage, activation: Activation, pixels: &Tensor) -> Result<Sight> {
        let [h, w] = image.extent();
        let expected = Shape { n: 1, c: 3, h, w };
        if pixels.shape() != expected {
            return Err(Error::operand(OP, "pixels", format!("{expected}, as the image"), pixels.shape()));
        }
        let field = self.receptive_field(activation)?;
        let region = field.within(image.extent()).ok_or_else(|| {
            let expected = format!("one that looks at the image of {h}x{w}");
            Error::operand(OP, "activation", expected, format!("{activation:?}, which looks at {field:?}"))
        })?;
        let projection = region.cut(&self.picture(pixels)?)?;
        Ok(Sight { activation, region, projection, patch: region.cut(image)? })
    }
}

/// Several sights in one picture, `columns` of them a row: their projections, and to the right of them their patches in the
/// same order. Tiles are as large as the largest sight, and magnified by a whole number if they are small.
///
/// # Errors
/// [`Error::Parameter`] for no sights or no columns; [`Error::Operand`] for a picture that would be too large.
pub fn plate(sights: &[Sight], columns: usize) -> Result<RgbImage> {
    if sights.is_empty() || columns == 0 {
        let found = format!("{} sights in {columns} columns", sights.len());
        return Err(Error::parameter(OP, "plate", "at least one sight and one column", found));
    }
    let shown = || sights.iter().flat_map(|sight| [sight.patch.extent(), sight.projection.extent()]);
    let largest = |axis: usize| shown().map(|extent| extent[axis]).max().unwrap_or(1);
    let magnified = TILE.div_ceil(largest(0).max(largest(1)));
    let tile = [largest(0), largest(1)].map(|cells| cells * magnified);
    let rows = sights.len().div_ceil(columns);
    let along = |count: usize, cells: usize| count.saturating_mul(cells + GAP) - GAP;
    let half = along(columns, tile[1]);
    let mut picture = Canvas::new([along(rows, tile[0]), half.saturating_mul(2).saturating_add(GUTTER)])?;
    for (position, sight) in sights.iter().enumerate() {
        let (row, column) = (position / columns, position % columns);
        for (start, image) in [(0, &sight.projection), (half + GUTTER, &sight.patch)] {
            // In the middle of its tile.
            let inset = [0, 1].map(|axis| (tile[axis] - image.extent()[axis] * magnified) / 2);
            let place = [row * (tile[0] + GAP) + inset[0], start + column * (tile[1] + GAP) + inset[1]];
            picture.put(image, place, magnified);
        }
    }
    RgbImage::new(picture.extent, picture.bytes)
}

struct Canvas {
    extent: [usize; 2],
    bytes: Vec<u8>,
}

impl Canvas {
    fn new(extent: [usize; 2]) -> Result<Self> {
        let shape = Shape { n: 1, c: 3, h: extent[0], w: extent[1] };
        shape.check(OP, "plate")?;
        Ok(Self { extent, bytes: vec![PAPER; shape.elements()] })
    }

    /// Each pixel of an image as a square of so many.
    fn put(&mut self, image: &RgbImage, [top, left]: [usize; 2], magnified: usize) {
        let [rows, columns] = image.extent();
        for y in 0..rows * magnified {
            for x in 0..columns * magnified {
                let from = 3 * (y / magnified * columns + x / magnified);
                let to = 3 * ((top + y) * self.extent[1] + left + x);
                self.bytes[to..to + 3].copy_from_slice(&image.data()[from..from + 3]);
            }
        }
    }
}
