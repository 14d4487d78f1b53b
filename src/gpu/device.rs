//! An open device and everything made on it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::error::Result;
use crate::gpu::adapter::{AdapterInfo, AdapterKind};
use crate::gpu::buffer::GpuBuffer;
use crate::gpu::builder::GpuBuilder;
use crate::gpu::fault::Faults;
use crate::gpu::pipeline::Pipelines;
use crate::gpu::pool::Pool;
use crate::gpu::tuning::Tuning;
use crate::gpu::uniforms::Uniforms;
use crate::gpu::{Caps, Cooperative, Elements, Gathers, Texels, host_memory, processor};

/// A GPU, open for work: operators, uploads and downloads, compiled networks.
///
/// Clones are cheap and share the device. On native it may be used from several threads.
///
/// ```no_run
/// use switchback::{Gpu, Tensor};
/// let gpu = Gpu::new()?;
/// let x = Tensor::from_fn([1, 3, 5, 7], |[_, c, y, x]| (c + y * x) as f32)?;
/// assert_eq!(gpu.download(&gpu.upload(&x)?)?, x);
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone)]
pub struct Gpu {
    pub(crate) shared: Arc<Shared>,
    /// Variants that this clone prefers, by operator.
    preferences: Arc<Vec<(&'static str, &'static str)>>,
    /// What graphs compiled by this clone are kept in.
    elements: Arc<Elements>,
    /// How images lie that this clone's graphs take or give.
    texels: Option<Texels>,
}

/// What all clones of a [`Gpu`] share.
pub(crate) struct Shared {
    /// Tells the buffers of one device from another's.
    pub(crate) id: u64,
    pub(crate) info: AdapterInfo,
    pub(crate) caps: Caps,
    pub(crate) limits: wgpu::Limits,
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) faults: Faults,
    pub(crate) pool: Arc<Mutex<Pool<wgpu::Buffer>>>,
    pub(crate) pipelines: Pipelines,
    pub(crate) uniforms: Arc<Mutex<Uniforms>>,
    /// 16 zero bytes, for optional operands that are absent.
    pub(crate) absent: GpuBuffer,
    /// Whether the host can map buffers that shaders use, and nothing is lost by it.
    pub(crate) mappable: bool,
    pub(crate) rails: bool,
    pub(crate) shader_checks: bool,
    pub(crate) tuning: Option<Tuning>,
    /// Whether the device's matrix units were seen to compute what plain kernels do, once somebody asked.
    pub(crate) cooperative_works: OnceLock<bool>,
}

/// How a [`Gpu`] treats its device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) rails: bool,
    pub(crate) shader_checks: bool,
    /// Whether this crate opened the device, rather than the application.
    pub(crate) owned: bool,
    /// The adapter's matrix units, for devices that are opened with them.
    pub(crate) cooperative: Option<Cooperative>,
    /// Where compiled pipelines are kept.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) pipeline_cache: Option<std::path::PathBuf>,
    /// The file of measured kernel variants.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) tuning: Option<std::path::PathBuf>,
}

impl Gpu {
    /// The best adapter that there is, or the one that `SWITCHBACK_ADAPTER` chooses, with all that it offers.
    ///
    /// # Errors
    /// [`crate::Error::NoAdapter`]; [`crate::Error::Gpu`] if the driver refuses to open it.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// To choose adapter, limits and checks.
    pub fn builder() -> GpuBuilder {
        GpuBuilder::default()
    }

    /// The application's own device. Its handlers for uncaptured errors and device loss stay as they are; limits and
    /// features are those that it was opened with ([`Gpu::device_descriptor`] has what is of use), matrix units aside
    /// ([`GpuBuilder::matrix_units_of`]).
    ///
    /// # Errors
    /// [`crate::Error::DeviceLost`] and other faults of the device.
    pub fn from_device(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        Self::builder().build_on(device, queue)
    }

    pub(crate) fn with_settings(device: wgpu::Device, queue: wgpu::Queue, settings: Settings) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let info = AdapterInfo::from(&device.adapter_info());
        let limits = device.limits();
        let faults = Faults::new(&device, settings.owned);
        let absent = faults.guarded("opening the device", || {
            Ok(device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("absent operand"),
                size: 16,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            }))
        })?;
        #[cfg(not(target_arch = "wasm32"))]
        let tuning = tuning(&settings, &info);
        #[cfg(target_arch = "wasm32")]
        let tuning = None;
        let mappable = host_memory::is_shared(info.kind, device.features());
        let shared = Shared {
            id,
            caps: Caps {
                cooperative: settings.cooperative.filter(|_| device.features().contains(Cooperative::FEATURES)),
                subgroup: subgroup(&device),
                ..caps(&info, &limits, device.features())
            },
            info,
            limits,
            faults,
            pool: Arc::default(),
            pipelines: Pipelines::new(&device, &settings),
            uniforms: Arc::default(),
            absent: GpuBuffer::foreign(absent, 4, id),
            mappable,
            rails: settings.rails,
            shader_checks: settings.shader_checks,
            tuning,
            cooperative_works: OnceLock::new(),
            device,
            queue,
        };
        Ok(Self { shared: Arc::new(shared), preferences: Arc::default(), elements: Arc::default(), texels: None })
    }

    /// Name, kind, backend and driver.
    #[must_use]
    pub fn info(&self) -> &AdapterInfo {
        &self.shared.info
    }

    /// What kernels and graphs are planned for.
    #[must_use]
    pub fn caps(&self) -> &Caps {
        &self.shared.caps
    }

    /// All limits with which the device was opened.
    #[must_use]
    pub fn limits(&self) -> &wgpu::Limits {
        &self.shared.limits
    }

    /// The device itself, for applications that record their own work beside.
    #[must_use]
    pub fn device(&self) -> &wgpu::Device {
        &self.shared.device
    }

    /// The queue to which everything is submitted.
    #[must_use]
    pub fn queue(&self) -> &wgpu::Queue {
        &self.shared.queue
    }

    /// Whether memory is poisoned and guarded (see [`GpuBuilder::rails`]).
    pub(crate) fn has_rails(&self) -> bool {
        self.shared.rails
    }

    /// A clone that prefers `variant` for the operator `op`.
    #[must_use]
    pub(crate) fn with_preference(&self, op: &'static str, variant: &'static str) -> Self {
        let others = self.preferences.iter().copied().filter(|(other, _)| *other != op);
        let preferences = Arc::new(others.chain([(op, variant)]).collect());
        Self { preferences, ..self.clone() }
    }

    /// A clone, on the same device, that keeps the weights and activations of the graphs that it compiles in such elements.
    #[must_use]
    pub fn with_elements(&self, elements: Elements) -> Self {
        Self { elements: Arc::new(elements), ..self.clone() }
    }

    /// What graphs compiled by this clone are kept in.
    #[must_use]
    pub fn elements(&self) -> &Elements {
        &self.elements
    }

    /// A clone, on the same device, of whose graphs images that are inputs or outputs have four bytes a pixel there, so that
    /// textures are copied into [`Session::input_binding`](crate::graph::Session::input_binding), and from
    /// [`Session::output_binding`](crate::graph::Session::output_binding), as they are; without this three, without gaps.
    /// Results are the same, bit for bit: the alpha of inputs is not looked at, that of [`Colorize`](crate::Colorize)'s pictures
    /// is 255, and what the host gives and gets remains an [`RgbImage`](crate::RgbImage).
    ///
    /// Whatever the number of columns, rows begin at multiples of 256 bytes, as such copies want it:
    ///
    /// ```no_run
    /// # use switchback::{Error, Gpu, Graph, weights::Weights};
    /// use switchback::gpu::{Texels, wgpu};
    /// # fn seen(gpu: Gpu, graph: Graph, weights: Weights, [camera, screen]: [wgpu::Texture; 2]) -> Result<(), Error> {
    /// let gpu = gpu.with_texels(Texels::Rgba8);
    /// let session = gpu.compile(&graph, &weights)?;
    /// # let mut encoder = gpu.device().create_command_encoder(&Default::default());
    /// let row = Texels::bytes_per_row(camera.width());
    /// let rows = |offset| wgpu::TexelCopyBufferLayout { offset, bytes_per_row: Some(row), rows_per_image: None };
    /// let (input, output) = (session.input_binding("image")?, session.output_binding("picture")?);
    /// let input = wgpu::TexelCopyBufferInfo { buffer: input.buffer, layout: rows(input.offset) };
    /// let output = wgpu::TexelCopyBufferInfo { buffer: output.buffer, layout: rows(output.offset) };
    /// encoder.copy_texture_to_buffer(camera.as_image_copy(), input, camera.size());
    /// session.record(&mut encoder);
    /// encoder.copy_buffer_to_texture(output, screen.as_image_copy(), screen.size());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_texels(&self, texels: Texels) -> Self {
        Self { texels: Some(texels), ..self.clone() }
    }

    pub(crate) fn texels(&self) -> Option<Texels> {
        self.texels
    }

    /// Measured variants, by problem.
    pub(crate) fn tuning(&self) -> Option<&Tuning> {
        self.shared.tuning.as_ref()
    }

    /// The variant that this clone prefers for `op`.
    pub(crate) fn preference(&self, op: &str) -> Option<&'static str> {
        self.preferences.iter().find(|(other, _)| *other == op).map(|(_, variant)| *variant)
    }
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gpu").field("info", &self.shared.info).field("caps", &self.shared.caps).finish_non_exhaustive()
    }
}

/// The tuning that is to be used; a warning says why one is not.
#[cfg(not(target_arch = "wasm32"))]
fn tuning(settings: &Settings, info: &AdapterInfo) -> Option<Tuning> {
    let path = settings.tuning.as_ref()?;
    let read = Tuning::read(path, info);
    read.inspect_err(|error| log::warn!("the tuning file {} is ignored: {error}", path.display())).ok()
}

fn caps(info: &AdapterInfo, limits: &wgpu::Limits, features: wgpu::Features) -> Caps {
    Caps {
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        max_buffer_bytes: limits.max_buffer_size,
        max_workgroups: limits.max_compute_workgroups_per_dimension,
        max_invocations: limits.max_compute_invocations_per_workgroup,
        max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
        max_iterations: if info.name.contains("llvmpipe") { 65_535 } else { u32::MAX },
        storage_alignment: limits.min_storage_buffer_offset_alignment,
        float_atomics: features.contains(wgpu::Features::SHADER_FLOAT32_ATOMIC),
        f16: features.contains(wgpu::Features::SHADER_F16),
        int64: features.contains(wgpu::Features::SHADER_INT64),
        subgroup: None,
        uniform_loads: mesa(&info.driver).is_none_or(|version| version >= 26),
        gathers: if info.kind == AdapterKind::Cpu { processor::gathers() } else { Gathers::Slow },
        cooperative: None,
        software: info.kind == AdapterKind::Cpu,
    }
}

/// The first number of the version, where llvmpipe's is given.
fn mesa(driver: &str) -> Option<u32> {
    let version = driver.strip_prefix("llvmpipe Mesa ")?;
    version.split('.').next()?.parse().ok()
}

/// The size of every subgroup, where shaders may ask for it and there is one.
fn subgroup(device: &wgpu::Device) -> Option<u32> {
    let info = device.adapter_info();
    let fixed = info.subgroup_min_size == info.subgroup_max_size;
    (fixed && device.features().contains(wgpu::Features::SUBGROUP)).then_some(info.subgroup_min_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_limits_are_the_webgpu_caps() {
        let info = AdapterInfo {
            name: String::new(),
            kind: AdapterKind::Other,
            backend: String::new(),
            driver: String::new(),
        };
        assert_eq!(caps(&info, &wgpu::Limits::defaults(), wgpu::Features::empty()), Caps::WEBGPU);
        let with_int64 = caps(&info, &wgpu::Limits::defaults(), wgpu::Features::SHADER_INT64);
        assert_eq!(with_int64, Caps { int64: true, ..Caps::WEBGPU });
    }

    #[test]
    fn versions_of_mesa() {
        assert_eq!(mesa("llvmpipe Mesa 22.3.6 (LLVM 15.0.6)"), Some(22));
        assert_eq!(mesa("llvmpipe Mesa 26.1.6-1~bpo13+1 (LLVM 19.1.7)"), Some(26));
        assert_eq!([mesa("NVIDIA 570.1"), mesa("llvmpipe"), mesa("llvmpipe Mesa git")], [None; 3]);
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn shared_between_threads() {
        fn check<T: Send + Sync>() {}
        check::<Gpu>();
        check::<crate::gpu::GpuTensor>();
    }
}
