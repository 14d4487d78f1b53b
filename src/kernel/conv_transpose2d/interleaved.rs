//! A transposed convolution as a convolution of stride 1 whose output channels are the phases of the result, stored
//! interleaved (`conv_transpose2d/interleaved.wgsl` derives it): for maps in f16, for matrix units, and on GPUs for maps in f32 whose
//! phases have as many taps each, by the kernels of the convolution.

use super::{OP, Problem, Variant, with_own_weight};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Step};
use crate::kernel::card::Card;
use crate::kernel::conv2d::{self, Form, Interleave, Operands, forms};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, params, part};
use crate::op::Conv2d;
use crate::shape::{Padding, Shape};

pub(super) static PHASE_WEIGHT: Kernel = Kernel {
    name: "conv_transpose2d/phase_weight",
    parts: &[&INDEX, &forms::INTERLEAVED, &part!("conv_transpose2d/phase_weight.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `conv_transpose2d/phase_weight`; the shader says what they mean.
    pub(super) struct WeightParams {
        group_inputs: u32,
        group_outputs: u32,
        group_rows: u32,
        elements: u32,
    }
}

/// The convolution along one axis.
struct Axis {
    kernel: usize,
    dilation: usize,
    /// Cells that it computes for the output, and the first of them.
    cells: usize,
    first: usize,
    /// Output rows or columns of the first cell's phases that the border cuts off.
    cut: usize,
}

impl Axis {
    fn of(problem: &Problem<'_>, axis: usize) -> Self {
        let (op, output) = (problem.op, problem.output.extent()[axis]);
        let (stride, dilation, border) = (op.stride[axis], op.dilation[axis], op.pad.before()[axis]);
        // Taps lie whole cells apart if the stride divides the dilation; else there is one for every cell between.
        let apart = if dilation.is_multiple_of(stride) { dilation / stride } else { 1 };
        Self {
            kernel: (op.kernel[axis] - 1) * dilation / stride / apart + 1,
            dilation: apart,
            cells: (border + output - 1) / stride + 1 - border / stride,
            first: border / stride,
            cut: border % stride,
        }
    }
}

/// The convolution that computes all phases.
struct Convolution {
    op: Conv2d,
    /// The weight that is made for it, and its result, before that is stored interleaved.
    made: Shape,
    cells: Shape,
    interleave: Interleave,
}

impl Convolution {
    fn of(problem: &Problem<'_>, form: Form) -> Self {
        let &Problem { op, weight, output, .. } = problem;
        let [rows, columns] = [0, 1].map(|axis| Axis::of(problem, axis));
        let pair = if form == Form::Words { 1 } else { 2 };
        let group_rows = weight.c.next_multiple_of(pair).saturating_mul(op.stride[0]).saturating_mul(op.stride[1]);
        let n = group_rows.saturating_mul(op.groups);
        let made = Shape { n, c: problem.group_inputs(), h: rows.kernel, w: columns.kernel };
        let interleave = Interleave {
            phases: op.stride,
            pair,
            output,
            first: [rows.first, columns.first],
            cut: [rows.cut, columns.cut],
        };
        let reach = [&rows, &columns].map(|axis| (axis.kernel - 1) * axis.dilation);
        let pad = Padding { top: reach[0], bottom: reach[0], left: reach[1], right: reach[1] };
        let op = Conv2d { relu: op.relu, ..Conv2d::new([rows.kernel, columns.kernel]) }
            .dilation([rows.dilation, columns.dilation])
            .pad(pad)
            .groups(op.groups);
        Self { op, made, cells: Shape { n: output.n, c: n, h: rows.cells, w: columns.cells }, interleave }
    }

    /// The same without an interleaved store where there is one phase, whose cells and channels are the output's: sums of such a
    /// convolution may be taken in parts.
    fn plain(&self) -> Option<Conv2d> {
        let Interleave { phases, output, first: [top, left], .. } = self.interleave;
        let pad = self.op.pad;
        let one = phases == [1, 1] && self.made.n == output.c && top <= pad.top && left <= pad.left;
        one.then(|| self.op.pad(Padding { top: pad.top - top, left: pad.left - left, ..pad }))
    }
}

/// Makes the weight of the convolution in scratch, then plans the convolution by this variant, which packs it from there.
///
/// # Errors
/// [`Error::Limit`] where a binding does not hold either weight; as the convolution's plan.
pub(super) fn plan(problem: &Problem<'_>, form: Form, variant: conv2d::Variant, caps: &Caps) -> Result<KernelPlan> {
    let convolution = Convolution::of(problem, form);
    let plain = convolution.plain();
    let Convolution { op, made, cells, interleave } = convolution;
    let make = make_weight(problem, made, interleave, op.dilation, caps)?;
    let interleave = plain.is_none().then_some(interleave);
    let operands = Operands { form, interleave, ..Operands::with_bias(problem.bias) };
    let op = plain.unwrap_or(op);
    let inner = conv2d::Problem { op: &op, input: problem.input, weight: made, output: cells };
    let inner = conv2d::plan_product(&inner, operands, variant, caps)?;
    Ok(with_own_weight(inner, made, make))
}

/// What it takes on a GPU to store a cell a stride from its neighbour (H200: 21->21 k16 s8 @34 45 us instead of 16, k64 s32 @16 88
/// instead of 48, in multiply-adds of 15.5 a picosecond).
const APART: f64 = 120.0;

/// What the convolution takes in f32 by this variant on a card, comparable with the other variants' efforts; `None` where it does not
/// apply, and where it would multiply cells with zeros in place of taps that some phases do not have, which infinities and NaNs survive.
pub(super) fn effort(problem: &Problem<'_>, variant: conv2d::Variant, card: Card, caps: &Caps) -> Option<f64> {
    let Convolution { op, made, cells, interleave } = Convolution::of(problem, Form::Words);
    let taps = |axis| interleave.phases[axis] * op.kernel[axis];
    if [0, 1].map(taps) != problem.op.kernel {
        return None;
    }
    let inner = conv2d::Problem { op: &op, input: problem.input, weight: made, output: cells };
    let apart = if interleave.phases == [1, 1] { 0.0 } else { APART * problem.output.elements() as f64 };
    Some(conv2d::effort(&inner, variant, card, caps)? + apart)
}

/// Refuses what takes a small card many times as long by this variant, from and to maps in f16, as in f32 between conversions.
///
/// # Errors
/// [`Error::Unsupported`].
pub(super) fn check_worth(problem: &Problem<'_>, variant: conv2d::Variant, caps: &Caps) -> Result<()> {
    let Convolution { op, made, cells, .. } = Convolution::of(problem, Form::Halves);
    let plain = [Variant::Gather, Variant::Phased, Variant::SharedPhases]
        .into_iter()
        .filter_map(|variant| problem.effort(variant, Card::SMALL, caps))
        .fold(f64::INFINITY, f64::min);
    let maps = [problem.input, problem.output];
    let inner = conv2d::Problem { op: &op, input: problem.input, weight: made, output: cells };
    conv2d::check_worth(OP, &inner, variant, (plain, maps), caps)
}

/// Writes the weight of the convolution.
fn make_weight(
    problem: &Problem<'_>,
    made: Shape,
    interleave: Interleave,
    [ey, ex]: [usize; 2],
    caps: &Caps,
) -> Result<Step> {
    let available = caps.max_binding_bytes.min(caps.max_buffer_bytes);
    let words = [made.n, made.c, made.h, made.w].into_iter().fold(1_u64, |words, n| words.saturating_mul(n as u64));
    let needed = words.max(problem.weight.elements() as u64).saturating_mul(4);
    if needed > available {
        return Err(Error::Limit {
            what: format!("{OP} with phases as output channels: a weight of {made}"),
            needed,
            available,
            unit: "bytes a binding",
            way_out: "use gather, or none, which chooses by shape and limits".to_owned(),
        });
    }
    made.check(OP, "weight with phases as output channels")?;
    let params = WeightParams {
        group_inputs: made.c as u32,
        group_outputs: problem.weight.c as u32,
        group_rows: (made.n / problem.op.groups) as u32,
        elements: made.elements() as u32,
    };
    let op = problem.op;
    let own = [
        ("KH", op.kernel[0]),
        ("KW", op.kernel[1]),
        ("DY", op.dilation[0]),
        ("DX", op.dilation[1]),
        ("QH", made.h),
        ("QW", made.w),
        ("EY", ey),
        ("EX", ex),
    ];
    let constants = [own.map(|(name, value)| (name, value as f64)).as_slice(), &interleave.constants()].concat();
    flat_step(&PHASE_WEIGHT, &constants, &params, &[Buffer::Input(1), Buffer::Scratch(0)], made.elements(), caps)
}
