//! The device: adapter, memory, pipelines and recording. wgpu lives here and in `kernel`, nowhere else.

mod caps;
mod program;

pub use caps::Caps;
pub(crate) use program::{Access, Buffer, Kernel, KernelPlan, Operand, Part, Scratch, Step, fold_workgroups};
