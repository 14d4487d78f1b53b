//! From labels to a picture.

use super::Cost;
use crate::error::{Error, Result};
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
    /// Validates the operand, `1 x 1 x H x W`, and gives the picture's shape, `1 x 3 x H x W`.
    ///
    /// # Errors
    /// [`Error::Operand`] for an empty or too large map, for several maps, and for anything but one label a pixel.
    pub fn output_shape(&self, labels: Shape) -> Result<Shape> {
        labels.check("colorize", "labels")?;
        if (labels.n, labels.c) != (1, 1) {
            return Err(Error::operand("colorize", "labels", "one map with one label a pixel, 1x1xHxW", labels));
        }
        let output = labels.with_channels(3);
        output.check("colorize", "output")?;
        Ok(output)
    }

    /// Least bytes: one in, three out a pixel.
    ///
    /// # Errors
    /// As [`Colorize::output_shape`].
    pub fn cost(&self, labels: Shape) -> Result<Cost> {
        let pixels = self.output_shape(labels)?.plane() as u64;
        Ok(Cost { macs: 0, parameters: 0, bytes: 4 * pixels })
    }
}
