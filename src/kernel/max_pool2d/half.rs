//! Pooling of maps in f16.

use super::{OP, Variant, compact, pairs};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Scratch, Storage};
use crate::kernel::flat::{flat_step, window_constants};
use crate::kernel::two_by_two::is_pairs;
use crate::kernel::{INDEX, PLACE, TAPS, check_binding, check_bytes, loop_iterations, params, part, rounds_within};
use crate::op::MaxPool2d;
use crate::shape::Shape;

/// For any windows, values or with switches a word each.
pub(super) static VALUES_HALF: Kernel = Kernel {
    name: "max_pool2d/values_half",
    parts: &[&INDEX, &PLACE, &TAPS, &part!("max_pool2d/values_half.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `max_pool2d/values_half`; the shader says what they mean.
    pub(super) struct Params {
        words: u32,
        channels: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
    }
}

/// The dispatch for an operand and maxima in f16, [`Storage::Halves`]; switches are those of maps in f32.
///
/// # Errors
/// As [`super::plan`].
pub(crate) fn plan(op: &MaxPool2d, input: Shape, variant: Variant, caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(input)?;
    check_bytes(OP, format_args!("input of {input}"), 4 * Storage::Halves.words(input), caps)?;
    rounds_within(OP, 0, loop_iterations(&op.kernel), caps)?;
    if variant == Variant::CompactSwitches {
        return compact::plan(op, input, output, Storage::Halves, caps);
    }
    if variant == Variant::Switches {
        check_binding(OP, "switches", output, caps)?;
    }
    if is_pairs(op, input.extent()) {
        return pairs::plan(output, Storage::Halves, variant, caps);
    }
    let words = Storage::Halves.words(output) as usize;
    let params = Params {
        words: words as u32,
        channels: input.c as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        pad_top: op.pad.top as u32,
        pad_left: op.pad.left as u32,
    };
    let with_switches = variant == Variant::Switches;
    // A write needs a buffer of its own, so that what is not written gets a word of scratch.
    let (switches, scratch) = match with_switches {
        true => (Buffer::Output(1), vec![]),
        false => (Buffer::Scratch(0), vec![Scratch { words: 1, persistent: false }]),
    };
    let operands = [Buffer::Input(0), Buffer::Output(0), switches];
    let flag = [("SWITCHES", f64::from(with_switches))];
    let constants = [window_constants(op.kernel, op.stride, op.dilation).as_slice(), &flag].concat();
    let run = vec![flat_step(&VALUES_HALF, &constants, &params, &operands, words, caps)?];
    Ok(KernelPlan { variant: variant.name(), scratch, run, ..KernelPlan::default() })
}
