//! How the product on matrix units divides its work: what a workgroup computes, what it stages, and how many there are.

use super::super::Problem;
use super::super::choice::word;
use crate::gpu::{Caps, Cooperative};
use crate::kernel::card::Card;

/// Fewest products of a sum that is taken in parts, which costs another dispatch, and of a part.
const LONG: u64 = 2048;
const PART: u64 = 128;

/// Eights of channels of a cell that an invocation stages at a time, at most: as many as the kernel writes out.
const SHARES: u64 = 8;

/// Matrices of channels of the taps of a round of the innermost loop, at most: as many as the kernel writes out.
const WRITTEN_OUT: u64 = 18;

/// What a workgroup may compute, and how fast it is.
struct Offer {
    /// Subgroups along output channels, two matrices each, and along rows of cells.
    row_groups: u64,
    column_groups: u64,
    /// Rows of cells of a subgroup, a matrix each.
    matrices: u64,
    /// What a multiply-add takes where many keep a card busy, against 31 TFLOP/s, by which all efforts on GPUs are measured.
    rate: f64,
    /// How many keep a multiprocessor busy; fewer take as long.
    busy: u64,
    /// Stages that workgroup memory holds, at most.
    buffers: u64,
}

/// H200, matrices of 16x16, in long sums of FCN-8s' layers. Small workgroups are faster with one stage: more of them are at work.
const OFFERS: [Offer; 4] = [
    Offer { row_groups: 4, column_groups: 2, matrices: 4, rate: 0.08, busy: 1, buffers: 2 },
    Offer { row_groups: 2, column_groups: 4, matrices: 4, rate: 0.083, busy: 1, buffers: 2 },
    Offer { row_groups: 2, column_groups: 2, matrices: 2, rate: 0.1, busy: 2, buffers: 1 },
    Offer { row_groups: 1, column_groups: 4, matrices: 4, rate: 0.15, busy: 2, buffers: 2 },
];

/// What a sum takes besides, which goes by way of workgroup memory and whose first stage is waited for, and what a channel of a cell takes
/// that is staged.
const SUM_COST: f64 = 60.0;
const STAGED_COST: f64 = 7.0;

/// How a device's subgroups divide a workgroup's tile, and what they stage of it at a time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Division {
    pub(super) tile: u64,
    pub(super) lanes: u64,
    /// As [`Offer`] has them.
    pub(super) row_groups: u64,
    pub(super) column_groups: u64,
    pub(super) matrices: u64,
    rate: f64,
    busy: u64,
    /// Input channels that are staged at a time.
    pub(super) step: u64,
    /// Stages that workgroup memory holds.
    pub(super) buffers: u64,
    /// Rows and columns of taps that a stage serves: the kernel's, or one each.
    pub(super) taps: [u64; 2],
    /// Taps that are written out together: all of them, or neighbours in a row.
    pub(super) tap_run: u64,
    /// Rows and columns of cells that these see.
    pub(super) patch: [u64; 2],
}

/// What there is to compute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) images: u64,
    pub(super) groups: u64,
    /// Channels a group.
    pub(super) group_inputs: u64,
    pub(super) group_outputs: u64,
    /// Rows and columns of the output, of the kernel, and how far apart its places and its taps are.
    pub(super) extent: [u64; 2],
    pub(super) kernel: [u64; 2],
    pub(super) stride: [u64; 2],
    pub(super) dilation: [u64; 2],
    /// Whether sums may be taken in parts; their ends in phases take them whole.
    pub(super) in_parts: bool,
}

impl Work {
    /// A convolution's.
    pub(super) fn of(problem: &Problem<'_>, in_parts: bool) -> Self {
        let &Problem { op, weight, output, .. } = problem;
        let wide = |pair: [usize; 2]| pair.map(|n| n as u64);
        Self {
            images: output.n as u64,
            groups: op.groups as u64,
            group_inputs: weight.c as u64,
            group_outputs: problem.group_outputs(),
            extent: wide(output.extent()),
            kernel: wide(op.kernel),
            stride: wide(op.stride),
            dilation: wide(op.dilation),
            in_parts,
        }
    }

    pub(super) fn taps(&self) -> u64 {
        self.kernel[0] * self.kernel[1]
    }

    fn sums(&self) -> u64 {
        self.images * self.groups * self.group_outputs * self.extent[0] * self.extent[1]
    }
}

impl Division {
    /// The one of least effort on a large card for such a device; `None` where none fits its workgroups and their memory.
    pub(super) fn of(cooperative: Cooperative, work: &Work, caps: &Caps) -> Option<Self> {
        let effort = |division: &Self| division.effort(work, Card::LARGE, caps);
        Self::all(cooperative, work, caps).min_by(|a, b| effort(a).total_cmp(&effort(b)))
    }

    /// Those that fit a device's workgroups and their memory.
    pub(super) fn all(cooperative: Cooperative, work: &Work, caps: &Caps) -> impl Iterator<Item = Self> {
        OFFERS.iter().filter_map(move |offer| Self::fitting(offer, cooperative, work, caps))
    }

    /// With as much staged at a time as workgroup memory holds: all taps, if so few channels do; many channels; two stages.
    fn fitting(offer: &Offer, cooperative: Cooperative, work: &Work, caps: &Caps) -> Option<Self> {
        let (tile, lanes) = (u64::from(cooperative.tile), u64::from(cooperative.lanes));
        let &Offer { row_groups, column_groups, matrices, rate, busy, buffers: most_buffers } = offer;
        // A software driver, which emulates the units and is there for tests, takes long to compile more.
        let (steps, written_out): (&[u64], u64) = match caps.software {
            true => (&[16], 1),
            false if work.group_inputs <= 16 => (&[16], WRITTEN_OUT),
            false => (&[32, 16], WRITTEN_OUT),
        };
        let staged = [work.kernel, [1, 1]].into_iter().flat_map(|taps| {
            steps.iter().flat_map(move |&step| (1..=most_buffers).rev().map(move |buffers| (taps, step, buffers)))
        });
        let cells = [column_groups * matrices, tile];
        let all = staged.map(|(taps, step, buffers)| {
            // Cells of a patch are a stride apart where it serves one tap.
            let along = |axis: usize| match taps {
                [1, 1] => cells[axis],
                _ => (cells[axis] - 1) * work.stride[axis] + (taps[axis] - 1) * work.dilation[axis] + 1,
            };
            let patch = [along(0), along(1)];
            let most = written_out * tile / step;
            let is_run = |&run: &u64| run == taps[0] * taps[1] || taps[1].is_multiple_of(run);
            let tap_run = (1..=most).rev().find(is_run).unwrap_or(1);
            Self { tile, lanes, row_groups, column_groups, matrices, rate, busy, step, buffers, taps, tap_run, patch }
        });
        all.into_iter().find(|division| division.fits(caps))
    }

    fn fits(&self, caps: &Caps) -> bool {
        self.size() <= u64::from(caps.max_invocations)
            && self.patch_cells().saturating_mul(self.step / 8) <= SHARES * self.size()
            && 8 * self.staged() + 4 * self.sums() <= u64::from(caps.max_workgroup_bytes)
    }

    fn patch_cells(&self) -> u64 {
        self.patch[0].saturating_mul(self.patch[1])
    }

    /// Vectors of four f16 in workgroup memory: cells lie eight values further apart than they have channels.
    pub(super) fn staged(&self) -> u64 {
        self.buffers * self.patch_cells() * (self.step + 8) / 4
    }

    /// Sums in workgroup memory: two matrices a subgroup.
    pub(super) fn sums(&self) -> u64 {
        2 * self.row_groups * self.column_groups * self.tile * self.tile
    }

    pub(super) fn size(&self) -> u64 {
        self.lanes * self.row_groups * self.column_groups
    }

    /// Words of packed weights that are loaded past a dispatch's last: a block's matrices of one tap.
    pub(super) fn words_ahead(&self) -> u64 {
        self.rows() * self.tile / 2
    }

    /// Output channels of a workgroup.
    pub(super) fn rows(&self) -> u64 {
        2 * self.tile * self.row_groups
    }

    /// Cells of a workgroup.
    pub(super) fn cells(&self) -> u64 {
        self.tile * self.matrices * self.column_groups
    }

    /// Tiles of a plane's cells.
    pub(super) fn cell_tiles(&self, work: &Work) -> u64 {
        work.extent[0].div_ceil(self.matrices * self.column_groups) * work.extent[1].div_ceil(self.tile)
    }

    /// Stages of a whole sum.
    pub(super) fn stages(&self, work: &Work) -> u64 {
        work.group_inputs.div_ceil(self.step) * (work.taps() / self.stage_taps())
    }

    pub(super) fn stage_taps(&self) -> u64 {
        self.taps[0] * self.taps[1]
    }

    fn workgroups(&self, work: &Work) -> u64 {
        work.images * work.groups * work.group_outputs.div_ceil(self.rows()) * self.cell_tiles(work)
    }

    /// Stages of a part of the sums: all, where there are workgroups enough for a GPU; else so many that there are, as far as
    /// stages reach and a binding holds the parts.
    pub(super) fn part_stages(&self, work: &Work, caps: &Caps) -> u64 {
        let stages = self.stages(work);
        let under_way = Card::LARGE.multiprocessors() * self.busy;
        let held = caps.max_binding_bytes.min(caps.max_buffer_bytes) / (4 * work.sums());
        let least = PART.div_ceil(self.step * self.stage_taps());
        let parts = (under_way / self.workgroups(work)).min(stages / least).min(held);
        let long = work.group_inputs * work.taps() >= LONG;
        if work.in_parts && long && parts > 1 { stages.div_ceil(parts) } else { stages }
    }

    /// Parts of a sum.
    pub(super) fn parts(&self, work: &Work, caps: &Caps) -> u64 {
        self.stages(work).div_ceil(self.part_stages(work, caps))
    }

    /// What it takes on a card, parts and their sum included; comparable with the other variants' efforts.
    pub(super) fn effort(&self, work: &Work, card: Card, caps: &Caps) -> f64 {
        let (workgroups, parts) = (self.workgroups(work), self.parts(work, caps));
        let stages = self.stages(work);
        let terms = (stages * self.step * self.stage_taps()) as f64;
        let staged = STAGED_COST * (stages * self.step * self.patch_cells()) as f64;
        let sums = (self.rows() * self.cells()) as f64;
        let computed = workgroups as f64 * (sums * (self.rate * terms + SUM_COST * parts as f64) + staged);
        let added = if parts > 1 { word(caps) * (parts * work.sums()) as f64 + card.dispatch(caps) } else { 0.0 };
        computed * card.idle_of_staged(workgroups * parts, self.busy) + card.dispatch(caps) + added
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// FCN-8s' conv3_2.
    const LARGE: Work = Work {
        images: 1,
        groups: 1,
        group_inputs: 256,
        group_outputs: 256,
        extent: [175, 175],
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        in_parts: true,
    };
    const NARROW: Work = Work { group_inputs: 64, group_outputs: 64, extent: [698, 698], ..LARGE };
    const LOW: Work = Work { group_inputs: 512, group_outputs: 512, extent: [44, 44], ..LARGE };
    const FC6: Work = Work { group_inputs: 512, group_outputs: 4096, extent: [16, 16], kernel: [7, 7], ..LARGE };
    const FC7: Work = Work { group_inputs: 4096, kernel: [1, 1], ..FC6 };
    const SCORE: Work = Work { group_outputs: 21, ..FC7 };

    fn caps(kib: u32) -> Caps {
        Caps { max_workgroup_bytes: kib << 10, ..Caps::WEBGPU }
    }

    #[test]
    fn a_workgroup_computes_and_stages_what_its_memory_holds() {
        let of = |[tile, lanes]: [u32; 2], work: Work, kib: u32| {
            let division = Division::of(Cooperative { tile, lanes }, &work, &caps(kib))?;
            let Division { step, buffers, taps, tap_run, .. } = division;
            Some(([division.rows(), division.cells()], [step, buffers], taps, tap_run))
        };
        // NVIDIA with what it has.
        assert_eq!(of([16, 32], LARGE, 48), Some(([128, 128], [32, 2], [3, 3], 9)));
        assert_eq!(of([16, 32], NARROW, 48), Some(([64, 256], [32, 1], [3, 3], 9)));
        assert_eq!(of([16, 32], LOW, 48), Some(([64, 64], [32, 1], [3, 3], 9)));
        assert_eq!(of([16, 32], FC6, 48), Some(([128, 128], [32, 1], [7, 7], 7)));
        assert_eq!(of([16, 32], FC7, 48), Some(([128, 128], [32, 2], [1, 1], 1)));
        assert_eq!(of([16, 32], SCORE, 48), Some(([64, 64], [32, 1], [1, 1], 1)));
        // Its matrices in WebGPU's memory; Metal; Mesa's software driver; AMD's older cards.
        assert_eq!(of([16, 32], LARGE, 16), Some(([64, 64], [16, 1], [3, 3], 9)));
        assert_eq!(of([8, 32], LARGE, 32), Some(([64, 64], [32, 2], [3, 3], 3)));
        let software = Caps { software: true, ..caps(32) };
        let division = Division::of(Cooperative { tile: 8, lanes: 8 }, &LARGE, &software).unwrap();
        assert_eq!([division.step, division.tap_run], [16, 1]);
        assert_eq!(of([16, 64], LARGE, 32), Some(([64, 64], [32, 1], [3, 3], 9)));
        // A patch of all taps that would not fit: each tap by itself, its cells a stride apart.
        let wide = Work { stride: [4, 4], dilation: [9, 9], ..LARGE };
        assert_eq!(of([16, 32], wide, 48), Some(([128, 128], [32, 2], [1, 1], 1)));
        let far = Work { dilation: [1 << 32, 1 << 32], ..LARGE };
        assert_eq!(of([16, 32], far, 48), Some(([128, 128], [32, 2], [1, 1], 1)));
        // Subgroups too large for a workgroup.
        assert_eq!(of([16, 512], LARGE, 48), None);
    }

    #[test]
    fn sums_are_cut_where_a_gpu_would_idle() {
        let parts = |work: Work, caps: &Caps| {
            let division = Division::of(Cooperative { tile: 16, lanes: 32 }, &work, caps).unwrap();
            division.parts(&work, caps)
        };
        assert_eq!([LARGE, NARROW, LOW, FC6, FC7].map(|work| parts(work, &caps(48))), [1, 1, 1, 2, 2]);
        assert_eq!(parts(SCORE, &caps(48)), 32);
        assert_eq!(parts(Work { extent: [14, 14], ..LOW }, &caps(48)), 8);
        assert_eq!(parts(Work { in_parts: false, ..FC7 }, &caps(48)), 1);
        // As many as a binding holds, and as sums have stages for.
        assert_eq!(parts(FC7, &Caps { max_binding_bytes: 7 << 20, ..caps(48) }), 1);
        assert_eq!(parts(Work { group_inputs: 128, ..SCORE }, &caps(48)), 1);
    }
}
