//! Pooling of maps in f16.

use super::{OP, Variant};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Scratch, Storage};
use crate::kernel::flat::{flat_step, window_constants};
use crate::kernel::{INDEX, PLACE, TAPS, check_binding, check_bytes, loop_iterations, params, part, rounds_within};
use crate::op::MaxPool2d;
use crate::shape::Shape;

pub(super) static VALUES_HALF: Kernel = Kernel {
    name: "max_pool2d/values_half",
    parts: &[&INDEX, &PLACE, &TAPS, &part!("max_pool2d/values_half.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

/// Values of 2x2 windows of step 2 over whole vectors.
pub(super) static PAIRS_HALF: Kernel = Kernel {
    name: "max_pool2d/pairs_half",
    parts: &[&INDEX, &part!("max_pool2d/pairs_half.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `max_pool2d/pairs_half`; the shader says what they mean.
    struct PairsParams {
        pairs: u32,
        row_pairs: u32,
    }
}

params! {
    /// Uniforms of `max_pool2d/values_half`; the shader says what they mean.
    struct Params {
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

/// The dispatch for an operand and maxima in f16, [`Storage::Halves`]; switches are words.
///
/// # Errors
/// As [`super::plan`]; [`Error::Unsupported`] for compact switches.
pub(crate) fn plan(op: &MaxPool2d, input: Shape, variant: Variant, caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(input)?;
    check_bytes(OP, "input", 4 * Storage::Halves.words(input), caps)?;
    rounds_within(OP, 0, loop_iterations(&op.kernel), caps)?;
    let words = Storage::Halves.words(output) as usize;
    if variant == Variant::Values && super::is_pairs(op, input.extent()) {
        let params = PairsParams { pairs: (words / 2) as u32, row_pairs: (output.w / 2) as u32 };
        let run = vec![flat_step(&PAIRS_HALF, &[], &params, &[Buffer::Input(0), Buffer::Output(0)], words / 2, caps)?];
        return Ok(KernelPlan { variant: variant.name(), run, ..KernelPlan::default() });
    }
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
    // A write needs a buffer of its own, so that what is not written gets a word of scratch.
    let (switches, scratch) = match variant {
        Variant::Values => (Buffer::Scratch(0), vec![Scratch { words: 1, persistent: false }]),
        Variant::Switches => {
            check_binding(OP, "switches", output, caps)?;
            (Buffer::Output(1), vec![])
        }
        Variant::CompactSwitches => {
            let (what, why) = ("compact switches of a map in f16".to_owned(), "no kernel writes them".to_owned());
            return Err(Error::Unsupported { what, why, way_out: "pool in f32".to_owned() });
        }
    };
    let operands = [Buffer::Input(0), Buffer::Output(0), switches];
    let flag = [("SWITCHES", f64::from(variant == Variant::Switches))];
    let constants = [window_constants(op.kernel, op.stride, op.dilation).as_slice(), &flag].concat();
    let run = vec![flat_step(&VALUES_HALF, &constants, &params, &operands, words, caps)?];
    Ok(KernelPlan { variant: variant.name(), scratch, run, ..KernelPlan::default() })
}

#[cfg(test)]
pub(super) const EXHIBITED: [crate::kernel::checks::ParamsExhibit; 2] =
    [(&VALUES_HALF, Params::FIELDS), (&PAIRS_HALF, PairsParams::FIELDS)];
