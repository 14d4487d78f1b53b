//! The dispatches of minimal filtering: the weight's transform, and of each strip the input's, the products and the output's.

use super::super::blocks::{Blocks, Run};
use super::super::pooled::End;
use super::super::{OP, Operands, Problem};
use super::Groups;
use super::grid::{Grid, Strip};
use super::kernels::{InputParams, OutputParams, PiecesInputParams, ProductParams, WeightParams};
use super::product::{Division, Product};
use super::transform::Transform;
use crate::error::Result;
use crate::gpu::{Buffer, Caps, Kernel, Operand, Scratch, Step, fold_workgroups};
use crate::kernel::flat::flat_step;
use crate::kernel::{loop_iterations, rounds_within};

/// A strip's transformed input, and its products: one of each, which all strips share.
const TRANSFORMED: Buffer = Buffer::Scratch(0);
const PRODUCTS: Buffer = Buffer::Scratch(1);

/// A convolution by a transform, and how it is divided.
pub(super) struct Filtering<'a> {
    transform: &'a Transform,
    problem: &'a Problem<'a>,
    operands: Operands,
    caps: &'a Caps,
    pub(super) grid: Grid,
    /// Input channels of a group, and as many in whole fours.
    group_inputs: u64,
    group_channels: u64,
    /// Whether products are staged.
    staged: bool,
    pub(super) blocks: Blocks,
}

impl<'a> Filtering<'a> {
    pub(super) fn new(transform: &'a Transform, problem: &'a Problem<'a>, operands: Operands, caps: &'a Caps) -> Self {
        let &Problem { op, output, .. } = problem;
        let grid = Grid::new(transform, op, output);
        let Groups { inputs: group_inputs, channels: group_channels, rows, staged, .. } =
            Groups::new(transform, problem, grid.tiles, caps);
        let groups = op.groups as u64;
        let pieces: u64 = transform.pieces(op).into_iter().product();
        let blocks = Blocks {
            rows,
            groups,
            group_outputs: problem.group_outputs(),
            row_words: problem.taps() * group_inputs,
            block_words: transform.positions() * pieces * group_channels * rows,
        };
        Self { transform, problem, operands, caps, grid, group_inputs, group_channels, staged, blocks }
    }

    /// Channels of the transformed input: those of all groups, each in whole fours.
    fn channels(&self) -> u64 {
        self.blocks.groups * self.group_channels
    }

    /// Rows of the products of a group: its output channels in whole blocks.
    fn group_rows(&self) -> u64 {
        self.blocks.group_blocks() * self.blocks.rows
    }

    /// Rows of the products of all groups.
    fn product_rows(&self) -> u64 {
        self.blocks.groups * self.group_rows()
    }

    /// How products of so many tiles with so many blocks are divided.
    fn division(&self, tiles: u64, blocks: u64) -> Division {
        let product = Product { rows: self.blocks.rows, channels: self.group_channels, staged: self.staged };
        Division::new(self.transform, self.problem.op, tiles, product, blocks, self.caps)
    }

    /// Refuses pieces and channels over which a driver would not let the loops of a product end.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported).
    pub(super) fn check_loops(&self) -> Result<()> {
        let [piece_rows, piece_columns] = self.transform.pieces(self.problem.op);
        let rounds = [piece_rows, piece_columns, self.group_channels / 4].map(|rounds| rounds as usize);
        rounds_within(OP, 0, loop_iterations(&rounds), self.caps)?;
        Ok(())
    }

    /// Rows of the grid that a strip has.
    ///
    /// # Errors
    /// As [`Grid::strip_rows`].
    pub(super) fn strip_rows(&self) -> Result<u64> {
        let blocks = self.blocks.groups * self.blocks.group_blocks();
        let vectors = self.division(self.grid.tiles, blocks).vectors(self.caps);
        let planes = [self.channels(), self.product_rows()];
        self.grid.strip_rows(self.transform.positions(), planes, vectors, self.caps)
    }

    /// What strips of so many rows share.
    pub(super) fn strip_scratch(&self, strip_rows: u64) -> [Scratch; 2] {
        let (positions, grid) = (self.transform.positions(), &self.grid);
        let transformed = positions * self.channels() * grid.sources(strip_rows);
        let products = positions * self.product_rows() * grid.tiles_of(strip_rows);
        [transformed, products].map(|words| Scratch { words, persistent: false })
    }

    /// Transforms the weights of a run of blocks.
    pub(super) fn weight_step(&self, run: &Run, transformed: Buffer) -> Result<Step> {
        let kernels = run.blocks * self.blocks.block_words / self.transform.positions();
        let params = WeightParams {
            weight_offset: run.offset as u32,
            group_inputs: self.group_inputs as u32,
            group_outputs: self.blocks.group_outputs as u32,
            group_blocks: self.blocks.group_blocks() as u32,
            first_block: run.first_block as u32,
            first_channel: run.first_channel as u32,
            kernels: kernels as u32,
        };
        let order = vec![("ROWS", self.blocks.rows as f64), ("FOUR_ROWS", f64::from(self.staged))];
        let constants = [self.transform.weight_constants(self.problem.op), order].concat();
        let operands = [run.part_of(self.operands.weight), transformed.into()];
        flat_step(self.transform.weight, &constants, &params, &operands, kernels as usize, self.caps)
    }

    /// Transforms the input of a strip.
    pub(super) fn input_step(&self, strip: &Strip) -> Result<Step> {
        if self.transform.in_pieces() {
            self.transform_input(strip, &self.pieces_input_params(strip))
        } else {
            self.transform_input(strip, &self.input_params(strip))
        }
    }

    fn transform_input(&self, strip: &Strip, params: &impl bytemuck::NoUninit) -> Result<Step> {
        let constants = self.transform.tile_constants(self.problem.op);
        let operands = [self.operands.input, TRANSFORMED];
        let invocations = strip.sources * self.channels();
        flat_step(self.transform.input, &constants, params, &operands, invocations as usize, self.caps)
    }

    fn pieces_input_params(&self, strip: &Strip) -> PiecesInputParams {
        let (&Problem { op, input, .. }, grid) = (self.problem, &self.grid);
        PiecesInputParams {
            in_channels: input.c as u32,
            in_h: input.h as u32,
            in_w: input.w as u32,
            pad_top: op.pad.top as u32,
            pad_left: op.pad.left as u32,
            width: grid.source_width as u32,
            quarter: grid.width as u32,
            image_rows: grid.image_rows as u32,
            first_row: strip.first_row as u32,
            tiles: strip.sources as u32,
            channels: self.channels() as u32,
            group_inputs: self.group_inputs as u32,
            group_channels: self.group_channels as u32,
        }
    }

    fn input_params(&self, strip: &Strip) -> InputParams {
        let (&Problem { op, input, .. }, grid) = (self.problem, &self.grid);
        InputParams {
            in_channels: input.c as u32,
            in_h: input.h as u32,
            in_w: input.w as u32,
            pad_top: op.pad.top as u32,
            pad_left: op.pad.left as u32,
            tile_columns: grid.tile_columns as u32,
            image_tiles: grid.image_tiles as u32,
            first_tile: strip.first_tile as u32,
            last_tile: (strip.first_tile + strip.count - 1) as u32,
            tiles: strip.tiles as u32,
            channels: self.channels() as u32,
            group_inputs: self.group_inputs as u32,
            group_channels: self.group_channels as u32,
        }
    }

    /// Multiplies a strip's input with the weights of a run of blocks; also the multiply-adds that this executes.
    pub(super) fn product_step(&self, strip: &Strip, run: &Run, weights: Buffer) -> Result<(Step, u64)> {
        let Self { blocks, grid, .. } = self;
        let [piece_rows, piece_columns] = self.transform.pieces(self.problem.op);
        let division = self.division(strip.tiles, run.blocks);
        let [tile_groups, workgroups] = division.workgroups(strip.tiles, run.blocks);
        let workgroups = self.transform.positions() * workgroups;
        let params = ProductParams {
            channels: self.channels() as u32,
            rows: self.product_rows() as u32,
            source_tiles: strip.sources as u32,
            tiles: strip.tiles as u32,
            positions: self.transform.positions() as u32,
            source_width: grid.source_width as u32,
            width: grid.width as u32,
            piece_rows: piece_rows as u32,
            piece_columns: piece_columns as u32,
            group_channels: self.group_channels as u32,
            group_blocks: blocks.group_blocks() as u32,
            first_block: run.first_block as u32,
            blocks: run.blocks as u32,
            tile_groups: tile_groups as u32,
            groups: workgroups as u32,
        };
        let computed = division.tiles * division.blocks * blocks.rows;
        let executed_macs = workgroups * computed * piece_rows * piece_columns * self.group_channels;
        let step = Step {
            kernel: division.kernel,
            constants: division.constants,
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: [TRANSFORMED, weights, PRODUCTS].map(Operand::from).into(),
            workgroups: fold_workgroups(workgroups, self.caps)?,
        };
        Ok((step, executed_macs))
    }

    /// Transforms a strip's products back, to the output or, with such an end, to its maxima.
    pub(super) fn output_step(&self, strip: &Strip, end: Option<&End>) -> Result<Step> {
        let (&Problem { op, output, .. }, operands, grid) = (self.problem, &self.operands, &self.grid);
        let pooled = end.map_or([0, 0], |end| end.pooled.extent());
        let params = OutputParams {
            out_channels: output.c as u32,
            out_h: output.h as u32,
            out_w: output.w as u32,
            pooled_h: pooled[0] as u32,
            pooled_w: pooled[1] as u32,
            tile_columns: grid.tile_columns as u32,
            image_tiles: grid.image_tiles as u32,
            first_tile: strip.first_tile as u32,
            count: strip.count as u32,
            tiles: strip.tiles as u32,
            channels: self.product_rows() as u32,
            group_outputs: self.blocks.group_outputs as u32,
            group_rows: self.group_rows() as u32,
        };
        let (kernel, own): (&Kernel, _) = match end {
            Some(end) => (self.transform.pooled_output, end.constants.clone()),
            None => self.transform.output_kernel(op, self.caps),
        };
        let mut constants = self.transform.tile_constants(op);
        constants.extend(own);
        constants.extend([("BIAS", f64::from(operands.bias != Buffer::Absent)), ("RELU", f64::from(op.relu))]);
        let mut bound = vec![PRODUCTS, operands.bias, operands.output];
        bound.extend(end.map(|end| end.switches));
        flat_step(kernel, &constants, &params, &bound, strip.count as usize * output.c, self.caps)
    }
}
