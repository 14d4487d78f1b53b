//! Crop, scale and add in one dispatch.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan, Storage};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, NARROW, PLACE, check_binding, check_bytes, params, part};
use crate::op::CropAdd;
use crate::shape::Shape;

const OP: &str = "crop_add";

static CROP_ADD: Kernel = Kernel {
    name: "crop_add/direct",
    parts: &[&INDEX, &PLACE, &part!("crop_add/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

static CROP_ADD_HALF: Kernel = Kernel {
    name: "crop_add/direct_half",
    parts: &[&INDEX, &PLACE, &NARROW, &part!("crop_add/direct_half.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&CROP_ADD, &CROP_ADD_HALF];

params! {
    /// Uniforms of `crop_add/direct`; the shader says what they mean.
    struct Params {
        elements: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
        row: u32,
        column: u32,
        scale: f32,
    }
}

params! {
    /// Uniforms of `crop_add/direct_half`; the shader says what they mean.
    struct HalfParams {
        words: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
        row: u32,
        column: u32,
        scale: f32,
    }
}

/// The same in f16, all operands [`Storage::Halves`].
///
/// # Errors
/// As [`plan`].
pub(crate) fn plan_half(op: &CropAdd, a: Shape, b: Shape, caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(a, b)?;
    check_bytes(OP, "b", 4 * Storage::Halves.words(b), caps)?;
    let words = Storage::Halves.words(output) as usize;
    let params = HalfParams {
        words: words as u32,
        in_h: b.h as u32,
        in_w: b.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        row: op.offset[0] as u32,
        column: op.offset[1] as u32,
        scale: op.scale,
    };
    let operands = [Buffer::Input(0), Buffer::Input(1), Buffer::Output(0), Buffer::Overflow];
    Ok(only_way(0, vec![flat_step(&CROP_ADD_HALF, &[], &params, &operands, words, caps)?]))
}

/// The dispatch for these operands. Inputs: the map that stays whole, and the one that is cropped.
///
/// # Errors
/// As [`CropAdd::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding.
pub(crate) fn plan(op: &CropAdd, a: Shape, b: Shape, caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(a, b)?;
    check_binding(OP, "b", b, caps)?;
    let params = Params {
        elements: output.elements() as u32,
        in_h: b.h as u32,
        in_w: b.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        row: op.offset[0] as u32,
        column: op.offset[1] as u32,
        scale: op.scale,
    };
    let operands = [Buffer::Input(0), Buffer::Input(1), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&CROP_ADD, &[], &params, &operands, output.elements(), caps)?]))
}

impl Gpu {
    /// [`CropAdd`] of `a`, which stays whole, and `b`, which is cropped.
    ///
    /// # Errors
    /// As [`CropAdd::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding; the device's faults.
    pub fn crop_add(&self, op: &CropAdd, a: &GpuTensor, b: &GpuTensor) -> Result<GpuTensor> {
        self.compute(OP, &plan(op, a.shape(), b.shape(), self.caps())?, &[a, b], a.shape())
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let (op, a, b) = (CropAdd::new([1, 2]).scale(0.5), [2, 3, 3, 4].into(), [2, 3, 5, 7].into());
    let plans = vec![plan(&op, a, b, &Caps::WEBGPU), plan_half(&op, a, b, &Caps::WEBGPU)];
    let params = vec![(&CROP_ADD, Params::FIELDS), (&CROP_ADD_HALF, HalfParams::FIELDS)];
    crate::kernel::checks::Exhibit { params, plans }
}
