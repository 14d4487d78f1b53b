//! [`Variant::ZeroInsert`](super::Variant::ZeroInsert): an ordinary convolution over a stretched map.

use super::{OP, Problem};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Scratch, Step};
use crate::kernel::conv2d::{self, Operands, direct};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, PLACE, check_binding, params, part};
use crate::op::Conv2d;
use crate::shape::Shape;

pub(super) static STRETCH: Kernel = Kernel {
    name: "conv_transpose2d/stretch",
    parts: &[&INDEX, &PLACE, &part!("conv_transpose2d/stretch.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(super) static FLIP: Kernel = Kernel {
    name: "conv_transpose2d/flip",
    parts: &[&INDEX, &part!("conv_transpose2d/flip.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `conv_transpose2d/stretch`; the shader says what they mean.
    pub(super) struct StretchParams {
        in_h: u32,
        in_w: u32,
        pad_top: u32,
        pad_left: u32,
        reach_h: u32,
        reach_w: u32,
        out_h: u32,
        out_w: u32,
        elements: u32,
    }
}

params! {
    /// Uniforms of `conv_transpose2d/flip`; the shader says what they mean.
    pub(super) struct FlipParams {
        group_inputs: u32,
        group_outputs: u32,
        elements: u32,
    }
}

pub(super) fn plan(problem: &Problem<'_>, caps: &Caps) -> Result<KernelPlan> {
    let &Problem { op, input, output, .. } = problem;
    let (flipped, [kh, kw]) = (problem.flipped(), op.kernel);
    let ([dy, dx], [sy, sx]) = (op.dilation, op.stride);
    let reach = [(kh - 1) * dy, (kw - 1) * dx];
    let stretched = input.with_extent([output.h + reach[0], output.w + reach[1]]);
    check_binding(OP, "stretched map", stretched, caps)?;
    stretched.check(OP, "stretched map")?;
    const FLIPPED: Buffer = Buffer::Scratch(0);
    const STRETCHED: Buffer = Buffer::Scratch(1);
    let scratch = vec![
        Scratch { words: flipped.elements() as u64, persistent: true },
        Scratch { words: stretched.elements() as u64, persistent: false },
    ];
    let prepare = vec![flip(problem, flipped, FLIPPED, caps)?];
    let stretch = StretchParams {
        in_h: input.h as u32,
        in_w: input.w as u32,
        pad_top: op.pad.top as u32,
        pad_left: op.pad.left as u32,
        reach_h: reach[0] as u32,
        reach_w: reach[1] as u32,
        out_h: stretched.h as u32,
        out_w: stretched.w as u32,
        elements: stretched.elements() as u32,
    };
    let constants = [("SY", sy as f64), ("SX", sx as f64)];
    let buffers = [Buffer::Input(0), STRETCHED];
    let mut run = vec![flat_step(&STRETCH, &constants, &stretch, &buffers, stretched.elements(), caps)?];
    let convolution = Conv2d { relu: op.relu, ..Conv2d::new(op.kernel).dilation(op.dilation).groups(op.groups) };
    let operands = Operands { input: STRETCHED, weight: FLIPPED, ..Operands::with_bias(problem.bias) };
    let convolution = conv2d::Problem { op: &convolution, input: stretched, weight: flipped, output };
    run.extend(direct::steps(&convolution, operands, caps)?);
    let executed_macs = direct::macs(&convolution);
    Ok(KernelPlan { executed_macs, scratch, prepare, run, ..KernelPlan::default() })
}

/// Writes the weight of the ordinary convolution.
///
/// # Errors
/// [`Error::Limit`] where the weight exceeds a binding: flipping reads input channels' rows and writes output channels'
/// rows, so that neither side can be bound in runs.
pub(super) fn flip(problem: &Problem<'_>, flipped: Shape, to: Buffer, caps: &Caps) -> Result<Step> {
    let needed = 4 * flipped.elements() as u64;
    let available = caps.max_binding_bytes.min(caps.max_buffer_bytes);
    if needed > available {
        return Err(Error::Limit {
            what: format!("{OP} by a flipped weight of {flipped}"),
            needed,
            available,
            unit: "bytes a binding",
            way_out: "use gather or phased, which split it".to_owned(),
        });
    }
    let params = FlipParams {
        group_inputs: flipped.c as u32,
        group_outputs: problem.weight.c as u32,
        elements: flipped.elements() as u32,
    };
    let constants = [("KH", flipped.h as f64), ("KW", flipped.w as f64)];
    flat_step(&FLIP, &constants, &params, &[Buffer::Input(1), to], flipped.elements(), caps)
}
