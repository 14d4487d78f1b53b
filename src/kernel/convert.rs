//! Between f32 and f16: the two conversions, what is beyond f16's range, and operators without a kernel of their own
//! for f16, run in f32 between them.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Step, Storage};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, NARROW, check_binding, params, part};
use crate::shape::Shape;

const OP: &str = "convert";

static WIDEN: Kernel = Kernel {
    name: "convert/widen",
    parts: &[&INDEX, &part!("convert/widen.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

static NARROW_ALL: Kernel = Kernel {
    name: "convert/narrow",
    parts: &[&INDEX, &NARROW, &part!("convert/narrow.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

static RANGE: Kernel = Kernel {
    name: "convert/range",
    parts: &[&INDEX, &part!("convert/range.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&WIDEN, &NARROW_ALL, &RANGE];

params! {
    /// Uniforms of both; the shaders say what they mean.
    struct Params {
        words: u32,
        channels: u32,
        plane: u32,
    }
}

params! {
    /// Uniforms of `convert/range`; the shader says what they mean.
    struct RangeParams {
        elements: u32,
    }
}

impl Params {
    fn of(shape: Shape) -> Self {
        let words = Storage::Halves.words(shape) as u32;
        Self { words, channels: shape.c as u32, plane: shape.plane() as u32 }
    }
}

/// Writes an f16 tensor as f32.
///
/// # Errors
/// [`crate::Error::Limit`] where the f32 form exceeds a binding.
pub(crate) fn widen(shape: Shape, from: Buffer, to: Buffer, caps: &Caps) -> Result<Step> {
    check_binding(OP, "f32 form", shape, caps)?;
    flat_step(&WIDEN, &[], &Params::of(shape), &[from, to], Storage::Halves.words(shape) as usize, caps)
}

/// Writes an f32 tensor as f16.
///
/// # Errors
/// [`crate::Error::Limit`] where the f32 form exceeds a binding.
pub(crate) fn narrow(shape: Shape, from: Buffer, to: Buffer, caps: &Caps) -> Result<Step> {
    check_binding(OP, "f32 form", shape, caps)?;
    let operands = [from, to, Buffer::Overflow];
    flat_step(&NARROW_ALL, &[], &Params::of(shape), &operands, Storage::Halves.words(shape) as usize, caps)
}

/// Elements that an invocation of `convert/range` looks at.
const RANGE_RUN: usize = 16;

/// Sets the session's word if an element of an f32 tensor is beyond f16's range.
///
/// # Errors
/// [`crate::Error::Limit`] where a dispatch does not hold it.
pub(crate) fn check_range(shape: Shape, of: Buffer, caps: &Caps) -> Result<Step> {
    let params = RangeParams { elements: shape.elements() as u32 };
    flat_step(&RANGE, &[], &params, &[of, Buffer::Overflow], shape.elements().div_ceil(RANGE_RUN), caps)
}

/// A plan in f32 whose operands at these positions are f16: they are converted into temporaries before it, and its results
/// out of them after it.
///
/// # Errors
/// [`crate::Error::Limit`] where a temporary exceeds a binding.
pub(crate) fn through_f32(
    mut plan: KernelPlan,
    inputs: &[(usize, Shape)],
    outputs: &[(usize, Shape)],
    caps: &Caps,
) -> Result<KernelPlan> {
    plan.via_f32 = true;
    let (mut before, mut after, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    let ends = inputs.iter().map(|&(position, shape)| (Buffer::Input(position), shape));
    for (end, shape) in ends.chain(outputs.iter().map(|&(position, shape)| (Buffer::Output(position), shape))) {
        let temporary = plan.temporary(shape.elements() as u64);
        match end {
            Buffer::Input(_) => before.push(widen(shape, end, temporary, caps)?),
            _ => after.push(narrow(shape, temporary, end, caps)?),
        }
        moved.push((end, temporary));
    }
    moved.iter().for_each(|&(end, temporary)| redirect(&mut plan, end, temporary));
    plan.run = before.into_iter().chain(plan.run).chain(after).collect();
    Ok(plan)
}

fn redirect(plan: &mut KernelPlan, from: Buffer, to: Buffer) {
    let operands = plan.run.iter_mut().flat_map(|step| &mut step.operands);
    operands.filter(|operand| operand.buffer == from).for_each(|operand| operand.buffer = to);
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let shape = Shape::from([2, 3, 5, 7]);
    let steps = [
        widen(shape, Buffer::Input(0), Buffer::Output(0), &Caps::WEBGPU),
        narrow(shape, Buffer::Input(0), Buffer::Output(0), &Caps::WEBGPU),
        check_range(shape, Buffer::Input(0), &Caps::WEBGPU),
    ];
    let plan = |step: Result<Step>| Ok(crate::kernel::flat::only_way(0, vec![step?]));
    crate::kernel::checks::Exhibit {
        params: vec![(&WIDEN, Params::FIELDS), (&NARROW_ALL, Params::FIELDS), (&RANGE, RangeParams::FIELDS)],
        plans: steps.into_iter().map(plan).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shader_looks_at_as_many() {
        assert_eq!(crate::kernel::checks::constant(&RANGE, "RUN"), RANGE_RUN as u64);
    }
}
