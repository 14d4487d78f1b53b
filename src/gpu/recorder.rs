//! From plans to dispatches: binding, recording and running.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::gpu::buffer::{BufferRange, GpuBuffer, WORD};
use crate::gpu::pipeline::Pipeline;
use crate::gpu::uniforms::Params;
use crate::gpu::{Buffer, Gpu, KernelPlan, Operand, Step};

/// A dispatch with its pipeline and bindings: recording it costs three calls and makes nothing.
#[derive(Debug)]
pub(crate) struct BoundStep {
    pipeline: Arc<Pipeline>,
    bind_group: wgpu::BindGroup,
    workgroups: [u32; 3],
    _params: Params,
}

impl BoundStep {
    /// Adds the dispatch to a pass; it sees the writes of those before it.
    pub(crate) fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        let [x, y, z] = self.workgroups;
        pass.set_pipeline(&self.pipeline.raw);
        pass.set_bind_group(0, &self.bind_group, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

impl Gpu {
    /// Compiles, binds and checks one dispatch. `resolve` says which run of memory an operand is; it is not asked for
    /// [`Buffer::Absent`].
    ///
    /// # Errors
    /// [`Error::Limit`] if a binding or a dispatch is larger than the device allows; [`Error::Operand`] if a buffer is
    /// another device's or too small; the device's faults.
    pub(crate) fn prepare_step<'a>(
        &'a self,
        what: &str,
        step: &Step,
        resolve: impl Fn(&Operand) -> Result<BufferRange<'a>>,
    ) -> Result<BoundStep> {
        self.bind_step(what, step, self.params(step)?, resolve)
    }

    /// The same with `params` that are on the device already.
    ///
    /// # Errors
    /// As [`Gpu::prepare_step`].
    pub(crate) fn bind_step<'a>(
        &'a self,
        what: &str,
        step: &Step,
        params: Params,
        resolve: impl Fn(&Operand) -> Result<BufferRange<'a>>,
    ) -> Result<BoundStep> {
        let kernel = step.kernel;
        self.check_workgroups(what, step)?;
        let pipeline = self.pipeline(kernel, &step.constants)?;
        let mut resources = vec![params.binding()];
        for operand in &step.operands {
            let range = match operand.buffer {
                Buffer::Absent => self.shared.absent.whole(),
                _ => resolve(operand)?,
            };
            resources.push(self.bind(what, operand.buffer, &range)?);
        }
        let entries: Vec<_> =
            (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
        let bind_group = self.shared.faults.guarded(&format!("{what}: binding {}", kernel.name), || {
            Ok(self.shared.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(kernel.name),
                layout: &pipeline.layout,
                entries: &entries,
            }))
        })?;
        Ok(BoundStep { pipeline, bind_group, workgroups: step.workgroups, _params: params })
    }

    /// Runs an operator once: scratch memory, `prepare`, `run`, in one submission.
    ///
    /// # Errors
    /// As [`Gpu::prepare_step`].
    pub(crate) fn execute(
        &self,
        what: &str,
        plan: &KernelPlan,
        inputs: &[&GpuBuffer],
        outputs: &[&GpuBuffer],
    ) -> Result<()> {
        let overflow = self.overflow_of(what, plan)?;
        let scratch =
            plan.scratch.iter().map(|scratch| self.allocate(what, scratch.words)).collect::<Result<Vec<_>>>()?;
        let resolve = |operand: &Operand| {
            let found = match operand.buffer {
                Buffer::Input(i) => inputs.get(i).copied(),
                Buffer::Output(i) => outputs.get(i).copied(),
                Buffer::Scratch(i) => scratch.get(i),
                Buffer::Absent => Some(&self.shared.absent),
                Buffer::Overflow => overflow.as_ref(),
            };
            let missing = || Error::operand("execute", what, "given", format!("{:?}", operand.buffer));
            found.map(|buffer| buffer.whole().narrow(operand.words.clone())).ok_or_else(missing)
        };
        let steps = plan
            .prepare
            .iter()
            .chain(&plan.run)
            .map(|step| self.prepare_step(what, step, resolve))
            .collect::<Result<Vec<_>>>()?;
        self.submit(what, |encoder| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            steps.iter().for_each(|step| step.record(&mut pass));
        })?;
        #[cfg(not(target_arch = "wasm32"))]
        if self.shared.rails {
            let touched: Vec<_> = inputs.iter().chain(outputs).copied().chain(&scratch).collect();
            self.check_guards(what, &touched)?;
        }
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(word) = &overflow {
            // Waits for the result: only what is asked for by name rounds the operands of an eager call.
            let words: Vec<u32> = pollster::block_on(self.read(what, word, 1))?;
            if words[..] != [0] {
                return Err(Error::Overflow {
                    what: format!("an operand of {what} variant {}, which rounds them,", plan.variant),
                    way_out: "ask for another variant, or for none".to_owned(),
                });
            }
        }
        Ok(())
    }

    /// The word, zero, in which a plan says that a number was too large for f16, if it does.
    fn overflow_of(&self, what: &str, plan: &KernelPlan) -> Result<Option<GpuBuffer>> {
        let mut operands = plan.prepare.iter().chain(&plan.run).flat_map(|step| &step.operands);
        if !operands.any(|operand| operand.buffer == Buffer::Overflow) {
            return Ok(None);
        }
        let word = self.allocate(what, 4)?;
        self.write(what, &word, &[0; 16])?;
        Ok(Some(word))
    }

    /// Records one command buffer and submits it.
    ///
    /// # Errors
    /// The device's faults.
    pub(crate) fn submit(
        &self,
        what: &str,
        record: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> Result<wgpu::SubmissionIndex> {
        self.shared.faults.guarded(what, || {
            let descriptor = wgpu::CommandEncoderDescriptor { label: Some(what) };
            let mut encoder = self.shared.device.create_command_encoder(&descriptor);
            record(&mut encoder);
            Ok(self.shared.queue.submit([encoder.finish()]))
        })
    }

    fn check_workgroups(&self, what: &str, step: &Step) -> Result<()> {
        let most = self.shared.caps.max_workgroups;
        match step.workgroups.iter().copied().max().filter(|&largest| largest > most) {
            None => Ok(()),
            Some(largest) => Err(Error::Limit {
                what: format!("{what} ({})", step.kernel.name),
                needed: largest.into(),
                available: most.into(),
                unit: "workgroups along one dimension",
                way_out: "take a smaller input".to_owned(),
            }),
        }
    }

    /// The binding of a run of memory, with the guard if it reaches the buffer's end.
    fn bind<'a>(&self, what: &str, operand: Buffer, range: &BufferRange<'a>) -> Result<wgpu::BindingResource<'a>> {
        let buffer = range.buffer;
        let name = format!("{operand:?}");
        self.check_owner(what, &name, buffer)?;
        let (start, end) = (range.words.start, range.words.end);
        if range.words.is_empty() || end > buffer.words() {
            let found = format!("words {start}..{end} of {}", buffer.words());
            return Err(Error::operand("device", format!("{name} of {what}"), "a run of its buffer", found));
        }
        let end = if end == buffer.words() { end + buffer.guard().words } else { end };
        let (offset, bytes) = (start * WORD, (end - start) * WORD);
        let caps = &self.shared.caps;
        if bytes > caps.max_binding_bytes {
            return Err(Error::Limit {
                what: format!("{name} of {what}"),
                needed: bytes,
                available: caps.max_binding_bytes,
                unit: "bytes in one binding",
                way_out: "take a smaller input, or an adapter with a larger limit".to_owned(),
            });
        }
        if offset % u64::from(caps.storage_alignment) != 0 {
            let expected = format!("aligned to {} bytes", caps.storage_alignment);
            return Err(Error::operand("device", format!("{name} of {what}"), expected, format!("at byte {offset}")));
        }
        Ok(wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: buffer.raw(),
            offset,
            size: wgpu::BufferSize::new(bytes),
        }))
    }
}
