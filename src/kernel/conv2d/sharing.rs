//! Products whose subgroups share the cells that they all multiply with (`shaders/common/lanes_8.wgsl`).

use super::OP;
use crate::gpu::{Caps, Gathers};
use crate::kernel::{loop_iterations, rounds_within};

/// Cells of a workgroup, and of each of its subgroups.
pub(in crate::kernel) const CELLS: u64 = 64;

/// Channels whose cells workgroup memory holds at a time.
const STAGE_CHANNELS: u64 = 64;

/// Subgroups of a workgroup, at most, and the invocations of one.
const MOST_SUBGROUPS: u64 = 16;
const LANES: u64 = 8;

/// The subgroups of a workgroup, each with a block of output channels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::kernel) struct Sharing {
    pub(in crate::kernel) subgroups: u64,
}

impl Sharing {
    /// For so many blocks, `least` subgroups at least; `None` on devices whose kernels do not share. Powers of two, so that
    /// layers of other numbers of channels need no kernels of their own; a subgroup without a block has nothing to multiply.
    pub(in crate::kernel) fn of(blocks: u64, least: u64, caps: &Caps) -> Option<Self> {
        let subgroups = blocks.div_ceil(blocks.div_ceil(MOST_SUBGROUPS)).next_power_of_two().max(least);
        // The shaders cut off what is beyond in an index of weights.
        let addressed = caps.max_binding_bytes <= 1 << 30;
        (caps.shares_cells() && addressed).then_some(Self { subgroups })
    }

    /// Whether the driver lets a shader's loops end over so many stages, for each of which a loop nest fills workgroup memory
    /// and another works it off.
    pub(in crate::kernel) fn ends(self, stages: u64, filling: &[usize], working: usize, caps: &Caps) -> bool {
        let stage = loop_iterations(filling) + loop_iterations(&[working]) + 1;
        rounds_within(OP, 0, stages.saturating_mul(stage), caps).is_ok()
    }

    /// The same for a product over so many `taps` of input `channels`, of which [`STAGE_CHANNELS`] are a stage.
    pub(super) fn product_ends(self, taps: usize, channels: u64, caps: &Caps) -> bool {
        let filling = (STAGE_CHANNELS * CELLS / 2).div_ceil(self.workgroup()) as usize;
        let stages = channels.div_ceil(STAGE_CHANNELS).saturating_mul(taps as u64);
        self.ends(stages, &[filling], STAGE_CHANNELS as usize / 4, caps)
    }

    /// How a kernel reads what is shared (`shaders/common/lanes_8.wgsl`).
    pub(in crate::kernel) fn constant(caps: &Caps) -> (&'static str, f64) {
        ("GATHERS", f64::from(caps.gathers != Gathers::Slow))
    }

    /// Invocations of a workgroup.
    pub(in crate::kernel) fn workgroup(self) -> u64 {
        LANES * self.subgroups
    }

    /// What a product takes in this way, against each subgroup with its own cells, four an invocation (measured on a CPU
    /// driver): each weight serves twice as many cells, and what is left of their loads is divided by the subgroups.
    pub(super) fn rate(self) -> f64 {
        0.72 + 0.4 / self.subgroups as f64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn blocks_are_spread_evenly() {
        let caps = Caps { software: true, int64: true, subgroup: Some(8), ..Caps::WEBGPU };
        for (blocks, subgroups, of_four) in [(1, 1, 4), (2, 2, 4), (5, 8, 8), (16, 16, 16), (17, 16, 16), (128, 16, 16)]
        {
            assert_eq!(Sharing::of(blocks, 1, &caps).unwrap().subgroups, subgroups, "{blocks} blocks");
            assert_eq!(Sharing::of(blocks, 4, &caps).unwrap().subgroups, of_four, "{blocks} blocks");
        }
        assert_eq!(Sharing::of(4, 1, &Caps { subgroup: Some(16), ..caps }), None);
        assert_eq!(Sharing::of(4, 1, &Caps { software: false, ..caps }), None);
        assert_eq!(Sharing::of(4, 1, &Caps { max_binding_bytes: (1 << 30) + 4, ..caps }), None);
        // Two subgroups fill 64 channels in 128 rounds, and work them off in 16; only half of a driver's iterations are relied on.
        let two = Sharing::of(2, 1, &caps).unwrap();
        let caps = Caps { max_iterations: 65_535, ..caps };
        assert!(two.product_ends(1, 64 * 222, &caps) && !two.product_ends(1, 64 * 223, &caps));
    }
}
