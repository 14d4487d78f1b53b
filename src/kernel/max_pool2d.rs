//! Max pooling on the device.

mod compact;
mod half;
mod pairs;

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuSwitches, GpuTensor, Kernel, KernelPlan, Part, Storage};
use crate::kernel::flat::{flat_step, window_constants};
use crate::kernel::two_by_two::is_pairs;
use crate::kernel::{INDEX, PLACE, RANK, check_binding, loop_iterations, params, part, rounds_within, variants};
use crate::op::MaxPool2d;
use crate::shape::Shape;

const OP: &str = "max_pool2d";

variants! {
    "max_pool2d";
    /// What a pooling gives. The method that is called decides whether there are switches; in which form,
    /// [`Gpu::with_variant`] may say.
    pub enum Variant {
        /// The maxima.
        Values = "values",
        /// The maxima and where they were, a word each.
        Switches = "switches",
        /// The same, two bits each ([`Storage::Compact`]): for 2x2 windows of step 2 without border. In a graph the plan
        /// chooses it for switches that only go into unpoolings to where they came from.
        CompactSwitches = "compact-switches",
    }
}

static WINDOW: Part = part!("max_pool2d/window.wgsl");
pub(super) static BEST: Part = part!("max_pool2d/best.wgsl");
static MAXIMA_F32: Part = part!("max_pool2d/maxima_f32.wgsl");
pub(super) static MAXIMA_HALF: Part = part!("max_pool2d/maxima_half.wgsl");

static VALUES: Kernel = Kernel {
    name: "max_pool2d/values",
    parts: &[&INDEX, &PLACE, &RANK, &WINDOW, &part!("max_pool2d/values.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

static SWITCHES: Kernel = Kernel {
    name: "max_pool2d/switches",
    parts: &[&INDEX, &PLACE, &RANK, &WINDOW, &part!("max_pool2d/switches.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[
    &VALUES,
    &SWITCHES,
    &pairs::PAIRS,
    &pairs::PAIRS_HALF,
    &pairs::ROWS,
    &pairs::ROWS_HALF,
    &pairs::ROWS_U64,
    &pairs::ROWS_HALF_U64,
    &half::VALUES_HALF,
];
pub(crate) static COMPACT_KERNELS: &[&Kernel] = &compact::KERNELS;
pub(crate) static COMPACT_ROW_KERNELS: &[&Kernel] = &compact::BY_ROWS_KERNELS;

pub(crate) use half::plan as plan_half;

params! {
    /// Uniforms of both kernels; `max_pool2d/window.wgsl` says what they mean.
    struct Params {
        elements: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
    }
}

/// The dispatch for this operand. Outputs: the maxima, and the switches in the variant's form if there are any.
///
/// # Errors
/// As [`MaxPool2d::output_shape`]; [`crate::Error::Unsupported`] for compact switches of other windows than they hold;
/// [`crate::Error::Limit`] where an operand exceeds a binding.
pub(crate) fn plan(op: &MaxPool2d, input: Shape, variant: Variant, caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(input)?;
    check_binding(OP, "input", input, caps)?;
    rounds_within(OP, 0, loop_iterations(&op.kernel), caps)?;
    check_binding(OP, "output", output, caps)?;
    if variant == Variant::CompactSwitches {
        return compact::plan(op, input, output, Storage::Words, caps);
    }
    if is_pairs(op, input.extent()) {
        return pairs::plan(output, Storage::Words, variant, caps);
    }
    let params = Params {
        elements: output.elements() as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        pad_top: op.pad.top as u32,
        pad_left: op.pad.left as u32,
    };
    let constants = window_constants(op.kernel, op.stride, op.dilation);
    let (kernel, operands): (_, &[Buffer]) = match variant {
        Variant::Values => (&VALUES, &[Buffer::Input(0), Buffer::Output(0)]),
        Variant::Switches | Variant::CompactSwitches => {
            (&SWITCHES, &[Buffer::Input(0), Buffer::Output(0), Buffer::Output(1)])
        }
    };
    let run = vec![flat_step(kernel, &constants, &params, operands, output.elements(), caps)?];
    Ok(KernelPlan { variant: variant.name(), run, ..KernelPlan::default() })
}

impl Gpu {
    /// [`MaxPool2d`] of `x`.
    ///
    /// # Errors
    /// As [`MaxPool2d::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding; the device's faults.
    pub fn max_pool2d(&self, op: &MaxPool2d, x: &GpuTensor) -> Result<GpuTensor> {
        let plan = plan(op, x.shape(), Variant::Values, self.caps())?;
        self.compute(OP, &plan, &[x], op.output_shape(x.shape())?)
    }

    /// [`MaxPool2d`] of `x`, and where in its planes each maximum was; a word a switch, or
    /// [`Variant::CompactSwitches`] if that was asked for.
    ///
    /// # Errors
    /// As [`Gpu::max_pool2d`]; [`crate::Error::Unsupported`] for compact switches of other windows than they hold.
    pub fn max_pool2d_switches(&self, op: &MaxPool2d, x: &GpuTensor) -> Result<(GpuTensor, GpuSwitches)> {
        let (variant, storage) = match self.preferred(OP)? {
            Some(Variant::CompactSwitches) => (Variant::CompactSwitches, Storage::Compact),
            _ => (Variant::Switches, Storage::Words),
        };
        let plan = plan(op, x.shape(), variant, self.caps())?;
        let shape = op.output_shape(x.shape())?;
        let maxima = self.allocate(OP, shape.elements() as u64)?;
        let switches = self.allocate(OP, storage.words(shape))?;
        self.execute(OP, &plan, &[x.buffer()], &[&maxima, &switches])?;
        Ok((GpuTensor::new(shape, maxima), GpuSwitches::new(shape, x.shape().extent(), *op, storage, switches)))
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let any = MaxPool2d::new([3, 2]).stride([2, 1]).pad(1).dilation([1, 2]).ceil();
    let two = MaxPool2d::new([2, 2]);
    let problems = [(any, [2, 3, 7, 9]), (two, [2, 3, 6, 8]), (two, [2, 3, 7, 9])];
    let on = |caps: Caps| {
        let variants = Variant::ALL.iter().flat_map(move |&variant| problems.map(|problem| (problem, variant)));
        let held =
            variants.filter(|((op, _), variant)| *variant != Variant::CompactSwitches || Storage::holds_compactly(op));
        held.flat_map(move |((op, input), variant)| {
            [plan(&op, input.into(), variant, &caps), plan_half(&op, input.into(), variant, &caps)]
        })
    };
    let plans = crate::kernel::checks::KINDS.into_iter().flat_map(on).collect();
    let mut params: Vec<_> = pairs::POOL.exhibited().collect();
    params.extend(compact::KERNELS.iter().map(|&kernel| (kernel, compact::Params::FIELDS)));
    params.extend(compact::BY_ROWS_KERNELS.iter().map(|&kernel| (kernel, crate::kernel::two_by_two::Params::FIELDS)));
    params.extend([(&VALUES, Params::FIELDS), (&SWITCHES, Params::FIELDS), (&half::VALUES_HALF, half::Params::FIELDS)]);
    crate::kernel::checks::Exhibit { params, plans }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn windows_that_two_bits_do_not_hold_are_refused_in_either_element() {
        let pairs = MaxPool2d::new([2, 2]);
        let overlapping = [pairs.stride([1, 1]), MaxPool2d::new([3, 3]).stride([2, 2])];
        let others = [pairs.stride([2, 3]), pairs.pad(1), pairs.dilation([1, 2]), MaxPool2d::new([2, 3])];
        for pool in overlapping.into_iter().chain(others) {
            let (input, variant) = ([1, 3, 9, 8].into(), Variant::CompactSwitches);
            for planned in [plan(&pool, input, variant, &Caps::WEBGPU), plan_half(&pool, input, variant, &Caps::WEBGPU)]
            {
                let message = planned.unwrap_err().to_string();
                let expected = "max_pool2d with compact switches is not supported: two bits hold a cell of 2x2 windows of \
                                step 2 without border or dilation";
                assert!(message.starts_with(expected), "{message}");
                assert!(message.ends_with(&format!("not of {pool:?}; use the variant switches")), "{message}");
            }
            assert!(plan(&pool, input, Variant::Switches, &Caps::WEBGPU).is_ok());
            assert!(plan_half(&pool, input, Variant::Switches, &Caps::WEBGPU).is_ok());
        }
    }
}
