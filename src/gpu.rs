//! The device: adapter, memory, pipelines and recording. wgpu lives here and in `kernel`, nowhere else.

mod adapter;
mod buffer;
mod builder;
mod caps;
mod cooperative;
mod device;
mod elements;
mod fault;
mod host_memory;
mod pipeline;
#[cfg(not(target_arch = "wasm32"))]
mod pipeline_cache;
mod pool;
mod processor;
mod program;
mod rails;
mod recorder;
mod storage;
#[cfg(test)]
mod tests;
mod texels;
mod timing;
mod transfer;
mod trusted;
mod tuning;
mod uniforms;
pub(crate) mod unroll;
mod upload;
mod values;

pub use adapter::{ADAPTER_VARIABLE, AdapterChoice, AdapterInfo, AdapterKind};
pub use builder::{GpuBuilder, LimitsChoice};
pub use caps::{Caps, Gathers};
pub use cooperative::Cooperative;
pub use device::Gpu;
pub use elements::Elements;
pub use pool::Memory;
pub use storage::Storage;
pub use texels::Texels;
pub use timing::Timer;
pub use tuning::Tuning;
pub use values::{GpuImage, GpuLabels, GpuSwitches, GpuTensor};
/// The graphics interface underneath, in the version whose devices and buffers this crate takes.
pub use wgpu;

pub(crate) use buffer::{BufferRange, GpuBuffer};
pub(crate) use program::{Access, Buffer, Kernel, KernelPlan, Operand, Part, Scratch, Step, fold_workgroups};
pub(crate) use recorder::BoundStep;
pub(crate) use storage::{COMPACT_WINDOWS, from_halves, to_halves};
pub(crate) use transfer::Readback;
pub(crate) use upload::Upload;
pub(crate) use values::words_of_bytes;
