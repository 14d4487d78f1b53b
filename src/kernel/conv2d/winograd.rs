//! `Variant::WinogradF2` and `WinogradF4`: 3x3 kernels of stride 1 by minimal filtering.
//!
//! F(m x m, 3x3) makes m x m output cells from (m+2) x (m+2) input cells with (m+2)^2 products instead of 9 m^2: the
//! input tile and the kernel are transformed, multiplied position by position (for all channels that is one matrix product
//! a position), and the products transformed back (Lavin and Gray, 2015). The transformed maps are larger than the maps
//! themselves, so tiles are worked off in strips that share their scratch.

pub(super) mod kernels;

use super::blocks::Blocks;
use super::choice::load;
use super::tiled::{rows, workgroup};
use super::{OP, Operands};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Caps, KernelPlan, Operand, Scratch, Step, fold_workgroups};
use crate::kernel::{WORKGROUP, rounds_within};
use crate::op::Conv2d;
use crate::shape::Shape;
use kernels::{InputParams, OutputParams, PRODUCT, PRODUCT_U64, ProductParams, Transform, WeightParams};

pub(super) use kernels::{F2, F4};

/// Bytes that the transformed input of a strip may take, and its transformed output: what a CPU's caches keep; on a GPU
/// what keeps all of it busy. One bound for both, so that layers of different widths can share the two buffers.
fn strip_bytes(caps: &Caps) -> u64 {
    if caps.software { 2 << 20 } else { 32 << 20 }
}

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
    fn new(op: &Conv2d, input: Shape, output: Shape) -> Self {
        let [inputs, outputs] = [input, output].map(|map| (map.c / op.groups) as u64);
        let rows = rows(outputs);
        Self { inputs, channels: inputs.next_multiple_of(4), blocks: outputs.div_ceil(rows), rows }
    }
}

/// Whether minimal filtering is defined here for this convolution.
///
/// # Errors
/// [`Error::Unsupported`] that says what it is not.
fn check(op: &Conv2d, transform: &Transform) -> Result<()> {
    if op.kernel == [3, 3] && op.stride == [1, 1] && op.dilation == [1, 1] {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: format!("{OP} variant {}", transform.variant.name()),
        why: format!(
            "it is for 3x3 kernels of stride 1 and dilation 1, not for {:?}, stride {:?}, dilation {:?}",
            op.kernel, op.stride, op.dilation
        ),
        way_out: "use the tiled variant, or none, which chooses by shape".to_owned(),
    })
}

/// What minimal filtering takes, in multiply-adds of a register tile, transforms included; comparable with
/// [`super::tiled::effort`]; and how many sums it makes at once. `None` where it does not apply.
pub(super) fn effort(
    transform: &Transform,
    op: &Conv2d,
    input: Shape,
    output: Shape,
    caps: &Caps,
) -> Option<(f64, f64)> {
    check(op, transform).ok()?;
    let tiles = (output.n * output.h.div_ceil(transform.cells) * output.w.div_ceil(transform.cells)) as u64;
    let Groups { channels, blocks, rows, .. } = Groups::new(op, input, output);
    let positions = transform.positions() as f64;
    let padded = tiles.next_multiple_of(4 * workgroup(caps)) as f64;
    let products = positions * padded * (channels * op.groups as u64 * blocks * (rows + 8)) as f64;
    let cells = (transform.cells * transform.cells) as f64;
    let [d, m] = [channels, blocks * rows].map(|group| group * op.groups as u64);
    let words = tiles as f64 * (2.0 * positions * d as f64 + (positions + cells) * m as f64);
    let strip = strip_tiles(transform.positions(), d, m, caps).ok()?;
    Some((products + load(caps) * words, positions * tiles.min(strip) as f64 * output.c as f64))
}

/// Transforms the weight into persistent scratch, then for each strip of tiles: input, products, output; with a pooling the
/// output's maxima in place of the output.
///
/// # Errors
/// [`Error::Unsupported`] for a convolution that is not 3x3 of stride 1; [`Error::Limit`] where not even four tiles or
/// one block of weights fit a binding.
pub(super) fn plan(
    transform: &Transform,
    op: &Conv2d,
    input: Shape,
    output: Shape,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    check(op, transform)?;
    let positions = transform.positions();
    let Groups { inputs: group_inputs, channels: group_channels, rows, .. } = Groups::new(op, input, output);
    let (groups, channels) = (op.groups as u64, op.groups as u64 * group_channels);
    rounds_within(OP, 0, group_channels / 4, caps)?;
    let blocks = Blocks {
        rows,
        groups,
        group_outputs: output.c as u64 / groups,
        row_words: 9 * group_inputs,
        block_words: positions * group_channels * rows,
    };
    let mut plan = KernelPlan { variant: transform.variant.name(), ..KernelPlan::default() };
    let group_rows = blocks.group_blocks() * rows;
    let out_rows = groups * group_rows;

    let grid = [output.h.div_ceil(transform.cells), output.w.div_ceil(transform.cells)];
    let image_tiles = (grid[0] * grid[1]) as u64;
    let all_tiles = output.n as u64 * image_tiles;
    let strip = strip_tiles(positions, channels, out_rows, caps)?.min(all_tiles.next_multiple_of(4));
    let (transformed, products) = (Buffer::Scratch(0), Buffer::Scratch(1));
    plan.scratch.push(Scratch { words: positions * channels * strip, persistent: false });
    plan.scratch.push(Scratch { words: positions * out_rows * strip, persistent: false });

    let runs = blocks.runs(caps)?;
    let whole = runs.len() == 1;
    for run in &runs {
        let packed = Buffer::Scratch(plan.scratch.len());
        let kernels = run.blocks * rows * group_channels;
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
            constants: vec![("ROWS", rows as f64), ("WORKGROUP", f64::from(WORKGROUP))],
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: vec![
                Operand { buffer: operands.weight, words: (!whole).then(|| run.words.clone()) },
                packed.into(),
            ],
            workgroups: fold_workgroups(kernels.div_ceil(u64::from(WORKGROUP)), caps)?,
        });
    }

    let end = operands.pooling.map(|pooling| pooling.end(&mut plan, output, caps)).transpose()?;
    for first_tile in (0..all_tiles).step_by(strip as usize) {
        let count = strip.min(all_tiles - first_tile);
        let tiles = count.next_multiple_of(4);
        let params = InputParams {
            in_channels: input.c as u32,
            in_h: input.h as u32,
            in_w: input.w as u32,
            pad_top: op.pad.top as u32,
            pad_left: op.pad.left as u32,
            tile_columns: grid[1] as u32,
            image_tiles: image_tiles as u32,
            first_tile: first_tile as u32,
            last_tile: (first_tile + count - 1) as u32,
            tiles: tiles as u32,
            channels: channels as u32,
            group_inputs: group_inputs as u32,
            group_channels: group_channels as u32,
        };
        plan.run.push(Step {
            kernel: transform.input,
            constants: vec![("WORKGROUP", f64::from(WORKGROUP))],
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: vec![operands.input.into(), transformed.into()],
            workgroups: fold_workgroups((tiles * channels).div_ceil(u64::from(WORKGROUP)), caps)?,
        });
        for (place, run) in runs.iter().enumerate() {
            let lanes = workgroup(caps);
            let tile_groups = tiles.div_ceil(4 * lanes);
            let workgroups = positions * run.blocks * tile_groups;
            let params = ProductParams {
                channels: channels as u32,
                rows: out_rows as u32,
                tiles: tiles as u32,
                positions: positions as u32,
                group_channels: group_channels as u32,
                group_blocks: blocks.group_blocks() as u32,
                first_block: run.first_block as u32,
                blocks: run.blocks as u32,
                tile_groups: tile_groups as u32,
                groups: workgroups as u32,
            };
            plan.run.push(Step {
                kernel: if caps.loads_pairs() { &PRODUCT_U64 } else { &PRODUCT },
                constants: vec![("ROWS", rows as f64), ("WORKGROUP", lanes as f64)],
                params: bytemuck::bytes_of(&params).to_vec(),
                operands: vec![transformed.into(), Buffer::Scratch(2 + place).into(), products.into()],
                workgroups: fold_workgroups(workgroups, caps)?,
            });
            plan.executed_macs += workgroups * 4 * lanes * rows * group_channels;
        }
        let bias = operands.bias != Buffer::Absent;
        let params = OutputParams {
            out_channels: output.c as u32,
            out_h: output.h as u32,
            out_w: output.w as u32,
            pooled_h: end.as_ref().map_or(0, |end| end.pooled.h as u32),
            pooled_w: end.as_ref().map_or(0, |end| end.pooled.w as u32),
            tile_columns: grid[1] as u32,
            image_tiles: image_tiles as u32,
            first_tile: first_tile as u32,
            count: count as u32,
            tiles: tiles as u32,
            channels: out_rows as u32,
            group_outputs: blocks.group_outputs as u32,
            group_rows: group_rows as u32,
        };
        let mut constants =
            vec![("BIAS", f64::from(bias)), ("RELU", f64::from(op.relu)), ("WORKGROUP", f64::from(WORKGROUP))];
        let mut bound = vec![products.into(), operands.bias.into(), operands.output.into()];
        if let Some(end) = &end {
            constants.extend_from_slice(&end.constants);
            bound.push(end.switches.into());
        }
        plan.run.push(Step {
            kernel: if end.is_some() { transform.pooled_output } else { transform.output },
            constants,
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: bound,
            workgroups: fold_workgroups((count * output.c as u64).div_ceil(u64::from(WORKGROUP)), caps)?,
        });
    }
    Ok(plan)
}

/// Tiles of a strip, a multiple of four: what [`strip_bytes`] and a binding hold.
fn strip_tiles(positions: u64, channels: u64, out_rows: u64, caps: &Caps) -> Result<u64> {
    let binding = caps.max_binding_bytes.min(caps.max_buffer_bytes);
    let widest = 4 * positions * channels.max(out_rows);
    let most = binding / widest / 4 * 4;
    if most == 0 {
        return Err(Error::Limit {
            what: format!("{OP}: four transformed tiles of {} channels", channels.max(out_rows)),
            needed: 4 * widest,
            available: binding,
            unit: "bytes a binding",
            way_out: "use the tiled variant, or none, which chooses by shape".to_owned(),
        });
    }
    let wanted = strip_bytes(caps) / widest / 4 * 4;
    // Never so few that the lanes of a workgroup are idle.
    Ok(wanted.max(4 * workgroup(caps)).min(most))
}
