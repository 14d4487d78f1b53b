//! Where a layer's cells lie over another layer's: the arithmetic behind FCN's crop offsets.

use crate::error::{Error, Result};
use crate::op::{Conv2d, ConvTranspose2d, Crop, MaxPool2d};
use crate::shape::Padding;

/// The affine map, for rows and for columns, from a position in one map to the position in another that has the same
/// centre of sight: `to = scale * from + shift` (Caffe's `coord_map.py`).
///
/// Two maps of one network can be added, or compared with the image, where their maps from the image have the same
/// scale; the difference of the shifts is by how much one has to be cropped:
///
/// ```
/// use switchback::{Conv2d, ConvTranspose2d, net::CoordinateMap};
/// // A strided convolution and a transposed one that undoes its stride, but not its border.
/// let down = CoordinateMap::IDENTITY.conv2d(&Conv2d::new([2, 2]).stride([2, 2]).pad(1));
/// let up = down.conv_transpose2d(&ConvTranspose2d::new([4, 4]).stride([2, 2]));
/// assert_eq!(up.crop_offset(&CoordinateMap::IDENTITY)?, [2, 2]);
/// # Ok::<(), switchback::Error>(())
/// ```
///
/// Held in f64: strides that are powers of two and half-cell shifts, as in every network here, are exact.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CoordinateMap {
    /// Cells of the target for each cell of the source, in rows and columns.
    pub scale: [f64; 2],
    /// Position of the source's first cell in the target.
    pub shift: [f64; 2],
}

impl CoordinateMap {
    /// From a map to itself.
    pub const IDENTITY: Self = Self { scale: [1.0; 2], shift: [0.0; 2] };

    /// The map onward through a convolution: `to = (from + pad - (span - 1) / 2) / stride`, where `span` is the dilated
    /// kernel's.
    #[must_use]
    pub fn conv2d(&self, op: &Conv2d) -> Self {
        self.then(&Self::window(op.kernel, op.stride, op.pad, op.dilation))
    }

    /// The map onward through a pooling, which looks where a convolution would.
    #[must_use]
    pub fn max_pool2d(&self, op: &MaxPool2d) -> Self {
        self.then(&Self::window(op.kernel, op.stride, op.pad, op.dilation))
    }

    /// The map onward through a transposed convolution: the inverse of its convolution's.
    #[must_use]
    pub fn conv_transpose2d(&self, op: &ConvTranspose2d) -> Self {
        self.then(&Self::window(op.kernel, op.stride, op.pad, op.dilation).inverse())
    }

    /// The map onward through a crop.
    #[must_use]
    pub fn crop(&self, op: &Crop) -> Self {
        self.then(&Self { scale: [1.0; 2], shift: op.offset.map(|offset| -(offset as f64)) })
    }

    /// Where the target of `self`, cropped to line up with the target of `other`, has to begin; both come from one source.
    ///
    /// # Errors
    /// [`Error::Parameter`] if their cells are of different size, or the offset is negative or not a whole number.
    pub fn crop_offset(&self, other: &Self) -> Result<[usize; 2]> {
        let between = self.inverse().then(other);
        if between.scale != [1.0; 2] {
            return Err(Error::parameter("crop", "scale", "maps of one scale", format!("{:?}", between.scale)));
        }
        let offset = between.shift.map(|shift| -shift);
        if offset.iter().any(|&cells| cells < 0.0 || cells.fract() != 0.0 || cells > crate::op::MAX_PARAMETER as f64) {
            let expected = "a whole number of cells from 0";
            return Err(Error::parameter("crop", "offset", expected, format!("{offset:?}")));
        }
        Ok(offset.map(|cells| cells as usize))
    }

    fn window(kernel: [usize; 2], stride: [usize; 2], pad: Padding, dilation: [usize; 2]) -> Self {
        let scale = |axis: usize| 1.0 / stride[axis] as f64;
        let centre = |axis: usize| (kernel[axis] as f64 - 1.0) * dilation[axis] as f64 / 2.0;
        let shift = |axis: usize| (pad.before()[axis] as f64 - centre(axis)) * scale(axis);
        Self { scale: [0, 1].map(scale), shift: [0, 1].map(shift) }
    }

    /// First `self`, then `next`.
    fn then(&self, next: &Self) -> Self {
        let scale = |axis: usize| next.scale[axis] * self.scale[axis];
        let shift = |axis: usize| next.scale[axis] * self.shift[axis] + next.shift[axis];
        Self { scale: [0, 1].map(scale), shift: [0, 1].map(shift) }
    }

    fn inverse(&self) -> Self {
        let shift = |axis: usize| -self.shift[axis] / self.scale[axis];
        Self { scale: self.scale.map(|scale| 1.0 / scale), shift: [0, 1].map(shift) }
    }
}
