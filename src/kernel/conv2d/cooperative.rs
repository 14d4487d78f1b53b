//! `Variant::Cooperative`: an implicit matrix product on matrix units, operands rounded to f16 and summed in f32.

pub(super) mod kernels;
mod trial;

use super::blocks::Blocks;
use super::pooled::{End, Pooling};
use super::product::Params;
use super::{Form, Interleave, OP, Operands, Variant};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Cooperative, Kernel, KernelPlan, Operand, Scratch, Step, fold_workgroups};
use crate::kernel::flat::window_constants;
use crate::kernel::{HALF, INDEX, WORKGROUP, convert, loop_iterations, params, part, rounds_within};
use crate::op::Conv2d;
use crate::shape::Shape;

pub(super) static PACK: Kernel = Kernel {
    name: "conv2d/pack_cooperative",
    parts: &[&INDEX, &HALF, &part!("conv2d/pack_cooperative.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `conv2d/pack_cooperative`; the shader says what they mean.
    struct PackParams {
        weight_offset: u32,
        group_inputs: u32,
        group_outputs: u32,
        group_blocks: u32,
        taps: u32,
        first_block: u32,
        first_channel: u32,
        words: u32,
    }
}

/// How a device's subgroups divide a workgroup's tile.
#[derive(Clone, Copy, Debug)]
struct Division {
    tile: u64,
    lanes: u64,
    /// Subgroups along output channels, two matrices each.
    row_groups: u64,
    /// Subgroups along cells, four matrices each.
    column_groups: u64,
}

impl Division {
    /// For a group of so many output channels; `None` for subgroups whose share of the staging the kernel does not write
    /// out.
    fn of(cooperative: Cooperative, group_outputs: u64) -> Option<Self> {
        let (tile, lanes) = (u64::from(cooperative.tile), u64::from(cooperative.lanes));
        // Half the rows where the others would be empty, the full width first.
        let rows = if group_outputs <= 4 * tile { [2, 4] } else { [4, 2] };
        let divisions = rows.into_iter().flat_map(|row_groups| [2, 1].map(|column_groups| (row_groups, column_groups)));
        divisions
            .map(|(row_groups, column_groups)| Self { tile, lanes, row_groups, column_groups })
            .find(Self::is_written_out)
    }

    /// What the kernel's header asks for.
    fn is_written_out(&self) -> bool {
        let (size, cells) = (self.size(), self.cells());
        let vectors = cells * self.tile / 8;
        size <= 256 && vectors <= 2 * size && (size % cells == 0 || cells % size == 0 && vectors <= size)
    }

    fn kernel(&self, form: Form, phases: bool) -> &'static Kernel {
        match (self.tile, form, phases) {
            (16, Form::Words, false) => &kernels::SIXTEEN,
            (16, Form::Halves, false) => &kernels::SIXTEEN_HALF,
            (16, Form::HalvesToWords, false) => &kernels::SIXTEEN_HALF_F32,
            (16, Form::Words, true) => &kernels::SIXTEEN_INTERLEAVED,
            (16, Form::Halves, true) => &kernels::SIXTEEN_HALF_INTERLEAVED,
            (16, Form::HalvesToWords, true) => &kernels::SIXTEEN_HALF_F32_INTERLEAVED,
            (_, Form::Words, false) => &kernels::EIGHT,
            (_, Form::Halves, false) => &kernels::EIGHT_HALF,
            (_, Form::HalvesToWords, false) => &kernels::EIGHT_HALF_F32,
            (_, Form::Words, true) => &kernels::EIGHT_INTERLEAVED,
            (_, Form::Halves, true) => &kernels::EIGHT_HALF_INTERLEAVED,
            (_, Form::HalvesToWords, true) => &kernels::EIGHT_HALF_F32_INTERLEAVED,
        }
    }

    fn pooled_kernel(&self) -> &'static Kernel {
        if self.tile == 16 { &kernels::SIXTEEN_HALF_POOLED } else { &kernels::EIGHT_HALF_POOLED }
    }

    fn size(&self) -> u64 {
        self.lanes * self.row_groups * self.column_groups
    }

    fn rows(&self) -> u64 {
        2 * self.tile * self.row_groups
    }

    fn cells(&self) -> u64 {
        4 * self.tile * self.column_groups
    }
}

/// Refuses a device without matrix units for an operator.
///
/// # Errors
/// [`Error::Unsupported`] that says what it lacks, and what would be taken instead.
pub(in crate::kernel) fn check_device(op: &'static str, caps: &Caps) -> Result<()> {
    division(1, caps).map(|_| ()).map_err(|why| unsupported(op, why))
}

/// The division for this device, or what the device lacks.
fn division(group_outputs: u64, caps: &Caps) -> std::result::Result<Division, String> {
    let Some(cooperative) = caps.cooperative.filter(|_| caps.f16) else {
        let features = "EXPERIMENTAL_COOPERATIVE_MATRIX and SHADER_F16";
        return Err(format!(
            "the device was opened without {features}, or has no square products of f16 into f32 in subgroups of one size"
        ));
    };
    Division::of(cooperative, group_outputs)
        .ok_or_else(|| format!("it is not written out for products of {cooperative}"))
}

fn unsupported(op: &'static str, why: String) -> Error {
    let instead = match op {
        "conv_transpose2d" => "phased, flipped-winograd-f2, interpolate or product",
        _ => "staged or winograd-f4 on a GPU, tiled or winograd-f4 elsewhere",
    };
    Error::Unsupported {
        what: format!("{op} variant {}", Variant::Cooperative.name()),
        why,
        way_out: format!("ask for no variant, which takes {instead}, by shape"),
    }
}

/// A plan of an eager call, whose weight lies on the device: it is looked at too before it is packed. (A session looks
/// at weights while it moves them.)
///
/// # Errors
/// [`Error::Limit`] where a dispatch does not hold the weight.
#[cfg(not(target_arch = "wasm32"))]
pub(in crate::kernel) fn with_weight_checked(mut plan: KernelPlan, weight: Shape, caps: &Caps) -> Result<KernelPlan> {
    if plan.variant == Variant::Cooperative.name() {
        plan.prepare.insert(0, convert::check_range(weight, Buffer::Input(1), caps)?);
    }
    Ok(plan)
}

/// Packs the weight as f16 into a persistent scratch buffer for each run of blocks; then a dispatch for each.
///
/// # Errors
/// [`Error::Unsupported`] where the device has no such matrices; [`Error::Limit`] where not even one block of weights fits a
/// binding.
pub(super) fn plan(
    op: &Conv2d,
    input: Shape,
    weight: Shape,
    output: Shape,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    let (groups, taps) = (op.groups as u64, (op.kernel[0] * op.kernel[1]) as u64);
    let group_outputs = weight.n as u64 / groups;
    let division = division(group_outputs, caps).map_err(|why| unsupported(OP, why))?;
    let (rows, tile) = (division.rows(), division.tile);
    let steps = (weight.c as u64).div_ceil(tile) * taps;
    rounds_within(OP, 0, loop_iterations(&[usize::try_from(steps).unwrap_or(usize::MAX)]), caps)?;
    let row_words = weight.c as u64 * taps;
    let blocks = Blocks { rows, groups, group_outputs, row_words, block_words: rows * tile * steps / 2 };
    let mut plan = KernelPlan { variant: Variant::Cooperative.name(), half_weight: true, ..KernelPlan::default() };
    let window = window_constants(op.kernel, op.stride, op.dilation);
    let phases = operands.interleave.map(Interleave::constants);
    if operands.form == Form::Words {
        plan.run.push(convert::check_range(input, operands.input, caps)?);
    }
    let end = match operands.pooling {
        Some(_) if operands.form != Form::Halves => return Err(Pooling::refused("the map is f32".to_owned())),
        pooling => pooling.map(|pooling| pooling.end_in_windows(&mut plan, output, caps)).transpose()?,
    };
    let computed = end.as_ref().map_or(output, End::windows);
    let runs = blocks.runs(caps)?;
    let whole = runs.len() == 1;
    for run in runs {
        let packed = Buffer::Scratch(plan.scratch.len());
        let words = run.blocks * blocks.block_words;
        plan.scratch.push(Scratch { words, persistent: true });
        let pack = PackParams {
            weight_offset: run.offset as u32,
            group_inputs: weight.c as u32,
            group_outputs: group_outputs as u32,
            group_blocks: blocks.group_blocks() as u32,
            taps: taps as u32,
            first_block: run.first_block as u32,
            first_channel: run.first_channel as u32,
            words: words as u32,
        };
        plan.prepare.push(Step {
            kernel: &PACK,
            constants: vec![("ROWS", rows as f64), ("TILE", tile as f64), ("WORKGROUP", f64::from(WORKGROUP))],
            params: bytemuck::bytes_of(&pack).to_vec(),
            operands: vec![
                Operand { buffer: operands.weight, words: (!whole).then(|| run.words.clone()) },
                packed.into(),
            ],
            workgroups: fold_workgroups(words.div_ceil(u64::from(WORKGROUP)), caps)?,
        });
        let cell_tiles = (computed.plane() as u64).div_ceil(division.cells());
        let tiles = output.n as u64 * run.blocks * cell_tiles;
        let params = Params::of(op, [input, weight, output], operands.interleave, &blocks, &run, [cell_tiles, tiles]);
        let constants = [
            ("BIAS", f64::from(operands.bias != Buffer::Absent)),
            ("RELU", f64::from(op.relu)),
            ("LANES", division.lanes as f64),
            ("ROW_GROUPS", division.row_groups as f64),
            ("COLUMN_GROUPS", division.column_groups as f64),
        ];
        let mut bound = vec![operands.input, packed, operands.bias, operands.output];
        bound.extend((operands.form == Form::Halves).then_some(Buffer::Overflow));
        bound.extend(end.as_ref().map(|end| end.switches));
        let (kernel, ending): (_, &[_]) = match (&phases, &end) {
            (_, Some(end)) => (division.pooled_kernel(), &end.constants),
            (Some(phases), _) => (division.kernel(operands.form, true), phases),
            _ => (division.kernel(operands.form, false), &[]),
        };
        plan.run.push(Step {
            kernel,
            constants: [window.as_slice(), &constants, ending].concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: bound.into_iter().map(Into::into).collect(),
            workgroups: fold_workgroups(tiles, caps)?,
        });
        plan.executed_macs += tiles * division.cells() * rows * steps * tile;
    }
    Ok(plan)
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    let kernels = [
        &kernels::EIGHT,
        &kernels::EIGHT_HALF,
        &kernels::EIGHT_HALF_F32,
        &kernels::EIGHT_INTERLEAVED,
        &kernels::EIGHT_HALF_INTERLEAVED,
        &kernels::EIGHT_HALF_F32_INTERLEAVED,
        &kernels::SIXTEEN,
        &kernels::SIXTEEN_HALF,
        &kernels::SIXTEEN_HALF_F32,
        &kernels::SIXTEEN_INTERLEAVED,
        &kernels::SIXTEEN_HALF_INTERLEAVED,
        &kernels::SIXTEEN_HALF_F32_INTERLEAVED,
        &kernels::EIGHT_HALF_POOLED,
        &kernels::SIXTEEN_HALF_POOLED,
    ];
    kernels.map(|kernel| (kernel, Params::FIELDS)).into_iter().chain([(&PACK, PackParams::FIELDS)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subgroups_divide_the_staging() {
        let of = |tile, lanes, outputs| {
            Division::of(Cooperative { tile, lanes }, outputs).map(|d| (d.row_groups, d.column_groups))
        };
        // Mesa's software driver, Metal, NVIDIA, AMD's older and newer cards.
        assert_eq!(of(8, 8, 512), Some((4, 2)));
        assert_eq!(of(8, 8, 8), Some((4, 2)));
        assert_eq!(of(8, 32, 512), Some((4, 2)));
        assert_eq!(of(16, 32, 512), Some((4, 2)));
        assert_eq!(of(16, 32, 64), Some((2, 2)));
        assert_eq!(of(16, 64, 512), Some((4, 1)));
        assert_eq!(of(16, 64, 64), Some((2, 2)));
        assert_eq!(of(16, 128, 512), Some((2, 1)));
        // Too few lanes to stage a step in two turns, too many for a workgroup.
        assert_eq!(of(16, 8, 512), None);
        assert_eq!(of(16, 256, 512), None);
    }
}
