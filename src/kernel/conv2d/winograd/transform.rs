//! The transforms of minimal filtering: sizes of tiles and kernels, and the kernels that compute them.

use super::super::Variant;
use super::kernels;
use crate::gpu::{Caps, Kernel};
use crate::kernel::WORKGROUP;
use crate::op::Conv2d;

/// Which convolution kernels a transform multiplies with.
pub(super) enum Taps {
    /// Those of so many taps a side.
    Square(usize),
    /// Any, in pieces of so many taps a side.
    Pieces(usize),
    /// Those of so many taps along either axis, from the first number to the second: the more taps, the fewer cells a
    /// tile gives.
    Between(usize, usize),
}

/// One of the transforms: F(m, r) along each axis, for tiles of m + r - 1 cells.
pub(in crate::kernel::conv2d) struct Transform {
    pub(super) variant: Variant,
    /// Cells of a tile of the input along each axis.
    pub(super) side: usize,
    pub(super) taps: Taps,
    pub(super) input: &'static Kernel,
    pub(super) weight: &'static Kernel,
    output: &'static Kernel,
    /// The same for GPUs, if there is one: neighbours write neighbouring cells, by way of workgroup memory.
    staged_output: Option<&'static Kernel>,
    /// `output` with a max pooling after it.
    pub(super) pooled_output: &'static Kernel,
}

impl Transform {
    /// Positions of a transformed tile.
    pub(super) fn positions(&self) -> u64 {
        (self.side as u64).pow(2)
    }

    /// Taps along each axis of what is multiplied at once: the kernel, or a piece of it.
    fn taps(&self, op: &Conv2d) -> [usize; 2] {
        match self.taps {
            Taps::Square(taps) | Taps::Pieces(taps) => [taps, taps],
            Taps::Between(..) => op.kernel,
        }
    }

    /// The kernel that makes the output on such a device, and overrides that it alone has.
    pub(super) fn output_kernel(&self, op: &Conv2d, caps: &Caps) -> (&'static Kernel, Vec<(&'static str, f64)>) {
        match self.staged_output {
            Some(staged) if !caps.software => {
                let cells = self.cells(op).into_iter().product::<usize>();
                (staged, vec![("CELLS", cells as f64 * f64::from(WORKGROUP))])
            }
            _ => (self.output, vec![]),
        }
    }

    /// Output cells of a tile along each axis.
    pub(super) fn cells(&self, op: &Conv2d) -> [usize; 2] {
        self.taps(op).map(|taps| self.side + 1 - taps)
    }

    /// `[m, r]` along rows and along columns.
    pub(super) fn sizes(&self, op: &Conv2d) -> [[usize; 2]; 2] {
        let (cells, taps) = (self.cells(op), self.taps(op));
        [0, 1].map(|axis| [cells[axis], taps[axis]])
    }

    pub(super) fn in_pieces(&self) -> bool {
        matches!(self.taps, Taps::Pieces(_))
    }

    /// Rows and columns of pieces in which the kernel is multiplied.
    pub(super) fn pieces(&self, op: &Conv2d) -> [u64; 2] {
        let taps = self.taps(op);
        [0, 1].map(|axis| op.kernel[axis].div_ceil(taps[axis]) as u64)
    }

    /// Whether it multiplies with this convolution's kernel.
    pub(super) fn serves(&self, op: &Conv2d) -> bool {
        match self.taps {
            Taps::Square(taps) => op.kernel == [taps, taps],
            Taps::Pieces(_) => true,
            Taps::Between(least, most) => op.kernel.iter().all(|taps| (least..=most).contains(taps)),
        }
    }

    /// The kernels that it multiplies with, in words.
    pub(super) fn kernels(&self) -> String {
        match self.taps {
            Taps::Square(taps) => format!("{taps}x{taps} kernels"),
            Taps::Pieces(_) => "kernels".to_owned(),
            Taps::Between(least, most) => format!("kernels of {least}x{least} to {most}x{most} taps"),
        }
    }

    /// Overrides of `weight` that say which kernel it is, where that is not fixed.
    pub(super) fn weight_constants(&self, op: &Conv2d) -> Vec<(&'static str, f64)> {
        let [kh, kw] = op.kernel.map(|taps| taps as f64);
        if matches!(self.taps, Taps::Square(_)) { vec![] } else { vec![("KH", kh), ("KW", kw)] }
    }

    /// Overrides of `input` and `output` that say how many cells a tile gives, where that is not fixed.
    pub(super) fn tile_constants(&self, op: &Conv2d) -> Vec<(&'static str, f64)> {
        let [mh, mw] = self.cells(op).map(|cells| cells as f64);
        if matches!(self.taps, Taps::Between(..)) { vec![("MH", mh), ("MW", mw)] } else { vec![] }
    }
}

/// F(2x2, 3x3): 2.25 times fewer products, exact on small integers.
pub(in crate::kernel::conv2d) static F2: Transform = Transform {
    variant: Variant::WinogradF2,
    side: 4,
    taps: Taps::Square(3),
    input: &kernels::F2_INPUT,
    weight: &kernels::F2_WEIGHT,
    output: &kernels::F2_OUTPUT,
    staged_output: None,
    pooled_output: &kernels::F2_POOLED,
};
/// F(4x4, 3x3): 4 times fewer products.
pub(in crate::kernel::conv2d) static F4: Transform = Transform {
    variant: Variant::WinogradF4,
    side: 6,
    taps: Taps::Square(3),
    input: &kernels::F4_INPUT,
    weight: &kernels::F4_WEIGHT,
    output: &kernels::F4_OUTPUT,
    staged_output: None,
    pooled_output: &kernels::F4_POOLED,
};
/// F(4x4, 4x4) of each piece of a kernel: 4 times fewer products for one of 7x7.
pub(in crate::kernel::conv2d) static PIECES: Transform = Transform {
    variant: Variant::WinogradPieces,
    side: 7,
    taps: Taps::Pieces(4),
    input: &kernels::PIECES_INPUT,
    weight: &kernels::PIECES_WEIGHT,
    output: &kernels::PIECES_OUTPUT,
    staged_output: None,
    pooled_output: &kernels::PIECES_POOLED,
};
/// F(6x6, 3x3), F(5x5, 4x4), F(4x4, 5x5), F(3x3, 6x6), F(2x2, 7x7) and their mixtures: 5.1, 6.25, 6.25, 5.1 and 3.1
/// times fewer products.
pub(in crate::kernel::conv2d) static EIGHT: Transform = Transform {
    variant: Variant::WinogradEight,
    side: 8,
    taps: Taps::Between(2, 7),
    input: &kernels::EIGHT_INPUT,
    weight: &kernels::EIGHT_WEIGHT,
    output: &kernels::EIGHT_OUTPUT,
    staged_output: Some(&kernels::EIGHT_OUTPUT_STAGED),
    pooled_output: &kernels::EIGHT_POOLED,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_of_eight_cells_gives_fewer_the_more_taps_there_are() {
        for (kernel, cells) in [([3, 3], [6, 6]), ([2, 5], [7, 4]), ([7, 6], [2, 3])] {
            assert_eq!((EIGHT.cells(&Conv2d::new(kernel)), EIGHT.pieces(&Conv2d::new(kernel))), (cells, [1, 1]));
            assert!(EIGHT.serves(&Conv2d::new(kernel)));
        }
        assert!([[1, 3], [3, 8]].iter().all(|&kernel| !EIGHT.serves(&Conv2d::new(kernel))));
        assert_eq!(PIECES.cells(&Conv2d::new([7, 9])), [4, 4]);
        assert_eq!(PIECES.pieces(&Conv2d::new([7, 9])), [2, 3]);
        assert!(!F4.serves(&Conv2d::new([3, 4])));
    }
}
