//! Exact answers for a part of a convolution's output, so that large layers can be verified too.
//!
//! A window of the output depends on a window of the input, extended by zeros where it reaches past the border. The
//! reference computes that cropped problem: its values are the full problem's, its bound is at most as tight. Windows
//! are whole tiles of minimal filtering, where that is how the output was computed, so that its tiles are the full
//! problem's too.

use std::ops::Range;

use switchback::reference::Answer;
use switchback::{Conv2d, ConvTranspose2d, Padding, Result, Shape, Tensor};

/// Rows and columns of a window at least, where the output has as many.
const LENGTH: usize = 4;

/// Output channels of a window, where a group has as many.
const CHANNELS: usize = 4;

/// A window of an output: one image, some channels of one group, some rows and columns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Window {
    image: usize,
    group: usize,
    /// Within the group.
    channels: Range<usize>,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Window {
    /// Tiles for [`Window::samples`] of what is not computed in tiles.
    pub(super) const PLAIN: [usize; 2] = [LENGTH, LENGTH];

    /// Sixteen windows: corners, edges and inner parts of the output, first and last images, groups and channels, where
    /// dispatches and tiles end. Each begins where a tile of so many rows and columns does, and so it ends.
    pub(super) fn samples(output: Shape, groups: usize, tile: [usize; 2]) -> Vec<Self> {
        let cells = |axis: usize| {
            let (length, tile) = (output.extent()[axis], tile[axis]);
            let starts = [0, length / 3, length * 2 / 3, length - 1].map(|start| start / tile * tile);
            starts.map(|start| start..(start + LENGTH.next_multiple_of(tile)).min(length))
        };
        let (rows, columns) = (cells(0), cells(1));
        let group_outputs = output.c / groups;
        let last = group_outputs.saturating_sub(CHANNELS);
        let channels = [0, last / 3, last * 2 / 3, last].map(|start| start..(start + CHANNELS).min(group_outputs));
        let window = |i: usize, j: usize| Self {
            image: [0, output.n - 1][(i + j) % 2],
            group: [0, groups - 1][i % 2],
            channels: channels[(i + 2 * j) % 4].clone(),
            rows: rows[i].clone(),
            columns: columns[j].clone(),
        };
        (0..16).map(|k| window(k / 4, k % 4)).collect()
    }

    /// How many elements it covers.
    pub(super) fn elements(&self) -> usize {
        self.channels.len() * self.rows.len() * self.columns.len()
    }

    /// This window of the output.
    pub(super) fn of(&self, output: &Tensor, groups: usize) -> Result<Tensor> {
        let channels = self.output_channels(output.shape().c / groups);
        cut(output, [self.images(), channels], [signed(&self.rows), signed(&self.columns)])
    }

    /// This window of a convolution's output, `answer` being the reference to ask.
    pub(super) fn conv2d(
        &self,
        op: &Conv2d,
        [x, w]: [&Tensor; 2],
        bias: Option<&Tensor>,
        answer: impl Fn(&Conv2d, &Tensor, &Tensor, Option<&Tensor>) -> Result<Answer>,
    ) -> Result<Answer> {
        let read = |axis: usize, window: &Range<usize>| {
            let start = window.start * op.stride[axis];
            let end = (window.end - 1) * op.stride[axis] + op.dilation[axis] * (op.kernel[axis] - 1) + 1;
            let before = op.pad.before()[axis] as isize;
            start as isize - before..end as isize - before
        };
        let outputs = self.output_channels(w.shape().n / op.groups);
        let inputs = self.inputs(w.shape().c);
        let x = cut(x, [self.images(), inputs], [read(0, &self.rows), read(1, &self.columns)])?;
        let w = cut(w, [outputs.clone(), 0..w.shape().c], whole(w))?;
        let bias = bias.map(|bias| cut(bias, [0..1, outputs], whole(bias))).transpose()?;
        answer(&op.groups(1).pad(0), &x, &w, bias.as_ref())
    }

    /// This window of a transposed convolution's output, `answer` being the reference to ask.
    pub(super) fn conv_transpose2d(
        &self,
        op: &ConvTranspose2d,
        [x, w]: [&Tensor; 2],
        bias: Option<&Tensor>,
        answer: impl Fn(&ConvTranspose2d, &Tensor, &Tensor, Option<&Tensor>) -> Result<Answer>,
    ) -> Result<Answer> {
        // What is read along an axis, the border to cut off that input's output, and the cells to add to it.
        let read = |axis: usize, window: &Range<usize>| {
            let stride = op.stride[axis] as isize;
            let span = (op.dilation[axis] * (op.kernel[axis] - 1) + 1) as isize;
            // In cells of the uncropped output, where input cell i reaches i*stride .. i*stride + span.
            let before = op.pad.before()[axis];
            let (start, end) = ((window.start + before) as isize, (window.end + before) as isize);
            let first = (start - span).div_euclid(stride).saturating_add(1).min(start / stride);
            let last = (end - 1) / stride;
            let missing = end - (last * stride + span);
            let border = [start - first * stride, -missing].map(|cells| cells.max(0) as usize);
            (first..last + 1, border, missing.max(0) as usize)
        };
        let (rows, [top, bottom], below) = read(0, &self.rows);
        let (columns, [left, right], beside) = read(1, &self.columns);
        let inputs = self.inputs(w.shape().n / op.groups);
        let outputs = self.output_channels(w.shape().c);
        let x = cut(x, [self.images(), inputs.clone()], [rows, columns])?;
        let w = cut(w, [inputs, self.channels.clone()], whole(w))?;
        let bias = bias.map(|bias| cut(bias, [0..1, outputs], whole(bias))).transpose()?;
        let op = op.groups(1).pad(Padding { top, bottom, left, right }).output_padding([below, beside]);
        answer(&op, &x, &w, bias.as_ref())
    }

    fn images(&self) -> Range<usize> {
        self.image..self.image + 1
    }

    /// Input channels of the window's group.
    fn inputs(&self, group_inputs: usize) -> Range<usize> {
        self.group * group_inputs..(self.group + 1) * group_inputs
    }

    /// The window's channels, counted over all groups.
    fn output_channels(&self, group_outputs: usize) -> Range<usize> {
        let first = self.group * group_outputs;
        first + self.channels.start..first + self.channels.end
    }
}

/// The block of a tensor at these indices along each axis; rows and columns outside it are zero.
fn cut(tensor: &Tensor, [n, c]: [Range<usize>; 2], [y, x]: [Range<isize>; 2]) -> Result<Tensor> {
    Tensor::from_fn([n.len(), c.len(), y.len(), x.len()], |[i, j, k, l]| {
        let (row, column) = (y.start + k as isize, x.start + l as isize);
        let inside = usize::try_from(row).ok().zip(usize::try_from(column).ok());
        inside.and_then(|(row, column)| tensor.get([n.start + i, c.start + j, row, column])).unwrap_or(0.0)
    })
}

fn signed(range: &Range<usize>) -> Range<isize> {
    range.start as isize..range.end as isize
}

/// All rows and columns of a weight or bias.
fn whole(tensor: &Tensor) -> [Range<isize>; 2] {
    tensor.shape().extent().map(|extent| 0..extent as isize)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use switchback::reference;

    use super::*;

    fn random(shape: impl Into<Shape>) -> Tensor {
        crate::bench::data::tensor(shape.into(), 5).unwrap()
    }

    /// Every sampled window of the reference's own whole answer.
    fn agrees(whole: &Answer, groups: usize, part: impl Fn(&Window) -> Result<Answer>) {
        let output = whole.tensor();
        for window in Window::samples(output.shape(), groups, Window::PLAIN) {
            let expected = part(&window).unwrap();
            let found = window.of(&output, groups).unwrap();
            assert_eq!(expected.shape(), found.shape(), "{window:?}");
            assert_eq!(expected.tensor(), found, "{window:?}");
        }
    }

    #[test]
    fn convolution_windows_are_the_whole_answers() {
        for (op, input, weight) in [
            (Conv2d::new([3, 3]).pad(1), [2, 3, 11, 13], [5, 3, 3, 3]),
            (Conv2d::new([3, 3]).pad(9), [1, 2, 4, 5], [3, 2, 3, 3]), // corners that see nothing but padding
            (Conv2d::new([7, 7]).relu(), [1, 2, 9, 9], [9, 2, 7, 7]),
            (Conv2d::new([2, 3]).stride([3, 5]).dilation([2, 1]).groups(2), [1, 4, 17, 19], [6, 2, 2, 3]),
            (Conv2d::new([1, 1]), [1, 2, 1, 1], [1, 2, 1, 1]),
        ] {
            let (x, w, b) = (random(input), random(weight), random(Shape::vector(weight[0])));
            let whole = reference::conv2d(&op, &x, &w, Some(&b)).unwrap();
            agrees(&whole, op.groups, |window| window.conv2d(&op, [&x, &w], Some(&b), reference::conv2d));
        }
    }

    #[test]
    fn transposed_convolution_windows_are_the_whole_answers() {
        for (op, input, weight) in [
            (ConvTranspose2d::new([4, 4]).stride([2, 2]), [2, 3, 6, 5], [3, 5, 4, 4]),
            (ConvTranspose2d::new([16, 16]).stride([8, 8]).pad(4), [1, 2, 4, 3], [2, 3, 16, 16]),
            (ConvTranspose2d::new([3, 2]).stride([5, 4]).output_padding([4, 3]), [1, 2, 4, 5], [2, 3, 3, 2]), // gaps
            (ConvTranspose2d::new([3, 3]).dilation([2, 3]).groups(2).relu(), [1, 4, 7, 6], [4, 2, 3, 3]),
            (ConvTranspose2d::new([5, 5]).stride([2, 3]).pad(2).output_size([8, 11]), [1, 2, 4, 4], [2, 2, 5, 5]),
            (ConvTranspose2d::new([1, 1]), [1, 1, 1, 1], [1, 1, 1, 1]),
        ] {
            let (x, w, b) = (random(input), random(weight), random(Shape::vector(weight[1] * op.groups)));
            let whole = reference::conv_transpose2d(&op, &x, &w, Some(&b)).unwrap();
            agrees(&whole, op.groups, |window| {
                window.conv_transpose2d(&op, [&x, &w], Some(&b), reference::conv_transpose2d)
            });
        }
    }

    #[test]
    fn windows_keep_the_tiles_of_minimal_filtering() {
        let alike = |sizes| [sizes, sizes];
        for (filtering, kernel) in [
            (alike([2, 3]), [3, 3]),
            (alike([4, 3]), [3, 3]),
            (alike([4, 4]), [3, 3]),
            (alike([4, 4]), [7, 7]),
            (alike([6, 3]), [3, 3]),
            ([[5, 4], [2, 7]], [4, 7]),
        ] {
            let op = Conv2d::new(kernel).pad([kernel[0] / 2, kernel[1] / 2]);
            let (x, w) = (random([1, 2, 10, 15]), random([5, 2, kernel[0], kernel[1]]));
            let answer = |op: &Conv2d, x: &Tensor, w: &Tensor, bias: Option<&Tensor>| {
                reference::conv2d_minimal_filtering(op, x, w, bias, filtering)
            };
            let whole = answer(&op, &x, &w, None).unwrap();
            for window in Window::samples(whole.shape(), 1, filtering.map(|[cells, _]| cells)) {
                let part = window.conv2d(&op, [&x, &w], None, answer).unwrap();
                let magnitudes = |answer: &Answer| {
                    let data = answer.sums().iter().map(|sum| sum.magnitude as f32).collect();
                    Tensor::new(answer.shape(), data).unwrap()
                };
                assert_eq!(magnitudes(&part), window.of(&magnitudes(&whole), 1).unwrap(), "{filtering:?} {window:?}");
            }
        }
    }

    #[test]
    fn a_wrong_element_in_a_window_is_found() {
        let (op, x, w) = (Conv2d::new([3, 3]), random([1, 2, 9, 9]), random([4, 2, 3, 3]));
        let mut output = reference::conv2d(&op, &x, &w, None).unwrap().tensor();
        let window = &Window::samples(output.shape(), 1, Window::PLAIN)[15];
        let last = output.data().len() - 1;
        output.data_mut()[last] += 0.01;
        let found = window.of(&output, 1).unwrap();
        assert!(window.conv2d(&op, [&x, &w], None, reference::conv2d).unwrap().check(&found).is_err());
    }
}
