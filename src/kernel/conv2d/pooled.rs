//! A max pooling as the end of a convolution.

use super::operands::{Form, Operands};
use super::winograd;
use super::{OP, Problem, Variant, check_half_groups, plan_product, worth};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Caps, KernelPlan, Storage};
use crate::kernel::{check_binding, check_bytes, zero};
use crate::op::{Conv2d, MaxPool2d, Rounding};
use crate::shape::Shape;

/// A max pooling as the end of a convolution, so that the map between them is never written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pooling {
    /// The pooling.
    pub(crate) op: MaxPool2d,
    /// The form in which its switches are wanted too, if they are.
    pub(crate) switches: Option<Storage>,
}

/// What dispatches that end in a pooling are given besides.
pub(super) struct End {
    /// Shape of the maxima.
    pub(super) pooled: Shape,
    /// Where the switches go; a word that is not written, where none are wanted, for dispatches name it all the same.
    pub(super) switches: Buffer,
    /// Overrides that say what is wanted.
    pub(super) constants: Vec<(&'static str, f64)>,
}

impl End {
    /// The extent of whole windows, whose cells past the map are computed in vain and left out.
    pub(super) fn windows(&self) -> Shape {
        self.pooled.with_extent([2 * self.pooled.h, 2 * self.pooled.w])
    }
}

impl Pooling {
    /// The end of this plan's dispatches, for which it has room in scratch and clears compact switches, whose words
    /// windows share.
    pub(super) fn end(&self, plan: &mut KernelPlan, output: Shape, caps: &Caps) -> Result<End> {
        let pooled = self.op.output_shape(output)?;
        let compact = self.switches == Some(Storage::Compact);
        let switches = match self.switches {
            Some(_) => Buffer::Output(1),
            None => plan.temporary(1),
        };
        if compact {
            plan.run.push(zero::step(switches, Storage::Compact.words(pooled) as usize, caps)?);
        }
        let constants = vec![("SWITCHES", f64::from(self.switches.is_some())), ("COMPACT", f64::from(compact))];
        Ok(End { pooled, switches, constants })
    }

    /// As [`Pooling::end`], for dispatches that compute window after window (`conv2d/in_windows.wgsl`).
    pub(super) fn end_in_windows(&self, plan: &mut KernelPlan, output: Shape, caps: &Caps) -> Result<End> {
        let mut end = self.end(plan, output, caps)?;
        end.constants.push(("PARTIAL", f64::from(self.op.rounding != Rounding::Floor)));
        Ok(end)
    }

    /// Refuses windows that are not four cells of their own.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    fn check(&self) -> Result<()> {
        if Storage::holds_compactly(&self.op) {
            return Ok(());
        }
        Err(Self::refused(format!("windows are 2x2 of step 2 without border here, not {:?}", self.op)))
    }

    pub(super) fn refused(why: String) -> Error {
        let (what, way_out) = (format!("{OP} that ends in a max pooling"), "pool in a step of its own".to_owned());
        Error::Unsupported { what, why, way_out }
    }
}

/// Dispatches for a convolution by this variant and the max pooling of its map. Inputs: as [`plan`](super::plan);
/// outputs: the maxima, and the switches if they are wanted.
///
/// # Errors
/// As [`plan`](super::plan) and [`MaxPool2d::output_shape`], but that the map may exceed a binding;
/// [`Error::Unsupported`] unless the variant is one of minimal filtering, whose tiles hold whole windows of 2x2 cells,
/// and the pooling one of such windows.
pub(crate) fn plan_pooled(
    op: &Conv2d,
    pooling: Pooling,
    shapes: (Shape, Shape, Option<Shape>),
    variant: Variant,
    caps: &Caps,
) -> Result<KernelPlan> {
    let (input, weight, bias) = shapes;
    let output = op.output_shape(input, weight, bias)?;
    let pooled = pooling.op.output_shape(output)?;
    check_binding(OP, "input", input, caps)?;
    check_binding(OP, "pooled output", pooled, caps)?;
    pooling.check()?;
    let operands = Operands { pooling: Some(pooling), ..Operands::with_bias(bias.is_some()) };
    let transform = match variant {
        Variant::WinogradF2 => &winograd::F2,
        Variant::WinogradF4 => &winograd::F4,
        Variant::WinogradPieces => &winograd::PIECES,
        Variant::WinogradEight => &winograd::EIGHT,
        other => {
            return Err(Pooling::refused(format!("an invocation of variant {} holds no whole windows", other.name())));
        }
    };
    winograd::plan(transform, &Problem { op, input, weight, output }, operands, caps)
}

/// As [`plan_pooled`], for maps in f16.
///
/// # Errors
/// As [`plan_half`](super::plan_half) and [`plan_pooled`]; [`Error::Unsupported`] where the sum takes several dispatches, and where the
/// convolution goes by a variant that is no implicit product.
pub(crate) fn plan_half_pooled(
    op: &Conv2d,
    pooling: Pooling,
    shapes: (Shape, Shape, Option<Shape>),
    variant: Option<Variant>,
    caps: &Caps,
) -> Result<KernelPlan> {
    let (input, weight, bias) = shapes;
    let output = op.output_shape(input, weight, bias)?;
    let pooled = pooling.op.output_shape(output)?;
    check_bytes(OP, "input", 4 * Storage::Halves.words(input), caps)?;
    check_bytes(OP, "pooled output", 4 * Storage::Halves.words(pooled), caps)?;
    pooling.switches.map_or(Ok(()), |form| check_bytes(OP, "switches", 4 * form.words(pooled), caps))?;
    pooling.check()?;
    check_half_groups(OP, op.groups, weight.c, weight.n / op.groups)?;
    let operands = Operands { form: Form::Halves, pooling: Some(pooling), ..Operands::with_bias(bias.is_some()) };
    let problem = &Problem { op, input, weight, output };
    let variant = variant.map_or_else(|| worth::checked(problem, caps), Ok)?;
    plan_product(problem, operands, variant, caps)
}
