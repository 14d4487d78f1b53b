//! From labels to a picture.

use super::Cost;
use crate::error::Result;
use crate::shape::Shape;

/// 256 RGB colours, one a class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Palette(pub [[u8; 3]; 256]);

impl Palette {
    /// PASCAL VOC's colours: the bits of the class index, three at a time, become the high bits of red, green and blue
    /// (`fcn.berkeleyvision.org`'s `vis.py`); 255 (void) is (224, 224, 192).
    #[must_use]
    pub fn voc() -> Self {
        let mut colours = [[0; 3]; 256];
        for (class, colour) in (0_u8..=255).zip(&mut colours) {
            for bit in 0..8 {
                colour[bit % 3] |= (class >> bit & 1) << (7 - bit / 3);
            }
        }
        Self(colours)
    }
}

/// Each pixel's label as its colour in a palette: [`crate::Labels`] to [`crate::RgbImage`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Colorize;

impl Colorize {
    /// The label map's extent as an image's shape, `1 x 3 x H x W`.
    ///
    /// # Errors
    /// [`crate::Error::Operand`] for an empty or too large map.
    pub fn output_shape(&self, extent: [usize; 2]) -> Result<Shape> {
        let output = Shape { n: 1, c: 3, h: extent[0], w: extent[1] };
        output.check("colorize", "labels")?;
        Ok(output)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`Colorize::output_shape`].
    pub fn cost(&self, extent: [usize; 2]) -> Result<Cost> {
        let pixels = (self.output_shape(extent)?.elements() / 3) as u64;
        Ok(Cost { macs: 0, parameters: 0, bytes: 4 * pixels })
    }
}
