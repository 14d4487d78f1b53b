//! How the product on matrix units divides its work: what a workgroup computes, what it stages, and how many there are.

use super::super::Problem;
use crate::gpu::{Caps, Cooperative};

/// Workgroups that keep a GPU busy: two on each of the 132 processors of a large one of today.
const UNDER_WAY: u64 = 264;

/// Fewest products of a sum that is taken in parts, which costs another dispatch, and fewest steps of a part.
const LONG: u64 = 2048;
const PART_STEPS: u64 = 8;

/// How a device's subgroups divide a workgroup's tile, and what they stage of it at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Division {
    pub(super) tile: u64,
    pub(super) lanes: u64,
    /// Subgroups along output channels, and along cells, four matrices each.
    pub(super) row_groups: u64,
    pub(super) column_groups: u64,
    /// Input channels that are staged at a time.
    pub(super) step: u64,
    /// Stages that workgroup memory holds.
    pub(super) buffers: u64,
}

/// What there is to compute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) images: u64,
    pub(super) groups: u64,
    /// Channels a group.
    pub(super) group_inputs: u64,
    pub(super) group_outputs: u64,
    /// Cells of a plane.
    pub(super) cells: u64,
    pub(super) taps: u64,
    /// Whether sums may be taken in parts; their ends in phases take them whole.
    pub(super) in_parts: bool,
}

impl Work {
    /// A convolution's.
    pub(super) fn of(problem: &Problem<'_>, in_parts: bool) -> Self {
        let &Problem { op, weight, output, .. } = problem;
        Self {
            images: output.n as u64,
            groups: op.groups as u64,
            group_inputs: weight.c as u64,
            group_outputs: problem.group_outputs(),
            cells: output.plane() as u64,
            taps: problem.taps(),
            in_parts,
        }
    }
}

impl Division {
    /// For such a device; `None` for subgroups whose share of the staging the kernel does not write out.
    pub(super) fn of(cooperative: Cooperative, work: &Work, caps: &Caps) -> Option<Self> {
        let (tile, lanes) = (u64::from(cooperative.tile), u64::from(cooperative.lanes));
        // Half the rows where the others would be empty, half the cells where there are too few workgroups; then what is
        // written out. The longest step that inputs fill, the most buffers that there is memory for.
        let rows = if work.group_outputs <= 4 * tile { [1, 2, 4] } else { [2, 4, 1] };
        let steps: &[u64] = if work.group_inputs <= 16 { &[16] } else { &[32, 16] };
        let fits = |columns: [u64; 2]| {
            let mut all = rows.into_iter().flat_map(|row_groups| {
                columns.into_iter().flat_map(move |column_groups| {
                    steps.iter().flat_map(move |&step| {
                        [2, 1].map(|buffers| Self { tile, lanes, row_groups, column_groups, step, buffers })
                    })
                })
            });
            all.find(|division| division.is_written_out(caps))
        };
        let wide = fits([2, 1]);
        let few = |division: &Self| !work.in_parts && 2 * division.workgroups(work) < UNDER_WAY;
        if wide.as_ref().is_some_and(few) { fits([1, 2]) } else { wide }
    }

    /// What the kernel's header asks for, and the memory.
    fn is_written_out(&self, caps: &Caps) -> bool {
        let (size, cells) = (self.size(), self.cells());
        let shares = |vectors: u64| vectors.is_multiple_of(size) && matches!(vectors / size, 1 | 2 | 4);
        let bytes = 8 * self.staged() + 4 * self.sums();
        size <= u64::from(caps.max_invocations)
            && (2 * size).is_multiple_of(cells)
            && shares(cells * self.step / 8)
            && shares(self.rows() * self.step / 8)
            && bytes <= u64::from(caps.max_workgroup_bytes)
    }

    /// Vectors of four f16 in workgroup memory: rows lie eight values further apart than they are long.
    pub(super) fn staged(&self) -> u64 {
        self.buffers * (self.rows() + self.cells()) * (self.step + 8) / 4
    }

    /// Sums in workgroup memory: a matrix a subgroup.
    pub(super) fn sums(&self) -> u64 {
        self.row_groups * self.column_groups * self.tile * self.tile
    }

    pub(super) fn size(&self) -> u64 {
        self.lanes * self.row_groups * self.column_groups
    }

    pub(super) fn rows(&self) -> u64 {
        4 * self.tile * self.row_groups
    }

    pub(super) fn cells(&self) -> u64 {
        4 * self.tile * self.column_groups
    }

    /// Steps of a whole sum.
    pub(super) fn steps(&self, work: &Work) -> u64 {
        work.group_inputs.div_ceil(self.step) * work.taps
    }

    pub(super) fn workgroups(&self, work: &Work) -> u64 {
        let blocks = work.groups * work.group_outputs.div_ceil(self.rows());
        work.images * blocks * work.cells.div_ceil(self.cells())
    }

    /// Steps of a part of the sums: all, where there are workgroups enough for a GPU; else so many that there are, as far as
    /// steps reach and a binding holds the parts.
    pub(super) fn part_steps(&self, work: &Work, caps: &Caps) -> u64 {
        let steps = self.steps(work);
        let elements = work.images * work.groups * work.group_outputs * work.cells;
        let held = caps.max_binding_bytes.min(caps.max_buffer_bytes) / (4 * elements);
        let parts = (UNDER_WAY / self.workgroups(work)).min(steps / PART_STEPS).min(held);
        let long = work.group_inputs * work.taps >= LONG;
        if work.in_parts && long && parts > 1 { steps.div_ceil(parts) } else { steps }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const LARGE: Work =
        Work { images: 1, groups: 1, group_inputs: 256, group_outputs: 512, cells: 30_625, taps: 9, in_parts: true };

    #[test]
    fn subgroups_divide_the_staging() {
        let of = |[tile, lanes]: [u32; 2], work: Work, kib: u32| {
            let caps = Caps { max_workgroup_bytes: kib << 10, ..Caps::WEBGPU };
            let division = Division::of(Cooperative { tile, lanes }, &work, &caps);
            division.map(|d| [d.row_groups, d.column_groups, d.step, d.buffers])
        };
        let narrow = Work { group_outputs: 64, ..LARGE };
        let few = Work { cells: 1_936, in_parts: false, ..LARGE };
        // Mesa's software driver, Metal, NVIDIA with WebGPU's memory and with what it has, AMD's older and newer cards.
        assert_eq!(of([8, 8], LARGE, 16), Some([2, 2, 16, 2]));
        assert_eq!(of([8, 8], narrow, 16), Some([2, 2, 16, 2]));
        assert_eq!(of([8, 32], LARGE, 16), Some([2, 2, 32, 1]));
        assert_eq!(of([16, 32], LARGE, 16), Some([2, 2, 16, 1]));
        assert_eq!(of([16, 32], narrow, 16), Some([1, 2, 16, 1]));
        assert_eq!(of([16, 32], LARGE, 48), Some([2, 2, 32, 2]));
        assert_eq!(of([16, 32], narrow, 48), Some([1, 2, 16, 2]));
        assert_eq!(of([16, 32], few, 48), Some([2, 1, 16, 2]));
        assert_eq!(of([16, 64], LARGE, 32), Some([2, 2, 32, 1]));
        assert_eq!(of([16, 128], LARGE, 32), Some([2, 1, 32, 2]));
        // Too few lanes to stage a step in four turns, too many for a workgroup.
        assert_eq!(of([16, 8], LARGE, 48), None);
        assert_eq!(of([16, 512], LARGE, 48), None);
    }

    #[test]
    fn sums_are_cut_where_a_gpu_would_idle() {
        let caps = Caps { max_workgroup_bytes: 48 << 10, ..Caps::WEBGPU };
        let parts = |work: Work, caps: &Caps| {
            let division = Division::of(Cooperative { tile: 16, lanes: 32 }, &work, caps).unwrap();
            division.steps(&work).div_ceil(division.part_steps(&work, caps))
        };
        let fc7 = Work { group_inputs: 4096, group_outputs: 4096, cells: 256, taps: 1, ..LARGE };
        let low = Work { group_inputs: 512, cells: 196, ..LARGE };
        assert_eq!([LARGE, fc7, low].map(|work| parts(work, &caps)), [1, 4, 18]);
        assert_eq!(parts(Work { in_parts: false, ..fc7 }, &caps), 1);
        // As many as a binding holds, and as sums have steps for.
        assert_eq!(parts(fc7, &Caps { max_binding_bytes: 9 << 20, ..caps }), 2);
        assert_eq!(parts(fc7, &Caps { max_binding_bytes: 7 << 20, ..caps }), 1);
        assert_eq!(parts(Work { group_inputs: 128, taps: 1, ..low }, &caps), 1);
    }
}
