//! Kernels compiled: modules, explicit layouts, and a cache of both.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::error::{Error, Result};
#[cfg(not(target_arch = "wasm32"))]
use crate::gpu::Step;
use crate::gpu::device::Settings;
use crate::gpu::fault::lock;
#[cfg(not(target_arch = "wasm32"))]
use crate::gpu::pipeline_cache::PipelineCache;
use crate::gpu::{Access, Gpu, Kernel, trusted};

/// The WGSL extension of cooperative matrices.
const COOPERATIVE: &str = "wgpu_cooperative_matrix";

/// A compiled kernel with its constants.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) raw: wgpu::ComputePipeline,
    pub(crate) layout: wgpu::BindGroupLayout,
}

/// A kernel's name and the values of its overrides, bit for bit.
type Key = (&'static str, Vec<(&'static str, u64)>);

/// Everything compiled on a device.
#[derive(Default)]
pub(crate) struct Pipelines {
    modules: Mutex<HashMap<&'static str, wgpu::ShaderModule>>,
    pipelines: Mutex<HashMap<Key, Arc<Pipeline>>>,
    /// What is kept for the next process.
    #[cfg(not(target_arch = "wasm32"))]
    cache: Option<PipelineCache>,
}

impl Pipelines {
    #[cfg_attr(target_arch = "wasm32", expect(unused_variables, reason = "browsers keep pipelines themselves"))]
    pub(crate) fn new(device: &wgpu::Device, settings: &Settings) -> Self {
        Self {
            #[cfg(not(target_arch = "wasm32"))]
            cache: settings.pipeline_cache.as_deref().and_then(|folder| PipelineCache::open(device, folder)),
            ..Self::default()
        }
    }

    /// Writes what was compiled to where it is to be kept.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn save(&self) {
        self.cache.iter().for_each(PipelineCache::save);
    }
}

impl Gpu {
    /// Compiles what these dispatches need, on all processors, so that [`Gpu::pipeline`] finds it; what does not compile
    /// is left for it to report.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn compile_ahead<'a>(&self, steps: impl Iterator<Item = &'a Step>) {
        let mut modules: HashMap<&str, &Kernel> = HashMap::new();
        let mut pipelines: HashMap<Key, &Step> = HashMap::new();
        for step in steps {
            modules.insert(step.kernel.name, step.kernel);
            pipelines.insert(key(step.kernel, &step.constants), step);
        }
        // Modules first: pipelines of one kernel share it.
        in_parallel(modules.into_values(), |kernel| drop(self.module(kernel)));
        in_parallel(pipelines.into_values(), |step| drop(self.pipeline(step.kernel, &step.constants)));
        self.shared.pipelines.save();
    }

    /// `kernel` with its overrides set to `constants`, compiled on first use.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the device lacks a feature that it needs; [`Error::Gpu`] with the shader's file and
    /// line if it does not compile.
    pub(crate) fn pipeline(&self, kernel: &Kernel, constants: &[(&'static str, f64)]) -> Result<Arc<Pipeline>> {
        let key = key(kernel, constants);
        if let Some(pipeline) = lock(&self.shared.pipelines.pipelines).get(&key) {
            return Ok(Arc::clone(pipeline));
        }
        let pipeline = Arc::new(self.compile_kernel(kernel, constants)?);
        lock(&self.shared.pipelines.pipelines).insert(key, Arc::clone(&pipeline));
        Ok(pipeline)
    }

    fn compile_kernel(&self, kernel: &Kernel, constants: &[(&'static str, f64)]) -> Result<Pipeline> {
        if kernel.needs_float_atomics && !self.shared.caps.float_atomics {
            return Err(Error::Unsupported {
                what: format!("kernel {}", kernel.name),
                why: "the device has no atomic addition of f32".to_owned(),
                way_out: "choose another variant".to_owned(),
            });
        }
        self.check_features(kernel)?;
        let module = self.module(kernel)?;
        let entries: Vec<_> =
            (0..).zip(kernel.bindings).map(|(binding, access)| layout_entry(binding, *access)).collect();
        self.shared.faults.guarded(&format!("compiling {}", kernel.name), || {
            let device = &self.shared.device;
            let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(kernel.name),
                entries: &entries,
            });
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(kernel.name),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
            let raw = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(kernel.name),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions { constants, ..Default::default() },
                #[cfg(not(target_arch = "wasm32"))]
                cache: self.shared.pipelines.cache.as_ref().map(PipelineCache::raw),
                #[cfg(target_arch = "wasm32")]
                cache: None,
            });
            #[cfg(not(target_arch = "wasm32"))]
            self.shared.pipelines.cache.iter().for_each(PipelineCache::changes);
            Ok(Pipeline { raw, layout })
        })
    }

    /// Refuses a kernel whose WGSL needs what the device was not opened with.
    fn check_features(&self, kernel: &Kernel) -> Result<()> {
        let caps = &self.shared.caps;
        let needs = [
            (kernel.enables("f16"), caps.f16, "SHADER_F16"),
            (kernel.enables(COOPERATIVE), caps.cooperative.is_some(), "cooperative matrices"),
            (kernel.has_int64(), caps.int64, "SHADER_INT64"),
            (kernel.has_subgroups(), caps.subgroup.is_some(), "subgroups of one size"),
        ];
        match needs.into_iter().find(|&(needed, has, _)| needed && !has) {
            None => Ok(()),
            Some((_, _, feature)) => Err(Error::Unsupported {
                what: format!("kernel {}", kernel.name),
                why: format!("the device has no {feature}"),
                way_out: "choose another variant".to_owned(),
            }),
        }
    }

    fn module(&self, kernel: &Kernel) -> Result<wgpu::ShaderModule> {
        if let Some(module) = lock(&self.shared.pipelines.modules).get(kernel.name) {
            return Ok(module.clone());
        }
        let source = kernel.source();
        let mut made = None;
        let created = self.shared.faults.guarded(&format!("compiling {}", kernel.name), || {
            let device = &self.shared.device;
            let module = if self.shared.shader_checks {
                device.create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some(kernel.name),
                    source: wgpu::ShaderSource::Wgsl(source.as_str().into()),
                })
            } else {
                trusted::create(device, kernel, &source)
            };
            made = Some(module.clone());
            Ok(module)
        });
        let module = created.map_err(|error| locate(error, kernel, made.as_ref()))?;
        lock(&self.shared.pipelines.modules).insert(kernel.name, module.clone());
        Ok(module)
    }
}

fn key(kernel: &Kernel, constants: &[(&'static str, f64)]) -> Key {
    let mut bits: Vec<_> = constants.iter().map(|&(name, value)| (name, value.to_bits())).collect();
    bits.sort_unstable();
    (kernel.name, bits)
}

/// Does all jobs on as many threads as there are processors; where no thread can be had, on this one.
#[cfg(not(target_arch = "wasm32"))]
fn in_parallel<T: Send>(jobs: impl ExactSizeIterator<Item = T> + Send, work: impl Fn(T) + Sync) {
    let helpers = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len()).saturating_sub(1);
    let jobs = Mutex::new(jobs);
    let worker = || {
        // A statement of its own, so that the lock is not held while the work is done.
        let next = || lock(&jobs).next();
        while let Some(job) = next() {
            work(job);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..helpers {
            // A thread that the system refuses is one fewer.
            let _ = std::thread::Builder::new().name("switchback compiler".to_owned()).spawn_scoped(scope, worker);
        }
        worker();
    });
}

fn layout_entry(binding: u32, access: Access) -> wgpu::BindGroupLayoutEntry {
    let ty = match access {
        Access::Uniform => wgpu::BufferBindingType::Uniform,
        Access::Read => wgpu::BufferBindingType::Storage { read_only: true },
        Access::Write => wgpu::BufferBindingType::Storage { read_only: false },
    };
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    }
}

/// Replaces a compiler's message about the joined source by its messages at the parts' files and lines, where it gave
/// any. In browsers compilation ends later and the message stays as it is.
#[cfg_attr(target_arch = "wasm32", expect(unused_variables, reason = "compilation info is a promise there"))]
fn locate(error: Error, kernel: &Kernel, module: Option<&wgpu::ShaderModule>) -> Error {
    #[cfg(not(target_arch = "wasm32"))]
    if let (Error::Gpu { what, .. }, Some(module)) = (&error, module) {
        let info = pollster::block_on(module.get_compilation_info());
        let mut messages = info.messages.iter().filter_map(|message| {
            let location = message.location?;
            let (path, line) = kernel.locate(location.line_number)?;
            Some(format!("shaders/{path}:{line}:{}: {}", location.line_position, message.message.trim()))
        });
        if let Some(first) = messages.next() {
            let message = messages.fold(first, |all, next| all + "\n" + &next);
            return Error::Gpu { what: what.clone(), message };
        }
    }
    error
}
