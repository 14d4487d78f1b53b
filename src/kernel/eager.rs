//! Running an operator's plan at once.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::gpu::{Gpu, GpuTensor, KernelPlan};
use crate::shape::Shape;

impl Gpu {
    /// Runs the plan of an operator of f32 tensors whose result has this shape.
    ///
    /// # Errors
    /// [`Error::Limit`] and [`Error::OutOfMemory`] where the result or the plan's scratch does not fit; the device's
    /// faults.
    pub(crate) fn compute(
        &self,
        op: &'static str,
        plan: &KernelPlan,
        inputs: &[&GpuTensor],
        shape: Shape,
    ) -> Result<GpuTensor> {
        let inputs: Vec<_> = inputs.iter().map(|input| input.buffer()).collect();
        let output = self.allocate(op, shape.elements() as u64)?;
        self.execute(op, plan, &inputs, &[&output])?;
        Ok(GpuTensor::new(shape, output))
    }

    /// The variant that was asked for with `with_variant`, if any.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `op` has no variant of that name.
    pub(crate) fn preferred<Variant: FromStr<Err = Error>>(&self, op: &'static str) -> Result<Option<Variant>> {
        self.preference(op).map(str::parse).transpose()
    }
}
