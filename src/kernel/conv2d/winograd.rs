//! `Variant::WinogradF2`, `WinogradF4`, `WinogradPieces` and `WinogradEight`: kernels of stride 1 by minimal filtering.
//!
//! F(m x m, r x r) makes m x m output cells from (m+r-1) x (m+r-1) input cells with (m+r-1)^2 products instead of r^2 m^2: the
//! input tile and the kernel are transformed, multiplied position by position (for all channels that is one matrix product
//! a position), and the products transformed back (Lavin and Gray, 2015). The transformed maps are larger than the maps
//! themselves, so tiles are worked off in strips that share their scratch.
//!
//! More taps a side take ever larger factors in the transforms and round ever more coarsely. So a larger kernel is cut
//! into pieces of 4x4 taps, the last ones filled up with zeros, each multiplied by F(4x4, 4x4). Pieces are as far apart
//! as tiles, so that the cells under another piece are the cells under the first, some tiles further on: a cell is
//! transformed once for all pieces, their products are added up where those of channels are, and the sum is transformed
//! back once. For 7x7 that is 4 x 49 products for 16 cells instead of 49 x 16.
//!
//! The input's transform depends on the points at which tile and kernel, as polynomials, are evaluated, and not on the
//! kernel's size; so one transform of tiles of 8x8 cells serves every F(m, r) with m + r = 9, for each axis by itself:
//! F(6x6, 3x3), F(4x4, 5x5) or F(2x2, 7x7) with 64 products a tile, F(6x4, 3x5) too.

mod effort;
mod grid;
pub(super) mod kernels;
mod product;
mod transform;

use super::blocks::Blocks;
use super::stages::Stages;
use super::tiled::rows;
use super::{OP, Operands, Pooling};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Caps, KernelPlan, Operand, Scratch, Step, fold_workgroups};
use crate::kernel::{WORKGROUP, loop_iterations, rounds_within};
use crate::op::Conv2d;
use crate::shape::Shape;
use grid::Grid;
use kernels::{InputParams, OutputParams, PiecesInputParams, ProductParams, WeightParams};
use product::{Division, Product};
use transform::Transform;

pub(super) use effort::effort;
pub(super) use transform::{EIGHT, F2, F4, PIECES};

/// What a group of a convolution has.
struct Groups {
    /// Input channels, and as many in whole fours.
    inputs: u64,
    channels: u64,
    /// Blocks of output channels, and the rows of one.
    blocks: u64,
    rows: u64,
}

impl Groups {
    /// Those of a convolution whose products, one a position and group, have so many tiles.
    fn new(transform: &Transform, op: &Conv2d, [input, output]: [Shape; 2], tiles: u64, caps: &Caps) -> Self {
        let [inputs, outputs] = [input, output].map(|map| (map.c / op.groups) as u64);
        let rows = if product::is_staged(outputs, caps) {
            Stages::of(transform.positions() * op.groups as u64, outputs, tiles).rows
        } else {
            rows(outputs)
        };
        Self { inputs, channels: inputs.next_multiple_of(4), blocks: outputs.div_ceil(rows), rows }
    }
}

/// Whether minimal filtering is defined here for this convolution.
///
/// # Errors
/// [`Error::Unsupported`] that says what it is not.
fn check(op: &Conv2d, transform: &Transform) -> Result<()> {
    if transform.serves(op) && op.stride == [1, 1] && op.dilation == [1, 1] {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: format!("{OP} variant {}", transform.variant.name()),
        why: format!(
            "it is for {} of stride 1 and dilation 1, not for {:?}, stride {:?}, dilation {:?}",
            transform.kernels(),
            op.kernel,
            op.stride,
            op.dilation
        ),
        way_out: "use the tiled variant, or none, which chooses by shape".to_owned(),
    })
}

/// Transforms the weight into persistent scratch, then for each strip of tiles: input, products, output; with a pooling the
/// output's maxima in place of the output.
///
/// # Errors
/// [`Error::Unsupported`] for a convolution that the transform is not for, and for a pooling whose windows reach from one tile into
/// the next; [`Error::Limit`] where not even four tiles or one block of weights fit a binding.
pub(super) fn plan(
    transform: &Transform,
    op: &Conv2d,
    input: Shape,
    output: Shape,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    check(op, transform)?;
    let [mh, mw] = transform.cells(op);
    if operands.pooling.is_some() && (mh % 2, mw % 2) != (0, 0) {
        return Err(Pooling::refused(format!("tiles of {mh}x{mw} cells are no whole windows")));
    }
    let positions = transform.positions();
    let grid = Grid::new(transform, op, output);
    let Groups { inputs: group_inputs, channels: group_channels, rows, .. } =
        Groups::new(transform, op, [input, output], grid.tiles, caps);
    let (groups, channels) = (op.groups as u64, op.groups as u64 * group_channels);
    let [piece_rows, piece_columns] = transform.pieces(op);
    let rounds = [piece_rows, piece_columns, group_channels / 4].map(|rounds| rounds as usize);
    rounds_within(OP, 0, loop_iterations(&rounds), caps)?;
    let pieces = piece_rows * piece_columns;
    let blocks = Blocks {
        rows,
        groups,
        group_outputs: output.c as u64 / groups,
        row_words: (op.kernel[0] * op.kernel[1]) as u64 * group_inputs,
        block_words: positions * pieces * group_channels * rows,
    };
    let filtering = Some(transform.sizes(op));
    let mut plan = KernelPlan { variant: transform.variant.name(), filtering, ..KernelPlan::default() };
    let group_rows = blocks.group_blocks() * rows;
    let out_rows = groups * group_rows;

    let product = Product { rows, channels: group_channels };
    let division = |tiles, blocks| Division::new(transform, op, tiles, product, blocks, caps);
    let vectors = division(grid.tiles, groups * blocks.group_blocks()).vectors(caps);
    let strip = grid.strip(positions, [channels, out_rows], vectors, caps)?;
    let (transformed, products) = (Buffer::Scratch(0), Buffer::Scratch(1));
    plan.scratch.push(Scratch { words: positions * channels * grid.sources(strip), persistent: false });
    plan.scratch.push(Scratch { words: positions * out_rows * 4 * strip * grid.width, persistent: false });

    let runs = blocks.runs(caps)?;
    let whole = runs.len() == 1;
    for run in &runs {
        let packed = Buffer::Scratch(plan.scratch.len());
        let kernels = run.blocks * pieces * rows * group_channels;
        plan.scratch.push(Scratch { words: run.blocks * blocks.block_words, persistent: true });
        let params = WeightParams {
            weight_offset: run.offset as u32,
            group_inputs: group_inputs as u32,
            group_outputs: blocks.group_outputs as u32,
            group_blocks: blocks.group_blocks() as u32,
            first_block: run.first_block as u32,
            first_channel: run.first_channel as u32,
            kernels: kernels as u32,
        };
        plan.prepare.push(Step {
            kernel: transform.weight,
            constants: [
                transform.weight_constants(op),
                vec![("ROWS", rows as f64), ("WORKGROUP", f64::from(WORKGROUP))],
            ]
            .concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: vec![
                Operand { buffer: operands.weight, words: (!whole).then(|| run.words.clone()) },
                packed.into(),
            ],
            workgroups: fold_workgroups(kernels.div_ceil(u64::from(WORKGROUP)), caps)?,
        });
    }

    let end = operands.pooling.map(|pooling| pooling.end(&mut plan, output, caps)).transpose()?;
    for first_row in (0..grid.rows).step_by(strip as usize) {
        let strip_rows = strip.min(grid.rows - first_row);
        let (sources, tiles) = (grid.sources(strip_rows), 4 * strip_rows * grid.width);
        let first_tile = 4 * first_row * grid.width;
        let count = tiles.min(grid.tiles - first_tile);
        let params = if transform.in_pieces() {
            bytemuck::bytes_of(&PiecesInputParams {
                in_channels: input.c as u32,
                in_h: input.h as u32,
                in_w: input.w as u32,
                pad_top: op.pad.top as u32,
                pad_left: op.pad.left as u32,
                width: grid.source_width as u32,
                quarter: grid.width as u32,
                image_rows: grid.image_rows as u32,
                first_row: first_row as u32,
                tiles: sources as u32,
                channels: channels as u32,
                group_inputs: group_inputs as u32,
                group_channels: group_channels as u32,
            })
            .to_vec()
        } else {
            bytemuck::bytes_of(&InputParams {
                in_channels: input.c as u32,
                in_h: input.h as u32,
                in_w: input.w as u32,
                pad_top: op.pad.top as u32,
                pad_left: op.pad.left as u32,
                tile_columns: grid.tile_columns as u32,
                image_tiles: grid.image_tiles as u32,
                first_tile: first_tile as u32,
                last_tile: (first_tile + count - 1) as u32,
                tiles: tiles as u32,
                channels: channels as u32,
                group_inputs: group_inputs as u32,
                group_channels: group_channels as u32,
            })
            .to_vec()
        };
        plan.run.push(Step {
            kernel: transform.input,
            constants: [transform.tile_constants(op), vec![("WORKGROUP", f64::from(WORKGROUP))]].concat(),
            params,
            operands: vec![operands.input.into(), transformed.into()],
            workgroups: fold_workgroups((sources * channels).div_ceil(u64::from(WORKGROUP)), caps)?,
        });
        for (place, run) in runs.iter().enumerate() {
            let division = division(tiles, run.blocks);
            let [tile_groups, workgroups] = division.workgroups(tiles, run.blocks);
            let workgroups = positions * workgroups;
            let params = ProductParams {
                channels: channels as u32,
                rows: out_rows as u32,
                source_tiles: sources as u32,
                tiles: tiles as u32,
                positions: positions as u32,
                source_width: grid.source_width as u32,
                width: grid.width as u32,
                piece_rows: piece_rows as u32,
                piece_columns: piece_columns as u32,
                group_channels: group_channels as u32,
                group_blocks: blocks.group_blocks() as u32,
                first_block: run.first_block as u32,
                blocks: run.blocks as u32,
                tile_groups: tile_groups as u32,
                groups: workgroups as u32,
            };
            plan.run.push(Step {
                kernel: division.kernel,
                constants: division.constants,
                params: bytemuck::bytes_of(&params).to_vec(),
                operands: vec![transformed.into(), Buffer::Scratch(2 + place).into(), products.into()],
                workgroups: fold_workgroups(workgroups, caps)?,
            });
            plan.executed_macs += workgroups * division.tiles * division.blocks * rows * pieces * group_channels;
        }
        let bias = operands.bias != Buffer::Absent;
        let params = OutputParams {
            out_channels: output.c as u32,
            out_h: output.h as u32,
            out_w: output.w as u32,
            pooled_h: end.as_ref().map_or(0, |end| end.pooled.h as u32),
            pooled_w: end.as_ref().map_or(0, |end| end.pooled.w as u32),
            tile_columns: grid.tile_columns as u32,
            image_tiles: grid.image_tiles as u32,
            first_tile: first_tile as u32,
            count: count as u32,
            tiles: tiles as u32,
            channels: out_rows as u32,
            group_outputs: blocks.group_outputs as u32,
            group_rows: group_rows as u32,
        };
        let mut constants = transform.tile_constants(op);
        let (output_kernel, own) = match &end {
            Some(_) => (transform.pooled_output, vec![]),
            None => transform.output_kernel(op, caps),
        };
        constants.extend(own);
        constants.extend([
            ("BIAS", f64::from(bias)),
            ("RELU", f64::from(op.relu)),
            ("WORKGROUP", f64::from(WORKGROUP)),
        ]);
        let mut bound = vec![products.into(), operands.bias.into(), operands.output.into()];
        if let Some(end) = &end {
            constants.extend_from_slice(&end.constants);
            bound.push(end.switches.into());
        }
        plan.run.push(Step {
            kernel: output_kernel,
            constants,
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: bound,
            workgroups: fold_workgroups((count * output.c as u64).div_ceil(u64::from(WORKGROUP)), caps)?,
        });
    }
    Ok(plan)
}
