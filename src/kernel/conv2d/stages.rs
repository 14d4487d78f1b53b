//! The products whose operands are staged in workgroup memory (`conv2d/stages.wgsl`), for GPUs: their kernels and workgroups.

use crate::gpu::{Caps, Kernel, Part};
use crate::kernel::card::Card;
use crate::kernel::part;

pub(super) static STAGES: Part = part!("conv2d/stages.wgsl");
pub(super) static STAGES_WORDS: Part = part!("conv2d/stages_words.wgsl");
pub(super) static STAGES_VECTORS: Part = part!("conv2d/stages_vectors.wgsl");

/// A kernel in two forms that differ in what its workgroup memory is made of; their results are the same, bit for bit.
pub(super) struct Staged {
    /// For any device.
    pub(super) words: Kernel,
    /// For those that say [`Caps::writes_components`].
    pub(super) vectors: Kernel,
}

impl Staged {
    pub(super) fn on(&'static self, caps: &Caps) -> &'static Kernel {
        if caps.writes_components { &self.vectors } else { &self.words }
    }
}

/// Both forms of the kernel of a name, with these bindings and other parts, the last its own file.
macro_rules! staged {
    ($name:expr, $bindings:expr, [$($part:expr),*]) => {{
        use $crate::kernel::conv2d::stages::{STAGES, STAGES_VECTORS, STAGES_WORDS, Staged};
        Staged {
            words: Kernel {
                name: $name,
                parts: &[&STAGES, &STAGES_WORDS, $($part),*],
                bindings: $bindings,
                needs_float_atomics: false,
            },
            vectors: Kernel {
                name: concat!($name, "_vectors"),
                parts: &[&STAGES, &STAGES_VECTORS, $($part),*],
                bindings: $bindings,
                needs_float_atomics: false,
            },
        }
    }};
}
pub(super) use staged;

/// Terms of a stage, in fours.
pub(super) const STAGE_QUADS: u64 = 2;

/// Rows or cells of a workgroup.
const SIDES: [u64; 2] = [128, 64];

/// What a multiply-add takes where a side is the shorter one, against the longer: operands serve half as many. (H200: 31
/// TFLOP/s by 128 x 128, 26 by 64 x 128.)
const SHORTER: f64 = 1.2;

/// The same where both sides are, though there are cells for a longer one: few invocations wait for memory (256->21 1x1 @88, 121
/// workgroups: 132 us, where 64 x 128 in eight parts take 43).
const SMALL: f64 = 4.0;

/// How many rows and cells a workgroup computes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stages {
    pub(super) rows: u64,
    pub(super) cells: u64,
}

impl Stages {
    /// The workgroup of least effort for so many `products` of so many rows and cells each; weights fill up its rows, so that
    /// it has the more only if there are some.
    pub(super) fn of(products: u64, rows: u64, cells: u64) -> Self {
        let sides = SIDES.into_iter().filter(|&side| side <= rows.next_multiple_of(SIDES[1]));
        Self::least(sides.flat_map(|rows| SIDES.map(|cells| Self { rows, cells })), products, rows, cells)
    }

    /// The same with so many rows of a workgroup, for as many as there are.
    pub(super) fn with_rows(products: u64, rows: u64, all_rows: u64, cells: u64) -> Self {
        Self::least(SIDES.into_iter().map(|cells| Self { rows, cells }), products, all_rows, cells)
    }

    fn least(offers: impl Iterator<Item = Self>, products: u64, rows: u64, cells: u64) -> Self {
        let effort = |offer: &Self| offer.effort(products, rows, cells, Card::LARGE);
        offers.min_by(|a, b| effort(a).total_cmp(&effort(b))).unwrap_or(Self { rows: SIDES[0], cells: SIDES[0] })
    }

    /// Workgroups of so many products.
    fn workgroups(self, products: u64, rows: u64, cells: u64) -> u64 {
        products * rows.div_ceil(self.rows) * cells.div_ceil(self.cells)
    }

    /// What a multiply-add takes, against that of the largest workgroup, where a product has so many cells.
    pub(super) fn rate(self, cells: u64) -> f64 {
        match (self.rows < SIDES[0], self.cells < SIDES[0]) {
            (true, true) if cells > self.cells => SMALL,
            (true, true) => SHORTER * SHORTER,
            (false, false) => 1.0,
            _ => SHORTER,
        }
    }

    /// What a term of each sum takes on a card, in multiply-adds of the largest workgroup, with what is idle.
    pub(super) fn effort(self, products: u64, rows: u64, cells: u64, card: Card) -> f64 {
        let workgroups = self.workgroups(products, rows, cells);
        let executed = (workgroups * self.rows * self.cells) as f64;
        executed * self.rate(cells) * card.idle_of_staged(workgroups)
    }

    /// Overrides that say so, for the form of [`Staged::on`] such a device.
    pub(super) fn constants(self, caps: &Caps) -> Vec<(&'static str, f64)> {
        let count = |name, count: u64| (name, count as f64);
        let staged = 2 * 4 * STAGE_QUADS / if caps.writes_components { 4 } else { 1 };
        vec![
            count("ROWS", self.rows),
            count("CELLS", self.cells),
            count("STAGED_ROWS", staged * self.rows),
            count("STAGED_CELLS", staged * self.cells),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workgroups_are_as_large_as_keeps_a_gpu_busy() {
        let of = |products, rows, cells| {
            let Stages { rows, cells } = Stages::of(products, rows, cells);
            [rows, cells]
        };
        // conv1_2 and conv3_2 of FCN-8s as they are; fc6 in tiles of 8x8 cells; fc7 whole and in four parts; 512 channels at 14x14.
        assert_eq!(of(1, 64, 698 * 698), [64, 128]);
        assert_eq!(of(1, 256, 175 * 175), [128, 128]);
        assert_eq!(of(64, 4096, 64), [128, 64]);
        assert_eq!(of(1, 4096, 256), [128, 64]);
        assert_eq!(of(4, 4096, 256), [128, 128]);
        assert_eq!(of(1, 512, 196), [128, 64]);
        // Its tiles of F(2x2, 3x3), score_pool3 in parts.
        assert_eq!(of(16, 512, 49), [64, 64]);
        assert_eq!(of(8, 21, 88 * 88), [64, 128]);
        assert_eq!(of(1, 21, 256), [64, 128]);
    }
}
