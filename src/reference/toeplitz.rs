//! A convolution written out as the sparse matrix that it is.
//!
//! Flatten one image `x` to a vector, and a convolution without bias is `y = C x`. The rows of C are output cells, its
//! columns input cells, and every row holds the same weights, each row further along: a doubly blocked Toeplitz matrix.
//! Transposed convolution with the same weights is `Cᵀ`, which is where its name is from; it is no inverse.

use super::sum::Accumulate;
use super::{Answer, Sum, inside};
use crate::error::{Error, Result};
use crate::op::Conv2d;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// The matrix C of a convolution over images of one extent.
///
/// ```
/// use switchback::{Conv2d, Tensor, reference::toeplitz::Toeplitz};
/// let w = Tensor::new([1, 1, 1, 2], vec![2.0, 3.0])?;
/// let c = Toeplitz::new(&Conv2d::new([1, 2]), [1, 1, 1, 3], &w)?;
/// assert_eq!(c.size(), [2, 3]); // rows 2 3 0 and 0 2 3
/// let y = c.apply(&Tensor::new([1, 1, 1, 3], vec![1.0, 10.0, 100.0])?)?.tensor();
/// assert_eq!(y.data(), [32.0, 320.0]);
/// assert_eq!(c.apply_transposed(&y)?.tensor().data(), [64.0, 736.0, 960.0]);
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Toeplitz {
    input: Shape,
    output: Shape,
    entries: Vec<Entry>,
}

/// One entry of a sparse matrix.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Entry {
    /// Flat position in the output image.
    pub row: usize,
    /// Flat position in the input image.
    pub column: usize,
    /// The weight that joins them.
    pub weight: f32,
}

impl Toeplitz {
    /// The matrix of `op` with weight `w` over images of shape `input`; its batch is applied image by image.
    ///
    /// # Errors
    /// As [`Conv2d::output_shape`]; [`Error::Parameter`] for a fused ReLU, which is not linear.
    pub fn new(op: &Conv2d, input: impl Into<Shape>, w: &Tensor) -> Result<Self> {
        let (input, weight) = (input.into(), w.shape());
        let output = op.output_shape(input, weight, None)?;
        if op.relu {
            return Err(Error::parameter("toeplitz", "relu", "a linear operator", "a fused ReLU"));
        }
        let (input, output) = (Shape { n: 1, ..input }, Shape { n: 1, ..output });
        let ([sy, sx], [dy, dx], [top, left]) = (op.stride, op.dilation, op.pad.before());
        let mut entries = Vec::new();
        for row in 0..output.elements() {
            let [_, o, i, j] = output.position(row);
            for c in 0..weight.c {
                for u in inside(weight.h, dy, i * sy, top, input.h) {
                    for v in inside(weight.w, dx, j * sx, left, input.w) {
                        let channel = o / (output.c / op.groups) * weight.c + c;
                        let column = input.index([0, channel, i * sy + u * dy - top, j * sx + v * dx - left]);
                        entries.push(Entry { row, column, weight: w.data()[weight.index([o, c, u, v])] });
                    }
                }
            }
        }
        Ok(Self { input, output, entries })
    }

    /// Rows and columns of the matrix.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        [self.output.elements(), self.input.elements()]
    }

    /// The entries that are not zero by construction, row by row.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// `C x`, image by image: the convolution.
    ///
    /// # Errors
    /// [`Error::Operand`] for images of another shape than C's columns.
    pub fn apply(&self, x: &Tensor) -> Result<Answer> {
        multiply(x, self.input, self.output, self.entries.iter().map(|e| (e.column, e.row, e.weight)))
    }

    /// `Cᵀ y`, image by image: the transposed convolution.
    ///
    /// # Errors
    /// [`Error::Operand`] for images of another shape than C's rows.
    pub fn apply_transposed(&self, y: &Tensor) -> Result<Answer> {
        multiply(y, self.output, self.input, self.entries.iter().map(|e| (e.row, e.column, e.weight)))
    }
}

/// Adds `weight * x[source]` to `sums[target]` for every `(source, target, weight)`.
fn multiply(
    x: &Tensor,
    source: Shape,
    target: Shape,
    entries: impl Iterator<Item = (usize, usize, f32)> + Clone,
) -> Result<Answer> {
    let batch = x.shape().n;
    if x.shape() != (Shape { n: batch, ..source }) {
        return Err(Error::operand("toeplitz", "images", format!("any number of {source}"), x.shape()));
    }
    let shape = Shape { n: batch, ..target };
    shape.check("toeplitz", "output")?;
    let mut sums = vec![Sum::default(); shape.elements()];
    for (x, sums) in x.data().chunks_exact(source.elements()).zip(sums.chunks_exact_mut(target.elements())) {
        entries.clone().for_each(|(source, target, weight)| sums[target].add_product(x[source], weight));
    }
    Ok(Answer::new(shape, sums))
}
