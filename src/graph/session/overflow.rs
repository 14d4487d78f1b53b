//! Numbers that were too large for f16: a word for each planned node, which its kernels set.

use crate::error::{Error, Result};
use crate::gpu::{Buffer, BufferRange, Gpu, GpuBuffer, Readback, wgpu};
use crate::graph::Plan;

/// What a word says if it was an operand that was too large (`shaders/convert/range.wgsl`), rather than a result.
const OPERAND: u32 = 2;

/// Words between those of two nodes: bindings start at multiples of 256 bytes at most.
const STEP: u64 = 64;

/// The words of a session; none where nothing is in f16.
#[derive(Debug)]
pub(super) struct Overflow {
    words: Option<(GpuBuffer, Readback)>,
}

impl Overflow {
    pub(super) fn of(gpu: &Gpu, plan: &Plan) -> Result<Self> {
        let operands = plan.nodes().iter().flat_map(|node| &node.kernel.run).flat_map(|step| &step.operands);
        if !operands.into_iter().any(|operand| operand.buffer == Buffer::Overflow) {
            return Ok(Self { words: None });
        }
        let count = STEP * plan.nodes().len() as u64;
        let buffer = gpu.allocate("overflow", count)?;
        let readback = gpu.readback("overflow", &buffer, count)?;
        Ok(Self { words: Some((buffer, readback)) })
    }

    /// The word of the planned node of this position.
    pub(super) fn word(&self, step: usize) -> Option<BufferRange<'_>> {
        let first = STEP * step as u64;
        self.words.as_ref().map(|(buffer, _)| buffer.range(first..first + STEP))
    }

    /// Sets all to zero, before a run.
    pub(super) fn record_reset(&self, encoder: &mut wgpu::CommandEncoder) {
        if let Some((buffer, _)) = &self.words {
            encoder.clear_buffer(buffer.raw(), 0, Some(4 * buffer.words()));
        }
    }

    /// Fetches them, after a run.
    pub(super) fn record_readback(&self, encoder: &mut wgpu::CommandEncoder) {
        if let Some((buffer, readback)) = &self.words {
            readback.record(encoder, buffer);
        }
    }

    /// Refuses a run in which a number was too large; names the first node at which one was.
    pub(super) async fn check(&self, gpu: &Gpu, plan: &Plan) -> Result<()> {
        let Some((buffer, readback)) = &self.words else { return Ok(()) };
        let words: Vec<u32> = readback.read(gpu, "overflow", buffer.words() as usize).await?;
        let word = |step: usize| words.get(step * STEP as usize).copied().filter(|&word| word != 0);
        let Some((node, word)) = plan.nodes().iter().zip(0..).find_map(|(node, step)| Some((node, word(step)?))) else {
            return Ok(());
        };
        let name = node.name();
        let (what, way_out) = if word == OPERAND {
            let what = format!("an operand, which {} rounds,", node.variant());
            (what, "ask for another variant, or for none".to_owned())
        } else {
            let keep = format!("Elements::f16().keep_f32({name:?}), on the command line --keep-f32 {name}");
            ("a result".to_owned(), format!("keep it in f32 ({keep}), or all (f32)"))
        };
        Err(Error::Overflow { what, way_out }.at_node(name))
    }
}
