//! From an 8-bit image to a network's input.

use super::Cost;
use crate::error::Result;
use crate::shape::Shape;

/// Order of a network's three input channels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ChannelOrder {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first, as networks trained in Caffe want.
    Bgr,
}

/// `y[0,c,i,j] = (image[i,j, channel(c)] - mean[c]) * factor[c]`: 8-bit interleaved RGB to planar f32.
///
/// `mean` and `factor` are in the network's channel order.
///
/// ```
/// use switchback::{ChannelOrder, Normalize, RgbImage, reference};
/// let around_zero = Normalize { order: ChannelOrder::Rgb, mean: [127.5; 3], factor: [1.0 / 127.5; 3] };
/// let x = reference::normalize(&around_zero, &RgbImage::new([1, 1], vec![255, 0, 255])?)?.tensor();
/// assert_eq!((x.shape(), x.data()), ([1, 3, 1, 1].into(), &[1.0, -1.0, 1.0][..]));
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Normalize {
    /// The network's channel order.
    pub order: ChannelOrder,
    /// Subtracted first, in 0 to 255.
    pub mean: [f32; 3],
    /// Then multiplied.
    pub factor: [f32; 3],
}

impl Normalize {
    /// Nothing but the change of layout: RGB, 0 to 255.
    pub const RAW: Self = Self { order: ChannelOrder::Rgb, mean: [0.0; 3], factor: [1.0; 3] };

    /// Nothing but the change of layout, blue first: what SegNet was trained on.
    pub const RAW_BGR: Self = Self { order: ChannelOrder::Bgr, ..Self::RAW };

    /// What FCN and the Caffe VGG16 were trained on: BGR, 0 to 255, minus the PASCAL VOC mean
    /// (104.00699, 116.66877, 122.67892) of `fcn.berkeleyvision.org`'s `voc_layers.py`.
    pub const CAFFE: Self =
        Self { order: ChannelOrder::Bgr, mean: [104.006_99, 116.668_77, 122.678_92], factor: [1.0; 3] };

    /// What torchvision's ImageNet weights were trained on: RGB scaled to 0 to 1, minus the mean (0.485, 0.456, 0.406),
    /// over the deviation (0.229, 0.224, 0.225).
    pub const TORCHVISION: Self = Self {
        order: ChannelOrder::Rgb,
        mean: [0.485 * 255.0, 0.456 * 255.0, 0.406 * 255.0],
        factor: [1.0 / (0.229 * 255.0), 1.0 / (0.224 * 255.0), 1.0 / (0.225 * 255.0)],
    };

    /// The shape of the network's input for an image of `extent` (rows, columns): `1 x 3 x H x W`.
    ///
    /// # Errors
    /// [`crate::Error::Operand`] for an empty or too large image.
    pub fn output_shape(&self, extent: [usize; 2]) -> Result<Shape> {
        let output = Shape { n: 1, c: 3, h: extent[0], w: extent[1] };
        output.check("normalize", "image")?;
        Ok(output)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`Normalize::output_shape`].
    pub fn cost(&self, extent: [usize; 2]) -> Result<Cost> {
        let elements = self.output_shape(extent)?.elements() as u64;
        Ok(Cost { macs: elements, parameters: 0, bytes: 5 * elements })
    }
}
