//! Max pooling on the device.

mod compact;
mod half;

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuSwitches, GpuTensor, Kernel, KernelPlan, Part, Scratch, Storage};
use crate::kernel::flat::{flat_step, window_constants};
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

/// Both, for 2x2 windows of step 2 over whole vectors.
static PAIRS: Kernel = Kernel {
    name: "max_pool2d/pairs",
    parts: &[&INDEX, &RANK, &part!("max_pool2d/pairs.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] =
    &[&VALUES, &SWITCHES, &PAIRS, &compact::VECTORS, &compact::SCALARS, &half::VALUES_HALF, &half::PAIRS_HALF];

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

params! {
    /// Uniforms of `max_pool2d/pairs`; the shader says what they mean.
    struct PairsParams {
        runs: u32,
        row_runs: u32,
        rows: u32,
        row_pairs: u32,
    }
}

/// Pairs of windows that an invocation does, by pooling and unpooling alike: of a CPU driver's lanes, which each take vectors one
/// after another, eight; on a GPU neighbouring invocations read neighbouring vectors.
pub(super) fn run_of_pairs(caps: &Caps) -> usize {
    if caps.software { 8 } else { 1 }
}

/// Whether windows are 2x2 of step 2, without border, and tile planes whose rows are whole vectors of four.
pub(super) fn is_pairs(op: &MaxPool2d, extent: [usize; 2]) -> bool {
    Storage::holds_compactly(op) && extent[0].is_multiple_of(2) && extent[1].is_multiple_of(4)
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
        return compact::plan(op, input, output, caps);
    }
    if is_pairs(op, input.extent()) {
        let row_pairs = output.w / 2;
        let row_runs = row_pairs.div_ceil(run_of_pairs(caps));
        let runs = output.n * output.c * output.h * row_runs;
        let params = PairsParams {
            runs: runs as u32,
            row_runs: row_runs as u32,
            rows: output.h as u32,
            row_pairs: row_pairs as u32,
        };
        let switches = variant == Variant::Switches;
        // A write needs a buffer of its own, so that what is not written gets a word of scratch.
        let (third, scratch) = match variant {
            Variant::Values => (Buffer::Scratch(0), vec![Scratch { words: 2, persistent: false }]),
            Variant::Switches | Variant::CompactSwitches => (Buffer::Output(1), Vec::new()),
        };
        let operands = [Buffer::Input(0), Buffer::Output(0), third];
        let constants = [("SWITCHES", f64::from(switches)), ("RUN", run_of_pairs(caps) as f64)];
        let run = vec![flat_step(&PAIRS, &constants, &params, &operands, runs, caps)?];
        return Ok(KernelPlan { variant: variant.name(), scratch, run, ..KernelPlan::default() });
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
    let op = MaxPool2d::new([3, 2]).stride([2, 1]).pad(1).dilation([1, 2]).ceil();
    let pairs = MaxPool2d::new([2, 2]);
    let both = |variant| {
        [
            plan(&op, [2, 3, 7, 9].into(), variant, &Caps::WEBGPU),
            plan(&pairs, [2, 3, 6, 8].into(), variant, &Caps::WEBGPU),
        ]
    };
    let compact = |input: [usize; 4]| plan(&pairs, input.into(), Variant::CompactSwitches, &Caps::WEBGPU);
    let compact = [compact([2, 3, 6, 8]), compact([2, 3, 7, 9])];
    let halves =
        [Variant::Values, Variant::Switches].map(|variant| plan_half(&op, [2, 3, 7, 9].into(), variant, &Caps::WEBGPU));
    let halves = halves.into_iter().chain([plan_half(&pairs, [2, 3, 6, 8].into(), Variant::Values, &Caps::WEBGPU)]);
    let plans = [Variant::Values, Variant::Switches].into_iter().flat_map(both).chain(compact).chain(halves).collect();
    let params = vec![
        (&VALUES, Params::FIELDS),
        (&SWITCHES, Params::FIELDS),
        (&PAIRS, PairsParams::FIELDS),
        (&compact::VECTORS, compact::Params::FIELDS),
        (&compact::SCALARS, compact::Params::FIELDS),
        half::EXHIBITED[0],
        half::EXHIBITED[1],
    ];
    crate::kernel::checks::Exhibit { params, plans }
}
