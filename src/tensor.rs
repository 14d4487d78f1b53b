//! Host-side values: tensors, pooling switches, label maps and images. No GPU here.

use crate::error::{Error, Result};
use crate::op::MaxPool2d;
use crate::shape::Shape;

/// A dense f32 tensor in NCHW order.
///
/// ```
/// use switchback::Tensor;
/// let mut x = Tensor::from_fn([1, 2, 3, 4], |[_, c, y, x]| (100 * c + 10 * y + x) as f32)?;
/// assert_eq!(x.get([0, 1, 2, 3]), Some(123.0));
/// let first = x.shape().index([0, 1, 0, 0]);
/// x.data_mut()[first] = 7.0;
/// assert_eq!(x.reshape([2, 1, 3, 4])?.get([1, 0, 0, 0]), Some(7.0));
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    shape: Shape,
    data: Vec<f32>,
}

impl Tensor {
    /// A tensor of `shape` over `data`, the last axis varying fastest.
    ///
    /// # Errors
    /// [`Error::Operand`] if an axis is empty or `data` has another number of elements.
    pub fn new(shape: impl Into<Shape>, data: Vec<f32>) -> Result<Self> {
        let shape = shape.into();
        shape.check("tensor", "shape")?;
        if data.len() != shape.elements() {
            let expected = format!("{} elements for {shape}", shape.elements());
            return Err(Error::operand("tensor", "data", expected, format!("{} elements", data.len())));
        }
        Ok(Self { shape, data })
    }

    /// A tensor whose shape and data are known to fit.
    pub(crate) fn trusted(shape: Shape, data: Vec<f32>) -> Self {
        debug_assert_eq!(shape.elements(), data.len());
        Self { shape, data }
    }

    /// A tensor whose element at `[n, c, y, x]` is `value([n, c, y, x])`.
    ///
    /// # Errors
    /// [`Error::Operand`] if an axis is empty.
    pub fn from_fn(shape: impl Into<Shape>, mut value: impl FnMut([usize; 4]) -> f32) -> Result<Self> {
        let shape = shape.into();
        shape.check("tensor", "shape")?;
        let mut data = Vec::with_capacity(shape.elements());
        for n in 0..shape.n {
            for c in 0..shape.c {
                for y in 0..shape.h {
                    for x in 0..shape.w {
                        data.push(value([n, c, y, x]));
                    }
                }
            }
        }
        Ok(Self { shape, data })
    }

    /// A tensor with the same value everywhere.
    ///
    /// # Errors
    /// [`Error::Operand`] if an axis is empty.
    pub fn full(shape: impl Into<Shape>, value: f32) -> Result<Self> {
        let shape = shape.into();
        shape.check("tensor", "shape")?;
        Ok(Self { shape, data: vec![value; shape.elements()] })
    }

    /// A tensor of zeros.
    ///
    /// # Errors
    /// [`Error::Operand`] if an axis is empty.
    pub fn zeros(shape: impl Into<Shape>) -> Result<Self> {
        Self::full(shape, 0.0)
    }

    /// A per-channel vector, such as a bias: shape `1 x len x 1 x 1`.
    ///
    /// # Errors
    /// [`Error::Operand`] if it is empty.
    pub fn vector(data: Vec<f32>) -> Result<Self> {
        Self::new(Shape::vector(data.len()), data)
    }

    /// Its extents.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Its elements in NCHW order.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// Its elements in NCHW order, to be changed in place.
    #[must_use]
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Its elements, without a copy.
    #[must_use]
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }

    /// The element at `[n, c, y, x]`, or `None` outside.
    #[must_use]
    pub fn get(&self, [n, c, y, x]: [usize; 4]) -> Option<f32> {
        let inside = n < self.shape.n && c < self.shape.c && y < self.shape.h && x < self.shape.w;
        inside.then(|| self.data[self.shape.index([n, c, y, x])])
    }

    /// The elements at `[n, c, y, ..]`, which must lie inside.
    pub(crate) fn row(&self, [n, c, y]: [usize; 3]) -> &[f32] {
        let start = self.shape.index([n, c, y, 0]);
        &self.data[start..start + self.shape.w]
    }

    /// The same elements under another shape.
    ///
    /// # Errors
    /// [`Error::Operand`] if the element counts differ.
    pub fn reshape(self, shape: impl Into<Shape>) -> Result<Self> {
        Self::new(shape, self.data)
    }
}

/// Where each maximum of a pooling came from: what [`crate::MaxUnpool2d`] needs to put values back.
///
/// A switch is the flat position `row * width + column` of the maximum within its own plane of the pooling's *input*
/// (PyTorch's convention). The extent of that plane travels with the switches, so that unpooling cannot decode them
/// with a wrong width.
///
/// ```
/// use switchback::{MaxPool2d, MaxUnpool2d, Switches, Tensor, reference};
/// let x = Tensor::new([1, 1, 2, 4], vec![0.0, 3.0, 5.0, 1.0, 2.0, 1.0, 4.0, 4.0])?;
/// let (maxima, switches) = reference::max_pool2d(&MaxPool2d::new([2, 2]), &x)?;
/// assert_eq!((maxima.data(), switches.indices()), (&[3.0, 5.0][..], &[1, 2][..]));
/// // From elsewhere they are checked: each has to lie in its own window of the plane.
/// let other = Switches::new([1, 1, 1, 2], [2, 4], MaxPool2d::new([2, 2]), vec![4, 7])?;
/// let y = reference::max_unpool2d(&MaxUnpool2d::new(), &maxima, &other)?;
/// assert_eq!(y.data(), [0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 5.0]);
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Switches {
    shape: Shape,
    origin: [usize; 2],
    pool: MaxPool2d,
    indices: Vec<u32>,
}

impl Switches {
    /// Switches of `shape` (the pooled map's) into planes of extent `origin`, made by `pool`.
    ///
    /// # Errors
    /// [`Error::Operand`] if `pool` does not turn `origin` into `shape`'s extent or the count of `indices` is wrong;
    /// [`Error::Switch`] if an index points outside the plane; [`Error::Operand`] if one points outside its own
    /// pooling window (unpooling by gathering looks there only).
    pub fn new(shape: impl Into<Shape>, origin: [usize; 2], pool: MaxPool2d, indices: Vec<u32>) -> Result<Self> {
        const OP: &str = "switches";
        let shape = shape.into();
        shape.check(OP, "shape")?;
        let pooled = pool.output_shape(shape.with_extent(origin))?;
        if pooled != shape {
            return Err(Error::operand(
                OP,
                "shape",
                format!("{pooled} from a {}x{} plane", origin[0], origin[1]),
                shape,
            ));
        }
        if indices.len() != shape.elements() {
            return Err(Error::operand(OP, "indices", format!("{} for {shape}", shape.elements()), indices.len()));
        }
        let cells = origin[0] * origin[1];
        for (position, &index) in indices.iter().enumerate() {
            if index as usize >= cells {
                let [height, width] = origin;
                return Err(Error::Switch { op: OP, position, found: index, planes_cells: cells, height, width });
            }
            let (y, x) = (position / shape.w % shape.h, position % shape.w);
            if !pool.window_contains([y, x], [index as usize / origin[1], index as usize % origin[1]]) {
                let operand = format!("index {position}");
                return Err(Error::operand(OP, operand, format!("inside the window of cell ({y}, {x})"), index));
            }
        }
        Ok(Self { shape, origin, pool, indices })
    }

    /// Switches whose indices were made by this crate and need no check.
    pub(crate) fn trusted(shape: Shape, origin: [usize; 2], pool: MaxPool2d, indices: Vec<u32>) -> Self {
        Self { shape, origin, pool, indices }
    }

    /// Shape of the pooled map: one switch for each of its elements.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Rows and columns of the planes that were pooled.
    #[must_use]
    pub fn origin(&self) -> [usize; 2] {
        self.origin
    }

    /// The pooling that made them.
    #[must_use]
    pub fn pool(&self) -> MaxPool2d {
        self.pool
    }

    /// The flat plane-local indices, in NCHW order of the pooled map.
    #[must_use]
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// The indices, without a copy.
    #[must_use]
    pub fn into_indices(self) -> Vec<u32> {
        self.indices
    }
}

/// A class index for every pixel: one byte each, images one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Labels {
    count: usize,
    extent: [usize; 2],
    data: Vec<u8>,
}

impl Labels {
    /// Label maps of `count` images of `extent` (rows, columns).
    ///
    /// # Errors
    /// [`Error::Operand`] if an extent is zero or `data` has another length.
    pub fn new(count: usize, extent: [usize; 2], data: Vec<u8>) -> Result<Self> {
        Shape::from([count, 1, extent[0], extent[1]]).check("labels", "extent")?;
        let expected = count * extent[0] * extent[1];
        if data.len() != expected {
            return Err(Error::operand("labels", "data", format!("{expected} pixels"), data.len()));
        }
        Ok(Self { count, extent, data })
    }

    /// Extents as a tensor of one channel: `count x 1 x rows x columns`.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape { n: self.count, c: 1, h: self.extent[0], w: self.extent[1] }
    }

    /// Number of images.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Rows and columns of each image.
    #[must_use]
    pub fn extent(&self) -> [usize; 2] {
        self.extent
    }

    /// The labels, row by row, image after image.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The labels, without a copy.
    #[must_use]
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }
}

/// An 8-bit RGB image, rows of interleaved `r g b`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RgbImage {
    extent: [usize; 2],
    data: Vec<u8>,
}

impl RgbImage {
    /// An image of `extent` (rows, columns) over `3 * rows * columns` bytes.
    ///
    /// # Errors
    /// [`Error::Operand`] if an extent is zero or `data` has another length.
    pub fn new(extent: [usize; 2], data: Vec<u8>) -> Result<Self> {
        let shape = Shape::from([1, 3, extent[0], extent[1]]);
        shape.check("rgb image", "extent")?;
        if data.len() != shape.elements() {
            return Err(Error::operand("rgb image", "data", format!("{} bytes", shape.elements()), data.len()));
        }
        Ok(Self { extent, data })
    }

    /// Rows and columns.
    #[must_use]
    pub fn extent(&self) -> [usize; 2] {
        self.extent
    }

    /// The bytes `r g b r g b ...`, row by row.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The bytes, without a copy.
    #[must_use]
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }
}

/// A host-side value of any kind: what a graph takes and gives.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Value {
    /// f32, NCHW.
    Tensor(Tensor),
    /// Pooling switches.
    Switches(Switches),
    /// A class index a pixel.
    Labels(Labels),
    /// An 8-bit RGB image.
    Image(RgbImage),
}

impl Value {
    /// What it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tensor(_) => "a tensor",
            Self::Switches(_) => "switches",
            Self::Labels(_) => "labels",
            Self::Image(_) => "an RGB image",
        }
    }
}
