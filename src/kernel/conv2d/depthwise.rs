//! `Variant::Depthwise`: one input channel a group, blocks of four by four cells.

use super::choice::load;
use super::tiled::workgroup;
use super::{OP, Operands, Problem, Variant};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Step, fold_workgroups};
use crate::kernel::card::Card;
use crate::kernel::{ACTIVATION, INDEX, check_binding, loop_iterations, params, part, rounds_within};
use crate::shape::Shape;

/// Rows and columns of an invocation's block, as the shader writes them out.
const BLOCK: usize = 4;

pub(super) static DEPTHWISE: Kernel = Kernel {
    name: "conv2d/depthwise",
    parts: &[&INDEX, &ACTIVATION, &part!("conv2d/depthwise.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `conv2d/depthwise`; the shader says what they mean.
    struct Params {
        in_channels: u32,
        in_h: u32,
        in_w: u32,
        out_channels: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
        multiplier: u32,
        row_blocks: u32,
        plane_blocks: u32,
        plane_tiles: u32,
        tiles: u32,
    }
}

/// # Errors
/// [`Error::Unsupported`] that says what the convolution is not.
fn check(&Problem { op, weight, .. }: &Problem<'_>, caps: &Caps) -> Result<()> {
    if weight.c != 1 || op.stride != [1, 1] || op.dilation != [1, 1] {
        return Err(Error::Unsupported {
            what: format!("{OP} variant {}", Variant::Depthwise.name()),
            why: format!(
                "it is for one input channel a group, stride 1 and dilation 1, not for {} channels, stride {:?}, dilation {:?}",
                weight.c, op.stride, op.dilation
            ),
            way_out: "use the direct variant, or none, which chooses by shape".to_owned(),
        });
    }
    rounds_within(OP, 0, loop_iterations(&[op.kernel[0] + BLOCK - 1, op.kernel[1]]), caps)?;
    Ok(())
}

fn blocks(output: Shape) -> [usize; 2] {
    output.extent().map(|cells| cells.div_ceil(BLOCK))
}

/// What it takes on a card, in multiply-adds of a register tile, in whole workgroups; comparable with the other variants'. `None`
/// where it does not apply.
pub(super) fn effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> Option<f64> {
    check(problem, caps).ok()?;
    let &Problem { op, output, .. } = problem;
    let [kh, kw] = op.kernel;
    let loads = (kh + BLOCK - 1) * (kw + BLOCK - 1);
    let plane_blocks = blocks(output).into_iter().product::<usize>() as u64;
    let invocations = (output.n * output.c) as f64 * plane_blocks.next_multiple_of(workgroup(caps)) as f64;
    let work = load(caps) * loads as f64 + (BLOCK * BLOCK * kh * kw) as f64;
    Some(card.dispatched(invocations, (BLOCK * BLOCK) as u64, work, caps))
}

/// One dispatch.
///
/// # Errors
/// [`Error::Unsupported`] for more than one input channel a group, or steps other than 1; [`Error::Limit`] for a weight that
/// exceeds a binding.
pub(super) fn plan(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<KernelPlan> {
    check(problem, caps)?;
    let &Problem { op, input, weight, output } = problem;
    check_binding(OP, "weight", weight, caps)?;
    let [block_rows, row_blocks] = blocks(output);
    let (lanes, plane_blocks) = (workgroup(caps), block_rows * row_blocks);
    let plane_tiles = (plane_blocks as u64).div_ceil(lanes);
    let tiles = (output.n * output.c) as u64 * plane_tiles;
    let params = Params {
        in_channels: input.c as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_channels: output.c as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        pad_top: op.pad.top as u32,
        pad_left: op.pad.left as u32,
        multiplier: (output.c / input.c) as u32,
        row_blocks: row_blocks as u32,
        plane_blocks: plane_blocks as u32,
        plane_tiles: plane_tiles as u32,
        tiles: tiles as u32,
    };
    let constants = vec![
        ("KH", op.kernel[0] as f64),
        ("KW", op.kernel[1] as f64),
        ("BIAS", f64::from(operands.bias != Buffer::Absent)),
        ("RELU", f64::from(op.relu)),
        ("WORKGROUP", lanes as f64),
    ];
    let step = Step {
        kernel: &DEPTHWISE,
        constants,
        params: bytemuck::bytes_of(&params).to_vec(),
        operands: [operands.input, operands.weight, operands.bias, operands.output].map(Into::into).to_vec(),
        workgroups: fold_workgroups(tiles, caps)?,
    };
    let executed_macs = tiles * lanes * (BLOCK * BLOCK * op.kernel[0] * op.kernel[1]) as u64;
    Ok(KernelPlan { variant: Variant::Depthwise.name(), executed_macs, run: vec![step], ..KernelPlan::default() })
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    vec![(&DEPTHWISE, Params::FIELDS)]
}
