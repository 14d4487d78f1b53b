//! Where the operands of a convolution are, in which form, and what becomes of its sums.

use super::pooled::Pooling;
use crate::gpu::Buffer;
use crate::shape::Shape;

/// Where a convolution's operands are.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct Operands {
    pub(in crate::kernel) input: Buffer,
    pub(in crate::kernel) weight: Buffer,
    pub(in crate::kernel) bias: Buffer,
    pub(in crate::kernel) output: Buffer,
    pub(in crate::kernel) form: Form,
    /// A pooling that ends the convolution; its switches, if they are wanted, are the second output.
    pub(in crate::kernel) pooling: Option<Pooling>,
    /// Where output channels go that are phases of another map.
    pub(in crate::kernel) interleave: Option<Interleave>,
}

/// How output channels that are phases of a map are stored (`conv_transpose2d/interleaved.wgsl`).
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct Interleave {
    /// Phases along rows and columns.
    pub(in crate::kernel) phases: [usize; 2],
    /// Channels of the map that lie together.
    pub(in crate::kernel) pair: usize,
    /// The map.
    pub(in crate::kernel) output: Shape,
    /// The first row and column of cells that the convolution computes.
    pub(in crate::kernel) first: [usize; 2],
    /// Rows and columns of the first cells' phases that the map does not have.
    pub(in crate::kernel) cut: [usize; 2],
}

impl Interleave {
    pub(in crate::kernel) fn constants(self) -> [(&'static str, f64); 3] {
        let [rows, columns] = self.phases;
        [("PY", rows as f64), ("PX", columns as f64), ("PAIR", self.pair as f64)]
    }
}

impl Operands {
    pub(in crate::kernel) fn with_bias(bias: bool) -> Self {
        Self {
            form: Form::Words,
            input: Buffer::Input(0),
            weight: Buffer::Input(1),
            bias: if bias { Buffer::Input(2) } else { Buffer::Absent },
            output: Buffer::Output(0),
            pooling: None,
            interleave: None,
        }
    }
}

/// In which form a convolution's maps lie; weights that are packed have the form of the map that is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// f32.
    Words,
    /// f16, two channels a word ([`Storage::Halves`]).
    Halves,
    /// Read in f16, written in f32.
    HalvesToWords,
}
