//! [`Variant::Interpolate`](super::Variant::Interpolate): one channel a group, each output cell between four input cells.

use super::{OP, Problem};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Part, Step, fold_workgroups};
use crate::kernel::{ACTIVATION, INDEX, loop_iterations, params, part, rounds_within};

static BLEND: Part = part!("conv_transpose2d/blend.wgsl");

pub(super) static INTERPOLATE: Kernel = Kernel {
    name: "conv_transpose2d/interpolate",
    parts: &[&INDEX, &ACTIVATION, &BLEND, &part!("conv_transpose2d/interpolate.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `conv_transpose2d/interpolate`; the shader says what they mean.
    pub(super) struct Params {
        channels: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
        column_tiles: u32,
        strips: u32,
        tiles: u32,
    }
}

/// Whether each group has one channel on both sides, and at most two taps a side reach an output cell.
fn applies(problem: &Problem<'_>) -> bool {
    let op = problem.op;
    let short = (0..2).all(|axis| op.kernel[axis] <= 2 * op.stride[axis]);
    problem.group_inputs() == 1 && problem.weight.c == 1 && op.dilation == [1, 1] && short
}

/// One dispatch.
///
/// # Errors
/// [`Error::Unsupported`] for several channels a group, a longer kernel or a dilation; [`Error::Limit`] where a binding does
/// not hold the weight.
pub(super) fn plan(problem: &Problem<'_>, caps: &Caps) -> Result<KernelPlan> {
    let &Problem { op, input, weight, output, .. } = problem;
    if !applies(problem) {
        return Err(Error::Unsupported {
            what: format!("{OP} as interpolation"),
            why: format!(
                "that is for one channel a group, dilation 1 and kernels up to twice the stride, not for weight {weight}, \
                 stride {:?}, dilation {:?}, {} groups",
                op.stride, op.dilation, op.groups
            ),
            way_out: "use gather, or none, which chooses by shape".to_owned(),
        });
    }
    crate::kernel::check_binding(OP, "weight", weight, caps)?;
    let [sy, sx] = op.stride;
    // A CPU driver wants long-running invocations, a GPU many.
    let rows = if caps.software { sy } else { 1 };
    rounds_within(OP, 0, loop_iterations(&[rows, sx]), caps)?;
    let lanes: u32 = if caps.software { 8 } else { 32 };
    // Rows and columns as counted with the border that is cut off.
    let strips = (output.h + op.pad.top).div_ceil(sy) * (sy / rows);
    let column_tiles = (output.w + op.pad.left).div_ceil(sx).div_ceil(lanes as usize);
    let tiles = (output.n * output.c * strips) as u64 * column_tiles as u64;
    let params = Params {
        channels: output.c as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        pad_top: op.pad.top as u32,
        pad_left: op.pad.left as u32,
        column_tiles: column_tiles as u32,
        strips: strips as u32,
        tiles: tiles as u32,
    };
    let constants = [
        ("KH", op.kernel[0] as f64),
        ("KW", op.kernel[1] as f64),
        ("SY", sy as f64),
        ("SX", sx as f64),
        ("BIAS", f64::from(problem.bias)),
        ("RELU", f64::from(op.relu)),
        ("ROWS", rows as f64),
        ("WORKGROUP", f64::from(lanes)),
    ];
    let run = vec![Step {
        kernel: &INTERPOLATE,
        constants: constants.to_vec(),
        params: bytemuck::bytes_of(&params).to_vec(),
        operands: vec![
            Buffer::Input(0).into(),
            Buffer::Input(1).into(),
            problem.bias().into(),
            Buffer::Output(0).into(),
        ],
        workgroups: fold_workgroups(tiles, caps)?,
    }];
    let taps = [0, 1].map(|axis| op.kernel[axis].div_ceil(op.stride[axis]));
    let executed_macs = tiles * u64::from(lanes) * (rows * sx * taps[0] * taps[1]) as u64;
    Ok(KernelPlan { executed_macs, run, ..KernelPlan::default() })
}
