//! The products whose operands are staged in workgroup memory (`conv2d/stages.wgsl`), for GPUs: how large their workgroups are.

use crate::gpu::Part;
use crate::kernel::card::Card;
use crate::kernel::part;

pub(super) static STAGES: Part = part!("conv2d/stages.wgsl");

/// Terms of a stage, in fours.
pub(super) const STAGE_QUADS: u64 = 4;

/// What a workgroup may be, and how fast it is.
struct Offer {
    stages: Stages,
    /// What a multiply-add takes where many keep a card busy, against 31 TFLOP/s, by which all efforts on GPUs are measured.
    rate: f64,
    /// How many keep a multiprocessor busy; fewer take as long.
    busy: u64,
}

/// H200: 44 TFLOP/s by the last, 40, 36, 36 and 28. (128 rows of 128 cells are no faster than of 64, 64 rows of 64 than 32.)
const OFFERS: [Offer; 5] = [
    Offer { stages: Stages { rows: 32, cells: 32, side: 4 }, rate: 1.1, busy: 3 },
    Offer { stages: Stages { rows: 32, cells: 64, side: 4 }, rate: 0.86, busy: 2 },
    Offer { stages: Stages { rows: 64, cells: 32, side: 4 }, rate: 0.86, busy: 2 },
    Offer { stages: Stages { rows: 64, cells: 128, side: 8 }, rate: 0.78, busy: 2 },
    Offer { stages: Stages { rows: 128, cells: 64, side: 8 }, rate: 0.71, busy: 2 },
];

/// How many rows and cells a workgroup computes, and how many of each an invocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stages {
    pub(super) rows: u64,
    pub(super) cells: u64,
    side: u64,
}

impl Stages {
    /// The workgroup of least effort on a large card for so many `products` of so many rows and cells each.
    pub(super) fn of(products: u64, rows: u64, cells: u64) -> Self {
        Self::least(|_| true, products, rows, cells)
    }

    /// The same with so many rows of a workgroup, in which the weights lie.
    pub(super) fn with_rows(products: u64, rows: u64, all_rows: u64, cells: u64) -> Self {
        Self::least(|offer| offer.rows == rows, products, all_rows, cells)
    }

    fn least(may: impl Fn(&Self) -> bool, products: u64, rows: u64, cells: u64) -> Self {
        let effort = |offer: &Self| offer.effort(products, rows, cells, Card::LARGE);
        let offers = OFFERS.iter().map(|offer| offer.stages).filter(may);
        offers.min_by(|a, b| effort(a).total_cmp(&effort(b))).unwrap_or(OFFERS[0].stages)
    }

    fn offer(self) -> &'static Offer {
        OFFERS.iter().find(|offer| offer.stages == self).unwrap_or(&OFFERS[0])
    }

    /// What a multiply-add takes in so many workgroups on a card, with what is idle.
    pub(super) fn rate(self, workgroups: u64, card: Card) -> f64 {
        let &Offer { rate, busy, .. } = self.offer();
        rate * card.idle_of_staged(workgroups, busy)
    }

    /// What a term of each sum takes on a card, in multiply-adds, of so many products of so many rows and cells.
    pub(super) fn effort(self, products: u64, rows: u64, cells: u64, card: Card) -> f64 {
        let workgroups = products * rows.div_ceil(self.rows) * cells.div_ceil(self.cells);
        let executed = (workgroups * self.rows * self.cells) as f64;
        executed * self.rate(workgroups, card)
    }

    /// Overrides that say so, for sums over so many channels.
    pub(super) fn constants(self, channels: u64) -> Vec<(&'static str, f64)> {
        let count = |name, count: u64| (name, count as f64);
        vec![
            ("TAIL", f64::from(!channels.is_multiple_of(4 * STAGE_QUADS))),
            count("ROWS", self.rows),
            count("CELLS", self.cells),
            count("SIDE", self.side),
            count("STAGED_ROWS", 4 * self.rows),
            count("STAGED_CELLS", 4 * self.cells),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workgroups_are_as_large_as_keeps_a_gpu_busy() {
        let of = |products, rows, cells| {
            let Stages { rows, cells, .. } = Stages::of(products, rows, cells);
            [rows, cells]
        };
        // conv1_2 and conv3_2 of FCN-8s as they are; fc6 in tiles of 8x8 cells; fc7 in four parts; 512 channels at 14x14.
        assert_eq!(of(1, 64, 698 * 698), [64, 128]);
        assert_eq!(of(1, 256, 175 * 175), [128, 64]);
        assert_eq!(of(64, 4096, 64), [128, 64]);
        assert_eq!(of(4, 4096, 256), [128, 64]);
        assert_eq!(of(1, 512, 196), [32, 32]);
        // Tiles of F(2x2, 3x3) of the last, of F(4x4, 3x3) at 56x56; score_pool3 in parts.
        assert_eq!(of(16, 512, 49), [32, 64]);
        assert_eq!(of(36, 128, 196), [64, 32]);
        assert_eq!(of(8, 21, 88 * 88), [32, 64]);
    }
}
