//! Addition on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan, Storage};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, NARROW, check_binding, check_bytes, params, part};
use crate::op::Add;
use crate::shape::Shape;

const OP: &str = "add";

static ADD: Kernel = Kernel {
    name: "add/direct",
    parts: &[&INDEX, &part!("add/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

static ADD_HALF: Kernel = Kernel {
    name: "add/direct_half",
    parts: &[&INDEX, &NARROW, &part!("add/direct_half.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&ADD, &ADD_HALF];

params! {
    /// Uniforms of `add/direct`; the shader says what they mean.
    struct Params {
        elements: u32,
    }
}

params! {
    /// Uniforms of `add/direct_half`; the shader says what they mean.
    struct HalfParams {
        words: u32,
    }
}

/// The same in f16, all operands [`Storage::Halves`].
///
/// # Errors
/// As [`plan`].
pub(crate) fn plan_half(a: Shape, b: Shape, caps: &Caps) -> Result<KernelPlan> {
    let words = Storage::Halves.words(Add.output_shape(a, b)?) as usize;
    check_bytes(OP, format_args!("a of {a}"), 4 * words as u64, caps)?;
    let operands = [Buffer::Input(0), Buffer::Input(1), Buffer::Output(0), Buffer::Overflow];
    Ok(only_way(0, vec![flat_step(&ADD_HALF, &[], &HalfParams { words: words as u32 }, &operands, words, caps)?]))
}

/// The dispatch for these operands.
///
/// # Errors
/// As [`Add::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding.
pub(crate) fn plan(a: Shape, b: Shape, caps: &Caps) -> Result<KernelPlan> {
    let output = Add.output_shape(a, b)?;
    check_binding(OP, "a", a, caps)?;
    let params = Params { elements: output.elements() as u32 };
    let operands = [Buffer::Input(0), Buffer::Input(1), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&ADD, &[], &params, &operands, output.elements(), caps)?]))
}

impl Gpu {
    /// [`Add`] of `a` and `b`.
    ///
    /// # Errors
    /// As [`Add::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding; the device's faults.
    pub fn add(&self, a: &GpuTensor, b: &GpuTensor) -> Result<GpuTensor> {
        self.compute(OP, &plan(a.shape(), b.shape(), self.caps())?, &[a, b], a.shape())
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let shape = Shape::from([2, 3, 5, 7]);
    crate::kernel::checks::Exhibit {
        params: vec![(&ADD, Params::FIELDS), (&ADD_HALF, HalfParams::FIELDS)],
        plans: vec![plan(shape, shape, &Caps::WEBGPU), plan_half(shape, shape, &Caps::WEBGPU)],
    }
}
