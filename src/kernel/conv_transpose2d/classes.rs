//! Transposed convolutions of which only the class of each pixel is wanted: the scores are never written.

use super::{OP, Problem, Variant, interpolate, phased, select, shared_phases};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Caps, KernelPlan, Scratch, Storage};
use crate::kernel::{argmax_channels, check_binding, check_bytes};
use crate::op::{ArgmaxChannels, ConvTranspose2d};
use crate::shape::Shape;

/// Dispatches for these operands, as [`super::plan`]'s, the map in f16 if it is `half`; the output is labels, four
/// pixels a word. The scores are those of the variant that [`super::plan`] chooses, bit for bit, and so the labels
/// those of [`ArgmaxChannels`] of them.
///
/// # Errors
/// As [`super::plan`] and [`ArgmaxChannels::output_shape`]; [`Error::Unsupported`] where that variant does not have all
/// scores of a pixel in one invocation, or does not read the map's form.
pub(crate) fn plan_classes(
    op: &ConvTranspose2d,
    input: Shape,
    weight: Shape,
    bias: Option<Shape>,
    half: bool,
    caps: &Caps,
) -> Result<KernelPlan> {
    let output = op.output_shape(input, weight, bias)?;
    let pixels = ArgmaxChannels.output_shape(output)?.elements();
    let words = if half { Storage::Halves } else { Storage::Words }.words(input);
    check_bytes(OP, format_args!("input of {input}"), 4 * words, caps)?;
    check_binding(OP, "classes", output.with_channels(1), caps)?;
    let problem = Problem { op, input, weight, output, bias: bias.is_some() };
    let refused = |why| Error::Unsupported {
        what: format!("{OP} of {input} by {weight} to labels in one pass"),
        why,
        way_out: "use conv_transpose2d and argmax_channels".to_owned(),
    };
    let (mut plan, classes) = match select(&problem, caps)?.variant {
        name if name == Variant::Interpolate.name() => {
            let classes = Buffer::Scratch(0);
            let (step, executed_macs) = interpolate::classify(&problem, half, classes, caps)?;
            (KernelPlan { variant: name, executed_macs, run: vec![step], ..KernelPlan::default() }, classes)
        }
        // The other kernels read f32 only.
        name if half => return Err(refused(format!("{name} has no kernel for it that reads f16"))),
        name if name == Variant::Phased.name() && phased::in_one_block(&problem) => {
            behind_weights(name, phased::plan_classes(&problem, caps)?)
        }
        name if name == Variant::SharedPhases.name() && shared_phases::holds_classes(&problem) => {
            behind_weights(name, shared_phases::plan_classes(&problem, caps)?)
        }
        name => return Err(refused(format!("an invocation of {name} does not have all scores of a pixel"))),
    };
    plan.scratch.push(Scratch { words: pixels as u64, persistent: false });
    plan.run.push(argmax_channels::pack_labels(classes, Buffer::Output(0), pixels, caps)?);
    Ok(plan)
}

/// The plan of a variant, and its classes: in the scratch buffer after its own.
fn behind_weights(variant: &'static str, plan: KernelPlan) -> (KernelPlan, Buffer) {
    let classes = Buffer::Scratch(plan.scratch.len());
    (KernelPlan { variant, ..plan }, classes)
}
