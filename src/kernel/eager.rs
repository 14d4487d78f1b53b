//! Running an operator's plan at once, by the variant that the caller prefers.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::gpu::{Gpu, GpuTensor, KernelPlan};
use crate::shape::Shape;

/// A variant of any operator: what [`Gpu::with_variant`] takes, made from the `Variant` in the operator's module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AnyVariant {
    pub(crate) op: &'static str,
    pub(crate) name: &'static str,
}

impl AnyVariant {
    /// The operator's name, as in `conv2d`.
    #[must_use]
    pub const fn operator(self) -> &'static str {
        self.op
    }

    /// The variant's name, as in plans and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl Gpu {
    /// A clone, on the same device, that computes one operator by this variant instead of choosing by its shapes: for
    /// tests, benchmarks and experts. A variant that cannot do what it is asked for is an error then.
    ///
    /// ```no_run
    /// use switchback::{Gpu, kernel::max_unpool2d::Variant};
    /// let gpu = Gpu::new()?.with_variant(Variant::Scatter);
    /// # Ok::<(), switchback::Error>(())
    /// ```
    #[must_use]
    pub fn with_variant(&self, variant: impl Into<AnyVariant>) -> Self {
        let AnyVariant { op, name } = variant.into();
        self.with_preference(op, name)
    }

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

    /// The variant that was asked for with [`Gpu::with_variant`], if any.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `op` has no variant of that name.
    pub(crate) fn preferred<Variant: FromStr<Err = Error>>(&self, op: &'static str) -> Result<Option<Variant>> {
        self.preference(op).map(str::parse).transpose()
    }
}
