//! `Variant::Cooperative`: an implicit matrix product on matrix units, operands rounded to f16 and summed in f32.

use super::blocks::Blocks;
use super::forms::{INTERLEAVED, OPERANDS};
use super::product::Params;
use super::{Form, Interleave, OP, Operands, Variant};
use crate::error::{Error, Result};
use crate::gpu::{
    Access, Buffer, Caps, Cooperative, Gpu, Kernel, KernelPlan, Operand, Part, Scratch, Step, fold_workgroups,
};
use crate::kernel::flat::window_constants;
use crate::kernel::{
    ACTIVATION, HALF, INDEX, NARROW, WORKGROUP, convert, loop_iterations, params, part, rounds_within,
};
use crate::op::Conv2d;
use crate::shape::Shape;
use crate::tensor::Tensor;

static TILE_8: Part = part!("common/cooperative_8.wgsl");
static TILE_16: Part = part!("common/cooperative_16.wgsl");
static MAIN: Part = part!("conv2d/cooperative.wgsl");

const BINDINGS: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write];

const BINDINGS_HALF: &[Access] =
    &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write, Access::Write];

static CELLS: Part = part!("conv2d/cooperative_cells.wgsl");
static CELLS_HALF: Part = part!("conv2d/cooperative_cells_half.wgsl");
static STORE: Part = part!("conv2d/cooperative_store.wgsl");
static STORE_HALF: Part = part!("conv2d/cooperative_store_half.wgsl");
static INTERLEAVE: Part = part!("conv_transpose2d/interleave_matrices.wgsl");
static INTERLEAVE_HALF: Part = part!("conv_transpose2d/interleave_matrices_half.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part], bindings: &'static [Access]) -> Kernel {
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

pub(super) static COOPERATIVE_8: Kernel =
    kernel("conv2d/cooperative_8", &[&TILE_8, &ACTIVATION, &OPERANDS, &CELLS, &STORE, &MAIN], BINDINGS);
pub(super) static COOPERATIVE_8_HALF: Kernel = kernel(
    "conv2d/cooperative_8_half",
    &[&TILE_8, &ACTIVATION, &OPERANDS, &CELLS_HALF, &NARROW, &STORE_HALF, &MAIN],
    BINDINGS_HALF,
);
pub(super) static COOPERATIVE_8_HALF_F32: Kernel =
    kernel("conv2d/cooperative_8_half_f32", &[&TILE_8, &ACTIVATION, &OPERANDS, &CELLS_HALF, &STORE, &MAIN], BINDINGS);
pub(super) static COOPERATIVE_8_INTERLEAVED: Kernel = kernel(
    "conv2d/cooperative_8_interleaved",
    &[&TILE_8, &ACTIVATION, &OPERANDS, &CELLS, &INTERLEAVED, &INTERLEAVE, &MAIN],
    BINDINGS,
);
pub(super) static COOPERATIVE_8_HALF_INTERLEAVED: Kernel = kernel(
    "conv2d/cooperative_8_half_interleaved",
    &[&TILE_8, &ACTIVATION, &OPERANDS, &CELLS_HALF, &NARROW, &INTERLEAVED, &INTERLEAVE_HALF, &MAIN],
    BINDINGS_HALF,
);
pub(super) static COOPERATIVE_8_HALF_F32_INTERLEAVED: Kernel = kernel(
    "conv2d/cooperative_8_half_f32_interleaved",
    &[&TILE_8, &ACTIVATION, &OPERANDS, &CELLS_HALF, &INTERLEAVED, &INTERLEAVE, &MAIN],
    BINDINGS,
);
pub(super) static COOPERATIVE_16: Kernel =
    kernel("conv2d/cooperative_16", &[&TILE_16, &ACTIVATION, &OPERANDS, &CELLS, &STORE, &MAIN], BINDINGS);
pub(super) static COOPERATIVE_16_HALF: Kernel = kernel(
    "conv2d/cooperative_16_half",
    &[&TILE_16, &ACTIVATION, &OPERANDS, &CELLS_HALF, &NARROW, &STORE_HALF, &MAIN],
    BINDINGS_HALF,
);
pub(super) static COOPERATIVE_16_HALF_F32: Kernel =
    kernel("conv2d/cooperative_16_half_f32", &[&TILE_16, &ACTIVATION, &OPERANDS, &CELLS_HALF, &STORE, &MAIN], BINDINGS);
pub(super) static COOPERATIVE_16_INTERLEAVED: Kernel = kernel(
    "conv2d/cooperative_16_interleaved",
    &[&TILE_16, &ACTIVATION, &OPERANDS, &CELLS, &INTERLEAVED, &INTERLEAVE, &MAIN],
    BINDINGS,
);
pub(super) static COOPERATIVE_16_HALF_INTERLEAVED: Kernel = kernel(
    "conv2d/cooperative_16_half_interleaved",
    &[&TILE_16, &ACTIVATION, &OPERANDS, &CELLS_HALF, &NARROW, &INTERLEAVED, &INTERLEAVE_HALF, &MAIN],
    BINDINGS_HALF,
);
pub(super) static COOPERATIVE_16_HALF_F32_INTERLEAVED: Kernel = kernel(
    "conv2d/cooperative_16_half_f32_interleaved",
    &[&TILE_16, &ACTIVATION, &OPERANDS, &CELLS_HALF, &INTERLEAVED, &INTERLEAVE, &MAIN],
    BINDINGS,
);

pub(super) static PACK: Kernel = Kernel {
    name: "conv2d/pack_cooperative",
    parts: &[&INDEX, &HALF, &part!("conv2d/pack_cooperative.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `conv2d/pack_cooperative`; the shader says what they mean.
    struct PackParams {
        weight_offset: u32,
        group_inputs: u32,
        group_outputs: u32,
        group_blocks: u32,
        taps: u32,
        first_block: u32,
        first_channel: u32,
        words: u32,
    }
}

/// How a device's subgroups divide a workgroup's tile.
#[derive(Clone, Copy, Debug)]
struct Division {
    tile: u64,
    lanes: u64,
    /// Subgroups along output channels, two matrices each.
    row_groups: u64,
    /// Subgroups along cells, four matrices each.
    column_groups: u64,
}

impl Division {
    /// For a group of so many output channels; `None` for subgroups whose share of the staging the kernel does not write
    /// out.
    fn of(cooperative: Cooperative, group_outputs: u64) -> Option<Self> {
        let (tile, lanes) = (u64::from(cooperative.tile), u64::from(cooperative.lanes));
        // Half the rows where the others would be empty, the full width first.
        let rows = if group_outputs <= 4 * tile { [2, 4] } else { [4, 2] };
        let divisions = rows.into_iter().flat_map(|row_groups| [2, 1].map(|column_groups| (row_groups, column_groups)));
        divisions
            .map(|(row_groups, column_groups)| Self { tile, lanes, row_groups, column_groups })
            .find(Self::is_written_out)
    }

    /// What the kernel's header asks for.
    fn is_written_out(&self) -> bool {
        let (size, cells) = (self.size(), self.cells());
        let vectors = cells * self.tile / 8;
        size <= 256 && vectors <= 2 * size && (size % cells == 0 || cells % size == 0 && vectors <= size)
    }

    fn kernel(&self, form: Form, phases: bool) -> &'static Kernel {
        match (self.tile, form, phases) {
            (16, Form::Words, false) => &COOPERATIVE_16,
            (16, Form::Halves, false) => &COOPERATIVE_16_HALF,
            (16, Form::HalvesToWords, false) => &COOPERATIVE_16_HALF_F32,
            (16, Form::Words, true) => &COOPERATIVE_16_INTERLEAVED,
            (16, Form::Halves, true) => &COOPERATIVE_16_HALF_INTERLEAVED,
            (16, Form::HalvesToWords, true) => &COOPERATIVE_16_HALF_F32_INTERLEAVED,
            (_, Form::Words, false) => &COOPERATIVE_8,
            (_, Form::Halves, false) => &COOPERATIVE_8_HALF,
            (_, Form::HalvesToWords, false) => &COOPERATIVE_8_HALF_F32,
            (_, Form::Words, true) => &COOPERATIVE_8_INTERLEAVED,
            (_, Form::Halves, true) => &COOPERATIVE_8_HALF_INTERLEAVED,
            (_, Form::HalvesToWords, true) => &COOPERATIVE_8_HALF_F32_INTERLEAVED,
        }
    }

    fn size(&self) -> u64 {
        self.lanes * self.row_groups * self.column_groups
    }

    fn rows(&self) -> u64 {
        2 * self.tile * self.row_groups
    }

    fn cells(&self) -> u64 {
        4 * self.tile * self.column_groups
    }
}

/// Refuses a device without matrix units for an operator.
///
/// # Errors
/// [`Error::Unsupported`] that says what it lacks, and what would be taken instead.
pub(in crate::kernel) fn check_device(op: &'static str, caps: &Caps) -> Result<()> {
    division(1, caps).map(|_| ()).map_err(|why| unsupported(op, why))
}

/// The division for this device, or what the device lacks.
fn division(group_outputs: u64, caps: &Caps) -> std::result::Result<Division, String> {
    let Some(cooperative) = caps.cooperative.filter(|_| caps.f16) else {
        let features = "EXPERIMENTAL_COOPERATIVE_MATRIX and SHADER_F16";
        return Err(format!(
            "the device was opened without {features}, or has no square products of f16 into f32 in subgroups of one size"
        ));
    };
    Division::of(cooperative, group_outputs)
        .ok_or_else(|| format!("it is not written out for products of {cooperative}"))
}

fn unsupported(op: &'static str, why: String) -> Error {
    let instead = match op {
        "conv_transpose2d" => "phased, flipped-winograd-f2, interpolate or product",
        _ => "staged or winograd-f4 on a GPU, tiled or winograd-f4 elsewhere",
    };
    Error::Unsupported {
        what: format!("{op} variant {}", Variant::Cooperative.name()),
        why,
        way_out: format!("ask for no variant, which takes {instead}, by shape"),
    }
}

impl Gpu {
    /// Tries the matrix units, once a device, before an operator uses them: integers have to come out as from
    /// [`Variant::Tiled`], several times in a row. Drivers are known that lose or double terms. The kernels of both operators
    /// multiply by the same code.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if they do not; the device's faults.
    pub(crate) async fn check_cooperative(&self, op: &'static str) -> Result<()> {
        let works = match self.shared.cooperative_works.get() {
            Some(&works) => works,
            None => {
                let works = self.try_cooperative().await?;
                *self.shared.cooperative_works.get_or_init(|| works)
            }
        };
        if works {
            return Ok(());
        }
        Err(unsupported(op, format!("the matrix units of {} computed something else than plain kernels", self.info())))
    }

    async fn try_cooperative(&self) -> Result<bool> {
        self.try_kernels_of(|plan| plan).await
    }

    /// Whether `Cooperative`, as `planted` leaves its plan, agrees with `Tiled`.
    async fn try_kernels_of(&self, planted: impl Fn(KernelPlan) -> KernelPlan) -> Result<bool> {
        // More channels and cells than a tile has, and no multiple of one.
        const RUNS: usize = 3;
        let op = Conv2d::new([3, 3]).pad(1).relu();
        let integers = |shape: [usize; 4], factor: usize| {
            Tensor::from_fn(shape, |[n, c, y, x]| ((factor * (n + 3 * c + 5 * y) + 7 * x) % 17) as f32 - 8.0)
        };
        let (x, w, b) = (integers([1, 37, 12, 13], 11)?, integers([150, 37, 3, 3], 13)?, integers([1, 150, 1, 1], 5)?);
        let shape = op.output_shape(x.shape(), w.shape(), Some(b.shape()))?;
        let operands = [self.upload(&x)?, self.upload(&w)?, self.upload(&b)?];
        let mut answers = Vec::new();
        for variant in [Variant::Tiled].into_iter().chain([Variant::Cooperative; RUNS]) {
            let plan = super::plan(&op, x.shape(), w.shape(), Some(b.shape()), Some(variant), self.caps())?;
            let plan = if variant == Variant::Cooperative { planted(plan) } else { plan };
            let y = self.compute(OP, &plan, &operands.each_ref(), shape)?;
            answers.push(self.download_async(&y).await?);
        }
        Ok(answers.iter().all(|answer| *answer == answers[0]))
    }
}

/// A plan of an eager call, whose weight lies on the device: it is looked at too before it is packed. (A session looks at weights
/// while it moves them.)
///
/// # Errors
/// [`Error::Limit`] where a dispatch does not hold the weight.
#[cfg(not(target_arch = "wasm32"))]
pub(in crate::kernel) fn with_weight_checked(mut plan: KernelPlan, weight: Shape, caps: &Caps) -> Result<KernelPlan> {
    if plan.variant == Variant::Cooperative.name() {
        plan.prepare.insert(0, convert::check_range(weight, Buffer::Input(1), caps)?);
    }
    Ok(plan)
}

/// Packs the weight as f16 into a persistent scratch buffer for each run of blocks; then a dispatch for each.
///
/// # Errors
/// [`Error::Unsupported`] where the device has no such matrices; [`Error::Limit`] where not even one block of weights fits a
/// binding.
pub(super) fn plan(
    op: &Conv2d,
    input: Shape,
    weight: Shape,
    output: Shape,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    let (groups, taps) = (op.groups as u64, (op.kernel[0] * op.kernel[1]) as u64);
    let group_outputs = weight.n as u64 / groups;
    let division = division(group_outputs, caps).map_err(|why| unsupported(OP, why))?;
    let (rows, tile) = (division.rows(), division.tile);
    let steps = (weight.c as u64).div_ceil(tile) * taps;
    rounds_within(OP, 0, loop_iterations(&[usize::try_from(steps).unwrap_or(usize::MAX)]), caps)?;
    let row_words = weight.c as u64 * taps;
    let blocks = Blocks { rows, groups, group_outputs, row_words, block_words: rows * tile * steps / 2 };
    let mut plan = KernelPlan { variant: Variant::Cooperative.name(), half_weight: true, ..KernelPlan::default() };
    let window = window_constants(op.kernel, op.stride, op.dilation);
    let phases = operands.interleave.map(Interleave::constants);
    if operands.form == Form::Words {
        plan.run.push(convert::check_range(input, operands.input, caps)?);
    }
    let runs = blocks.runs(caps)?;
    let whole = runs.len() == 1;
    for run in runs {
        let packed = Buffer::Scratch(plan.scratch.len());
        let words = run.blocks * blocks.block_words;
        plan.scratch.push(Scratch { words, persistent: true });
        let pack = PackParams {
            weight_offset: run.offset as u32,
            group_inputs: weight.c as u32,
            group_outputs: group_outputs as u32,
            group_blocks: blocks.group_blocks() as u32,
            taps: taps as u32,
            first_block: run.first_block as u32,
            first_channel: run.first_channel as u32,
            words: words as u32,
        };
        plan.prepare.push(Step {
            kernel: &PACK,
            constants: vec![("ROWS", rows as f64), ("TILE", tile as f64), ("WORKGROUP", f64::from(WORKGROUP))],
            params: bytemuck::bytes_of(&pack).to_vec(),
            operands: vec![
                Operand { buffer: operands.weight, words: (!whole).then(|| run.words.clone()) },
                packed.into(),
            ],
            workgroups: fold_workgroups(words.div_ceil(u64::from(WORKGROUP)), caps)?,
        });
        let cell_tiles = (output.plane() as u64).div_ceil(division.cells());
        let tiles = output.n as u64 * run.blocks * cell_tiles;
        let params = Params::of(op, [input, weight, output], operands.interleave, &blocks, &run, cell_tiles);
        let constants = [
            ("BIAS", f64::from(operands.bias != Buffer::Absent)),
            ("RELU", f64::from(op.relu)),
            ("LANES", division.lanes as f64),
            ("ROW_GROUPS", division.row_groups as f64),
            ("COLUMN_GROUPS", division.column_groups as f64),
        ];
        let mut bound = vec![operands.input, packed, operands.bias, operands.output];
        bound.extend((operands.form == Form::Halves).then_some(Buffer::Overflow));
        plan.run.push(Step {
            kernel: division.kernel(operands.form, phases.is_some()),
            constants: [window.as_slice(), &constants, phases.as_ref().map_or(&[], |phases| phases)].concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: bound.into_iter().map(Into::into).collect(),
            workgroups: fold_workgroups(tiles, caps)?,
        });
        plan.executed_macs += tiles * division.cells() * rows * steps * tile;
    }
    Ok(plan)
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    let kernels = [
        &COOPERATIVE_8,
        &COOPERATIVE_8_HALF,
        &COOPERATIVE_8_HALF_F32,
        &COOPERATIVE_8_INTERLEAVED,
        &COOPERATIVE_8_HALF_INTERLEAVED,
        &COOPERATIVE_8_HALF_F32_INTERLEAVED,
        &COOPERATIVE_16,
        &COOPERATIVE_16_HALF,
        &COOPERATIVE_16_HALF_F32,
        &COOPERATIVE_16_INTERLEAVED,
        &COOPERATIVE_16_HALF_INTERLEAVED,
        &COOPERATIVE_16_HALF_F32_INTERLEAVED,
    ];
    kernels.map(|kernel| (kernel, Params::FIELDS)).into_iter().chain([(&PACK, PackParams::FIELDS)]).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use crate::adapter;
    use crate::gpu::Elements;
    use crate::graph::Graph;
    use crate::kernel::conv_transpose2d;
    use crate::op::ConvTranspose2d;
    use crate::weights::Weights;

    #[test]
    fn subgroups_divide_the_staging() {
        let of = |tile, lanes, outputs| {
            Division::of(Cooperative { tile, lanes }, outputs).map(|d| (d.row_groups, d.column_groups))
        };
        // Mesa's software driver, Metal, NVIDIA, AMD's older and newer cards.
        assert_eq!(of(8, 8, 512), Some((4, 2)));
        assert_eq!(of(8, 8, 8), Some((4, 2)));
        assert_eq!(of(8, 32, 512), Some((4, 2)));
        assert_eq!(of(16, 32, 512), Some((4, 2)));
        assert_eq!(of(16, 32, 64), Some((2, 2)));
        assert_eq!(of(16, 64, 512), Some((4, 1)));
        assert_eq!(of(16, 64, 64), Some((2, 2)));
        assert_eq!(of(16, 128, 512), Some((2, 1)));
        // Too few lanes to stage a step in two turns, too many for a workgroup.
        assert_eq!(of(16, 8, 512), None);
        assert_eq!(of(16, 256, 512), None);
    }

    /// A device of its own whose matrix units are used as on a GPU, where they are asked about; `None` if it has none.
    fn matrices() -> Option<Gpu> {
        let mut gpu = adapter::open(Gpu::builder())?;
        if gpu.caps().cooperative.is_none() {
            let required = std::env::var("SWITCHBACK_REQUIRE_COOPERATIVE").is_ok_and(|value| value == "1");
            assert!(!required, "{} has no matrix units, which SWITCHBACK_REQUIRE_COOPERATIVE promises", gpu.info());
            eprintln!("SKIPPED: {} has no matrix units", gpu.info());
            return None;
        }
        std::sync::Arc::get_mut(&mut gpu.shared).unwrap().caps.software = false;
        Some(gpu)
    }

    /// The plan with a kernel that differs in one place.
    fn faulty(mut plan: KernelPlan, right: &str, wrong: &str) -> KernelPlan {
        for step in plan.run.iter_mut().filter(|step| step.kernel.name.starts_with("conv2d/cooperative")) {
            let source = step.kernel.source();
            assert!(source.contains(right), "{right}");
            let source: &'static str = String::leak(source.replace(right, wrong));
            let part: &'static Part = Box::leak(Box::new(Part { path: "planted.wgsl", source }));
            let kernel = Kernel { name: "planted", parts: Box::leak(Box::new([part])), ..*step.kernel };
            step.kernel = Box::leak(Box::new(kernel));
        }
        plan
    }

    /// Variants by which a graph of both operators would run in f16.
    fn chosen(gpu: &Gpu) -> [String; 2] {
        let mut g = Graph::builder();
        let x = g.input("x", [1, 3, 6, 7]).unwrap();
        let x = g.conv2d("first", x, Conv2d::new([3, 3]), 8).unwrap();
        let y = g.conv2d("conv", x, Conv2d::new([3, 3]), 8).unwrap();
        let y = g.conv_transpose2d("up", y, ConvTranspose2d::new([4, 4]).stride([2, 2]), 8).unwrap();
        g.output(y).unwrap();
        let graph = g.build().unwrap();
        let weights = Weights::random(graph.weights_required(), 1).unwrap();
        let session = gpu.with_elements(Elements::f16()).compile(&graph, &weights).unwrap();
        ["conv", "up"].map(|name| session.plan().node(name).unwrap().variant().to_owned())
    }

    #[test]
    fn units_that_pass_their_trial_are_used() {
        let Some(gpu) = matrices() else { return };
        assert!(pollster::block_on(gpu.try_cooperative()).unwrap());
        assert_eq!(chosen(&gpu), ["cooperative", "cooperative"]);
    }

    /// Drivers that lose a term, double one, or add to another sum.
    #[test]
    fn units_with_wrong_sums_are_seen_and_not_used() {
        for (right, wrong) in [
            ("s00 = coopMultiplyAdd(left0, right0, s00);", ""),
            (
                "s13 = coopMultiplyAdd(left1, right3, s13);",
                "s13 = coopMultiplyAdd(left1, right3, coopMultiplyAdd(left1, right3, s13));",
            ),
            ("s01 = coopMultiplyAdd(left0, right1, s01);", "s01 = coopMultiplyAdd(left0, right1, s00);"),
        ] {
            let Some(gpu) = matrices() else { return };
            let works = pollster::block_on(gpu.try_kernels_of(|plan| faulty(plan, right, wrong))).unwrap();
            assert!(!works, "{wrong}");
            // What the trial says stands for the device.
            gpu.shared.cooperative_works.set(works).unwrap();
            assert_eq!(chosen(&gpu), ["staged", "phased"]);
            let (x, w) = (Tensor::full([1, 2, 5, 5], 1.0).unwrap(), Tensor::full([2, 2, 3, 3], 1.0).unwrap());
            let [x, w] = [x, w].map(|tensor| gpu.upload(&tensor).unwrap());
            let conv = gpu.with_variant(Variant::Cooperative).conv2d(&Conv2d::new([3, 3]), &x, &w, None);
            let up = gpu.with_variant(conv_transpose2d::Variant::Cooperative);
            let up = up.conv_transpose2d(&ConvTranspose2d::new([3, 3]), &x, &w, None);
            for (result, op) in [(conv, "conv2d"), (up, "conv_transpose2d")] {
                let error = result.map(|_| ()).unwrap_err();
                assert!(error.is_unsupported());
                let message = error.to_string();
                for part in [op, "variant cooperative", "something else than plain kernels", "ask for no variant"] {
                    assert!(message.contains(part), "{message}");
                }
            }
        }
    }
}
