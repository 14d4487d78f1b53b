//! [`Variant::Product`](super::Variant::Product): the transposed convolution of maps of one cell.

use super::packed::{Packing, Run, packed};
use super::{OP, Problem};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Part, Scratch, Step, fold_workgroups};
use crate::kernel::conv2d::Form;
use crate::kernel::{ACTIVATION, INDEX, WORKGROUP, convert, loop_iterations, params, part, rounds_within};

static F32: Part = part!("conv_transpose2d/product_f32.wgsl");
static HALVES: Part = part!("conv_transpose2d/product_half.wgsl");
static CELL: Part = part!("conv_transpose2d/product_cell.wgsl");
static WHOLE: Part = part!("conv_transpose2d/product.wgsl");
static IN_PARTS: Part = part!("conv_transpose2d/product_parts.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part]) -> Kernel {
    let bindings = &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write];
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

static PRODUCT: Kernel = kernel("conv_transpose2d/product", &[&INDEX, &ACTIVATION, &F32, &CELL, &WHOLE]);
static PRODUCT_HALF: Kernel = kernel("conv_transpose2d/product_half", &[&INDEX, &ACTIVATION, &HALVES, &CELL, &WHOLE]);
/// With each sum in parts, for GPUs.
static PARTS: Kernel = kernel("conv_transpose2d/product_parts", &[&INDEX, &ACTIVATION, &F32, &CELL, &IN_PARTS]);
static PARTS_HALF: Kernel =
    kernel("conv_transpose2d/product_parts_half", &[&INDEX, &ACTIVATION, &HALVES, &CELL, &IN_PARTS]);

pub(crate) static KERNELS: &[&Kernel] = &[&PRODUCT, &PRODUCT_HALF, &PARTS, &PARTS_HALF];

params! {
    /// Uniforms of all of them; `conv_transpose2d/product_cell.wgsl` says what they mean.
    pub(super) struct Params {
        in_channels: u32,
        out_channels: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
        group_inputs: u32,
        group_outputs: u32,
        group_blocks: u32,
        first_block: u32,
        blocks: u32,
        tiles: u32,
    }
}

/// Invocations that share a block: neighbours read neighbouring weights.
const LANES: u64 = 8;

/// Invocations of a workgroup that makes sums in parts, sixteen of them: DeconvNet's fc6-deconv has 784 such workgroups, which are
/// loading 6 MB at any time.
const PARTS_WORKGROUP: u32 = 128;

/// Packs the weight, then one dispatch for each run of its blocks; a result in f16, which is small, is converted last.
///
/// # Errors
/// [`Error::Unsupported`] where the map has more than one cell, or the driver would cut the loop short; [`Error::Limit`]
/// as [`packed`].
pub(super) fn plan(problem: &Problem<'_>, form: Form, caps: &Caps) -> Result<KernelPlan> {
    if problem.input.extent() != [1, 1] {
        return Err(Error::Unsupported {
            what: format!("{OP} as a matrix product"),
            why: format!("that is for maps of one cell, not for {}", problem.input),
            way_out: "use phased, or none, which chooses by shape".to_owned(),
        });
    }
    rounds_within(OP, 0, loop_iterations(&[problem.group_inputs().div_ceil(4)]), caps)?;
    let half = form != Form::Words;
    let packing = if half { Packing::in_half(problem) } else { Packing::of(problem) };
    let whole = match form {
        Form::Halves => Buffer::Scratch(packing.runs(caps)? as usize),
        _ => Buffer::Output(0),
    };
    let mut plan = packed(problem, &packing, caps, |run| multiply(problem, &packing, run, whole, half, caps))?;
    if form == Form::Halves {
        plan.scratch.push(Scratch { words: problem.output.elements() as u64, persistent: false });
        plan.run.push(convert::narrow(problem.output, whole, Buffer::Output(0), caps)?);
    }
    let Packing { blocks, rows, quads, .. } = packing;
    let elements = (problem.output.n * problem.output.plane()) as u64 * blocks * rows;
    Ok(KernelPlan { executed_macs: elements * 4 * quads, ..plan })
}

/// Computes the output channels of a run of blocks.
fn multiply(
    problem: &Problem<'_>,
    packing: &Packing,
    run: &Run,
    result: Buffer,
    half: bool,
    caps: &Caps,
) -> Result<Step> {
    let &Problem { op, input, output, .. } = problem;
    let tiles = (output.n * output.plane()) as u64 * run.blocks;
    let params = Params {
        in_channels: input.c as u32,
        out_channels: output.c as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        pad_top: op.pad.top as u32,
        pad_left: op.pad.left as u32,
        group_inputs: problem.group_inputs() as u32,
        group_outputs: packing.group_outputs as u32,
        group_blocks: packing.group_blocks as u32,
        first_block: run.first_block as u32,
        blocks: run.blocks as u32,
        tiles: tiles as u32,
    };
    let (kernels, workgroup, workgroups) = if caps.software {
        ([&PRODUCT, &PRODUCT_HALF], WORKGROUP, (tiles * LANES).div_ceil(u64::from(WORKGROUP)))
    } else {
        ([&PARTS, &PARTS_HALF], PARTS_WORKGROUP, tiles)
    };
    let constants = [
        ("KH", op.kernel[0] as f64),
        ("KW", op.kernel[1] as f64),
        ("DY", op.dilation[0] as f64),
        ("DX", op.dilation[1] as f64),
        ("BIAS", f64::from(problem.bias)),
        ("RELU", f64::from(op.relu)),
        ("ROWS", packing.rows as f64),
        ("WORKGROUP", f64::from(workgroup)),
    ];
    Ok(Step {
        kernel: kernels[usize::from(half)],
        constants: constants.to_vec(),
        params: bytemuck::bytes_of(&params).to_vec(),
        operands: vec![Buffer::Input(0).into(), run.packed.into(), problem.bias().into(), result.into()],
        workgroups: fold_workgroups(workgroups, caps)?,
    })
}
