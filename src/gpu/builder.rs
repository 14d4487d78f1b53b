//! Opening a device.

#[cfg(not(target_arch = "wasm32"))]
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::gpu::adapter::{AdapterChoice, AdapterInfo};
use crate::gpu::device::Settings;
use crate::gpu::{Cooperative, Gpu, host_memory, trusted};

/// Which limits and features to open the device with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum LimitsChoice {
    /// All that the adapter offers.
    #[default]
    Adapter,
    /// Only what every WebGPU device guarantees ([`crate::gpu::Caps::WEBGPU`]), to see what a smaller device would do.
    WebGpu,
}

/// Chooses how a [`Gpu`] is opened.
///
/// ```no_run
/// use switchback::gpu::{Gpu, LimitsChoice};
/// let gpu = Gpu::builder().adapter("llvmpipe").limits(LimitsChoice::WebGpu).build()?;
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct GpuBuilder {
    choice: Option<AdapterChoice>,
    limits: LimitsChoice,
    settings: Settings,
}

/// Features that kernels and timing can use; each is asked for where the adapter has it.
const FEATURES: wgpu::Features = wgpu::Features::SHADER_F16
    .union(wgpu::Features::SHADER_FLOAT32_ATOMIC)
    .union(wgpu::Features::SHADER_INT64)
    .union(wgpu::Features::SUBGROUP)
    .union(wgpu::Features::TIMESTAMP_QUERY)
    .union(wgpu::Features::PIPELINE_CACHE);

impl GpuBuilder {
    /// Which adapter: part of its name, `auto`, `gpu`, `software`, with `#2` behind it the second of those, or an
    /// [`AdapterChoice`], which says more. Without this the environment variable `SWITCHBACK_ADAPTER` chooses, in the same
    /// words.
    pub fn adapter(mut self, choice: impl Into<AdapterChoice>) -> Self {
        self.choice = Some(choice.into());
        self
    }

    /// Which limits and features.
    pub fn limits(mut self, limits: LimitsChoice) -> Self {
        self.limits = limits;
        self
    }

    /// For tests: every buffer that is handed out is filled with poison (NaN, and the largest u32) and followed by
    /// guard words, which are checked after each operator and download. Slow.
    pub fn rails(mut self, rails: bool) -> Self {
        self.settings.rails = rails;
        self
    }

    /// For debugging kernels: compiles them with wgpu's run-time checks of indices, loops and divisions. Slow.
    pub fn shader_checks(mut self, checks: bool) -> Self {
        self.settings.shader_checks = checks;
        self
    }

    /// Keeps compiled pipelines in this folder, one file a device and driver, so that the next process starts sooner
    /// (Vulkan only; elsewhere nothing is kept). A file that is damaged or another driver's is replaced, with a warning
    /// to the application's logger; so is one that cannot be written.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn pipeline_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.pipeline_cache = Some(folder.into());
        self
    }

    /// Takes the kernel variants that [`Gpu::tune`] found for this device and
    /// [`Tuning::save`](crate::gpu::Tuning::save) wrote to this file, in graphs compiled on it. A file of another
    /// device, driver or version of this crate, one that is damaged, one without a line for the graph, and single
    /// entries that do not apply are ignored, with a warning to the application's logger that says why; so are entries of nodes
    /// that take or give anything in f16.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn tuning(mut self, file: impl Into<PathBuf>) -> Self {
        self.settings.tuning = Some(file.into());
        self
    }

    /// Opens the device.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if none fits the choice; [`Error::Gpu`] if no fitting one can be opened.
    pub async fn build_async(self) -> Result<Gpu> {
        let choice = self.choice.unwrap_or_else(AdapterChoice::from_env);
        let adapters = enumerate().await;
        let found: Vec<_> = adapters.iter().map(|adapter| AdapterInfo::from(&adapter.get_info())).collect();
        let mut refusals = Vec::new();
        for i in choice.rank(&found)? {
            let cooperative = match self.limits {
                LimitsChoice::Adapter => Cooperative::of(&adapters[i]),
                LimitsChoice::WebGpu => None,
            };
            let settings = Settings { owned: true, cooperative, ..self.settings.clone() };
            match adapters[i].request_device(&descriptor(&adapters[i], self.limits, cooperative.is_some())).await {
                Ok((device, queue)) => return Gpu::with_settings(device, queue, settings),
                Err(error) => refusals.push(format!("{}: {error}", found[i])),
            }
        }
        Err(Error::Gpu { what: "opening the device".to_owned(), message: refusals.join("; ") })
    }

    /// Opens the device, blocking.
    ///
    /// # Errors
    /// As [`GpuBuilder::build_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn build(self) -> Result<Gpu> {
        pollster::block_on(self.build_async())
    }

    /// Which adapter the application's own device is of, for [`GpuBuilder::build_on`], so that its matrix units can be used:
    /// the device alone does not say what they multiply. wgpu calls them experimental; so [`Gpu::device_descriptor`] leaves
    /// them out, and the application asks for them itself. Without them, or without this, kernels do without.
    ///
    /// ```no_run
    /// # use switchback::gpu::{Gpu, wgpu};
    /// # async fn open(adapter: wgpu::Adapter) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut descriptor = Gpu::device_descriptor(&adapter);
    /// if adapter.features().contains(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX) {
    ///     descriptor.required_features |= wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX;
    ///     // SAFETY: such features may have faults that safe calls reach; that is accepted here.
    ///     descriptor.experimental_features = unsafe { wgpu::ExperimentalFeatures::enabled() };
    /// }
    /// let (device, queue) = adapter.request_device(&descriptor).await?;
    /// let gpu = Gpu::builder().matrix_units_of(&adapter).build_on(device, queue)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn matrix_units_of(mut self, adapter: &wgpu::Adapter) -> Self {
        self.settings.cooperative = Cooperative::of(adapter);
        self
    }

    /// Uses the application's device; the choices of adapter and limits do not apply.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] and other faults of the device.
    pub fn build_on(self, device: wgpu::Device, queue: wgpu::Queue) -> Result<Gpu> {
        Gpu::with_settings(device, queue, self.settings)
    }
}

impl Gpu {
    /// What an application opens a device of its own with that [`Gpu::from_device`] is to use well: all limits of the
    /// adapter, and those of its features that kernels and timing use. Networks run without the features too, by slower
    /// kernels on some devices, and within lower limits if their buffers fit. Matrix units are left out, for they are
    /// experimental; [`GpuBuilder::matrix_units_of`] says how to have them.
    ///
    /// ```no_run
    /// # use switchback::gpu::{Gpu, wgpu};
    /// # async fn open(adapter: wgpu::Adapter) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut descriptor = Gpu::device_descriptor(&adapter);
    /// descriptor.required_features |= wgpu::Features::TEXTURE_COMPRESSION_BC; // the application's own
    /// let (device, queue) = adapter.request_device(&descriptor).await?;
    /// let gpu = Gpu::from_device(device, queue)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn device_descriptor(adapter: &wgpu::Adapter) -> wgpu::DeviceDescriptor<'static> {
        let (required_features, required_limits) = offered(adapter);
        wgpu::DeviceDescriptor { required_features, required_limits, ..Default::default() }
    }

    /// The adapters of this machine, in the order in which [`AdapterChoice::Numbered`] counts them; in browsers the one that
    /// they offer.
    pub async fn adapters_async() -> Vec<AdapterInfo> {
        enumerate().await.iter().map(|adapter| AdapterInfo::from(&adapter.get_info())).collect()
    }

    /// The adapters of this machine, in the order in which [`AdapterChoice::Numbered`] counts them.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn adapters() -> Vec<AdapterInfo> {
        pollster::block_on(Self::adapters_async())
    }
}

async fn enumerate() -> Vec<wgpu::Adapter> {
    // wgpu panics where no backend is built for the platform.
    if wgpu::Instance::enabled_backend_features().is_empty() {
        return Vec::new();
    }
    instance().enumerate_adapters(wgpu::Backends::all()).await
}

/// The process's one way to its drivers, which stays open until the process ends: Vulkan's loader has been seen to
/// crash where one instance closes, and unloads its drivers, while a device of another opens.
#[cfg(not(target_arch = "wasm32"))]
fn instance() -> &'static wgpu::Instance {
    static INSTANCE: std::sync::OnceLock<wgpu::Instance> = std::sync::OnceLock::new();
    INSTANCE.get_or_init(open_instance)
}

/// The browser's, which has no drivers to unload and does not cross threads.
#[cfg(target_arch = "wasm32")]
fn instance() -> wgpu::Instance {
    open_instance()
}

fn open_instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        // Off by default also in debug builds: the driver's own validation layer warns where it is not installed.
        flags: wgpu::InstanceFlags::empty().with_env(),
        // Allocations fail as errors before the driver, or the system, is out of memory.
        memory_budget_thresholds: wgpu::MemoryBudgetThresholds {
            for_resource_creation: Some(95),
            for_device_loss: None,
        },
        // `WGPU_BACKEND` and its like work as in every wgpu program.
        ..wgpu::InstanceDescriptor::new_without_display_handle_from_env()
    })
}

/// The features of an adapter that are of use, but for matrix units, and its limits.
fn offered(adapter: &wgpu::Adapter) -> (wgpu::Features, wgpu::Limits) {
    let shared = host_memory::feature(AdapterInfo::from(&adapter.get_info()).kind);
    (adapter.features() & (FEATURES | shared), adapter.limits())
}

fn descriptor(adapter: &wgpu::Adapter, limits: LimitsChoice, cooperative: bool) -> wgpu::DeviceDescriptor<'static> {
    let (required_features, required_limits) = match limits {
        LimitsChoice::Adapter => {
            let matrices = if cooperative { Cooperative::FEATURES } else { wgpu::Features::empty() };
            let (features, limits) = offered(adapter);
            (features | matrices, limits)
        }
        LimitsChoice::WebGpu => (adapter.features() & wgpu::Features::TIMESTAMP_QUERY, wgpu::Limits::defaults()),
    };
    wgpu::DeviceDescriptor {
        label: Some("switchback"),
        required_features,
        required_limits,
        // Tensors are few and large: big shared blocks would hold memory and save nothing.
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        experimental_features: if cooperative {
            trusted::experimental()
        } else {
            wgpu::ExperimentalFeatures::disabled()
        },
        ..Default::default()
    }
}
