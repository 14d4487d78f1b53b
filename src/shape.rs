//! Extents of a four-dimensional tensor and of the border around an image.

use std::fmt;

use crate::error::{Error, Result};

/// Extents of a tensor in NCHW order: batch, channels, rows, columns; the last varies fastest in memory.
///
/// A convolution's weight uses the same four places for output channels, input channels a group, kernel rows and
/// kernel columns; a transposed convolution's for input channels, output channels a group, rows, columns.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Batch (of a weight: the first channel axis).
    pub n: usize,
    /// Channels (of a weight: the second channel axis).
    pub c: usize,
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
}

impl Shape {
    /// The shape of a per-channel vector, such as a bias: `1 x channels x 1 x 1`.
    #[must_use]
    pub const fn vector(channels: usize) -> Self {
        Self { n: 1, c: channels, h: 1, w: 1 }
    }

    /// Number of elements; saturates, which [`Shape::check`] reports as an error.
    #[must_use]
    pub const fn elements(self) -> usize {
        self.n.saturating_mul(self.c).saturating_mul(self.h).saturating_mul(self.w)
    }

    /// Number of elements of one channel's plane.
    #[must_use]
    pub const fn plane(self) -> usize {
        self.h.saturating_mul(self.w)
    }

    /// Rows and columns.
    #[must_use]
    pub const fn extent(self) -> [usize; 2] {
        [self.h, self.w]
    }

    /// The four extents in order.
    #[must_use]
    pub const fn dims(self) -> [usize; 4] {
        [self.n, self.c, self.h, self.w]
    }

    /// The same batch and channels over other rows and columns.
    #[must_use]
    pub const fn with_extent(self, [h, w]: [usize; 2]) -> Self {
        Self { n: self.n, c: self.c, h, w }
    }

    /// The same shape with other channels.
    #[must_use]
    pub const fn with_channels(self, c: usize) -> Self {
        Self { n: self.n, c, h: self.h, w: self.w }
    }

    /// Flat position of an element; of one that the shape does not have, any number.
    #[must_use]
    pub const fn index(self, [n, c, y, x]: [usize; 4]) -> usize {
        let row = n.wrapping_mul(self.c).wrapping_add(c).wrapping_mul(self.h).wrapping_add(y);
        row.wrapping_mul(self.w).wrapping_add(x)
    }

    /// Batch, channel, row and column of the element at a flat position; the shape must not be empty.
    pub(crate) const fn position(self, index: usize) -> [usize; 4] {
        let row = index / self.w;
        [row / self.h / self.c, row / self.h % self.c, row % self.h, index % self.w]
    }

    /// Refuses an empty shape, and one whose elements a signed 32-bit shader index cannot count.
    ///
    /// # Errors
    /// [`Error::Operand`] that names `op` and `operand`.
    pub fn check(self, op: &'static str, operand: &str) -> Result<()> {
        if self.dims().contains(&0) {
            return Err(Error::operand(op, operand, "at least one element along every axis", self));
        }
        if i32::try_from(self.elements()).is_err() {
            return Err(Error::operand(op, operand, "fewer than 2^31 elements", self));
        }
        Ok(())
    }
}

impl From<[usize; 4]> for Shape {
    fn from([n, c, h, w]: [usize; 4]) -> Self {
        Self { n, c, h, w }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}x{}", self.n, self.c, self.h, self.w)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A border around an image, in rows and columns.
///
/// `Padding::from(1)` is one everywhere; `Padding::from([2, 3])` two rows above and below, three columns left and right.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
}

impl Padding {
    /// Nothing on any side.
    pub const NONE: Self = Self { top: 0, bottom: 0, left: 0, right: 0 };

    /// Border before the first row and before the first column.
    #[must_use]
    pub const fn before(self) -> [usize; 2] {
        [self.top, self.left]
    }

    /// Border after the last row and after the last column.
    #[must_use]
    pub const fn after(self) -> [usize; 2] {
        [self.bottom, self.right]
    }
}

impl From<usize> for Padding {
    fn from(all: usize) -> Self {
        Self { top: all, bottom: all, left: all, right: all }
    }
}

impl From<[usize; 2]> for Padding {
    fn from([rows, columns]: [usize; 2]) -> Self {
        Self { top: rows, bottom: rows, left: columns, right: columns }
    }
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { top, bottom, left, right } = self;
        write!(f, "(top {top}, bottom {bottom}, left {left}, right {right})")
    }
}
