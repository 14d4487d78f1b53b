//! What the implicit matrix products have in common: uniforms, bindings, and where their sums go.

use std::ops::Range;

use super::blocks::{Blocks, Run};
use super::pooled::End;
use super::{Form, Interleave, Operands, Problem};
use crate::gpu::{Buffer, Operand};
use crate::kernel::params;

params! {
    /// Uniforms of `conv2d/tiled`, `conv2d/staged` and `conv2d/cooperative`; `conv2d/operands.wgsl` says what they mean.
    pub(super) struct Params {
        in_channels: u32,
        in_h: u32,
        in_w: u32,
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
        cell_tiles: u32,
        tiles: u32,
        part_tiles: u32,
        first_quad: u32,
        end_quad: u32,
        part_quads: u32,
        y_channels: u32,
        y_group: u32,
        y_h: u32,
        y_w: u32,
        cut_top: u32,
        cut_left: u32,
    }
}

impl Params {
    /// Those of a dispatch that computes whole sums for a run of blocks, with so many workgroups along a plane's cells
    /// and in all.
    pub(super) fn of(
        problem: &Problem<'_>,
        interleave: Option<Interleave>,
        blocks: &Blocks,
        run: &Run,
        [cell_tiles, tiles]: [u64; 2],
    ) -> Self {
        let &Problem { op, input, weight, output } = problem;
        let plain = Interleave { phases: [1, 1], pair: 1, output, first: [0, 0], cut: [0, 0] };
        let Interleave { output: y, first, cut, .. } = interleave.unwrap_or(plain);
        let tiles = tiles as u32;
        let quads = weight.c.div_ceil(4) as u32;
        Self {
            in_channels: input.c as u32,
            in_h: input.h as u32,
            in_w: input.w as u32,
            out_channels: output.c as u32,
            out_h: output.h as u32,
            out_w: output.w as u32,
            pad_top: (op.pad.top as u32).wrapping_sub(first[0] as u32),
            pad_left: (op.pad.left as u32).wrapping_sub(first[1] as u32),
            group_inputs: weight.c as u32,
            group_outputs: blocks.group_outputs as u32,
            group_blocks: blocks.group_blocks() as u32,
            first_block: run.first_block as u32,
            blocks: run.blocks as u32,
            cell_tiles: cell_tiles as u32,
            tiles,
            part_tiles: tiles,
            first_quad: 0,
            end_quad: quads,
            part_quads: quads,
            y_channels: y.c as u32,
            y_group: (y.c / op.groups) as u32,
            y_h: y.h as u32,
            y_w: y.w as u32,
            cut_top: cut[0] as u32,
            cut_left: cut[1] as u32,
        }
    }

    /// The same for these fours of input channels, by workgroups for so many parts of so many fours.
    pub(super) fn summing(self, quads: Range<u64>, parts: u64, part_quads: u64) -> Self {
        let (tiles, part_quads) = (self.part_tiles * parts as u32, part_quads as u32);
        Self { tiles, first_quad: quads.start as u32, end_quad: quads.end as u32, part_quads, ..self }
    }
}

/// Bindings from 1 on.
pub(super) fn bindings(operands: &Operands, packed: Buffer, end: Option<&End>) -> Vec<Operand> {
    let overflow = (operands.form == Form::Halves).then_some(Buffer::Overflow);
    let own = [operands.input, packed, operands.bias, operands.output];
    own.into_iter().chain(overflow).chain(end.map(|end| end.switches)).map(Into::into).collect()
}

/// Overrides that say what becomes of the sums, where they are not the output's cells in their order.
pub(super) fn ending(interleave: Option<Interleave>, end: Option<&End>) -> Vec<(&'static str, f64)> {
    match (interleave, end) {
        (_, Some(end)) => end.constants.clone(),
        (Some(interleave), _) => interleave.constants().into(),
        _ => vec![],
    }
}
