//! `--adapter`: which device computes, or the reference where there is none.

use std::path::PathBuf;

use switchback::gpu::{ADAPTER_VARIABLE, Elements, Gpu, GpuBuilder};
use switchback::graph::{GpuWeights, Inputs, Outputs, Session, interpret_with};
use switchback::weights::Weights;
use switchback::{Error, Graph};

use crate::Result;
use crate::cache;
use crate::console::{self, Progress};

/// Which device computes.
#[derive(clap::Args)]
pub(crate) struct AdapterArgs {
    /// Which device computes: `auto` (the best adapter, or the reference where there is none), `gpu` (the best that is not
    /// software), `software` (a driver that runs shaders on the processor), `cpu` (the reference implementation, without
    /// any adapter: exact and slow), or part of an adapter's name as `switchback info` shows it. Where several fit, the best is
    /// taken, of equals the first; `NAME#2` is the second of that name, `gpu#2` the second that is not software, and `'#2'`
    /// (in quotes, or shells take it for a comment) the second of all, counted as `switchback info` does [default: what
    /// SWITCHBACK_ADAPTER says, or else `auto`]
    // Not clap's `env`: a variable of the environment would be refused beside options that exclude `--adapter`.
    #[arg(long = "adapter", value_name = "auto|gpu|software|cpu|NAME|#N", global = true)]
    choice: Option<String>,
    /// Do not keep compiled pipelines in the user's cache folder for the next start (SWITCHBACK_CACHE names another
    /// folder, or says `off`)
    #[arg(long, global = true)]
    no_cache: bool,
    /// Take the kernel variants that `switchback tune` measured on this device, in f32
    #[arg(long, value_name = "FILE", global = true)]
    tuning: Option<PathBuf>,
    /// Numbers in which weights and activations are kept: `f32`, or `f16` with sums in f32 (half the memory; matrix units
    /// where a GPU has them)
    #[arg(long, value_name = "f32|f16", default_value_t = Elements::f32(), global = true)]
    element: Elements,
    /// With `--element f16`: nodes and weights to keep in f32
    #[arg(long, value_name = "NAME", value_delimiter = ',', global = true)]
    keep_f32: Vec<String>,
}

/// What runs graphs.
pub(crate) enum Engine {
    Gpu(Gpu),
    /// `switchback::reference`, on the CPU.
    Reference,
}

impl AdapterArgs {
    /// The device that was asked for; `auto` takes the reference where there is no adapter, and says so.
    pub(crate) fn open(&self) -> Result<Engine> {
        let elements = self.elements()?;
        match self.choice().as_str() {
            "cpu" if elements.is_half() => {
                Err("--element f16 needs a GPU adapter: the reference computes in f64 and keeps f32".into())
            }
            "cpu" if self.tuning.is_some() => {
                Err("--tuning is for the kernels of a GPU adapter, and `--adapter cpu` is none; leave one of them out"
                    .into())
            }
            "cpu" => Ok(Engine::Reference),
            "auto" => match self.builder().build() {
                Ok(gpu) => Ok(Engine::Gpu(gpu.with_elements(elements))),
                Err(Error::NoAdapter { .. }) if !elements.is_half() => {
                    console::notice("no GPU adapter, so the reference computes on the CPU: exact, but slow");
                    if self.tuning.is_some() {
                        console::notice("--tuning is ignored: it is for the kernels of a GPU adapter");
                    }
                    Ok(Engine::Reference)
                }
                Err(error) => Err(error.into()),
            },
            _ => match self.builder().build() {
                Ok(gpu) => Ok(Engine::Gpu(gpu.with_elements(elements))),
                Err(error @ Error::NoAdapter { .. }) => Err(format!("{error}; or take `--adapter cpu`").into()),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// The GPU that was asked for.
    pub(crate) fn open_gpu(&self, what: &str) -> Result<Gpu> {
        let elements = self.elements()?;
        match self.choice().as_str() {
            "cpu" => {
                Err(format!("{what} needs a GPU adapter, and `--adapter cpu` is none; see `switchback info`").into())
            }
            _ => Ok(self.builder().build()?.with_elements(elements)),
        }
    }

    /// What weights and activations are to be kept in; refuses options that this leaves without effect.
    pub(crate) fn elements(&self) -> Result<Elements> {
        let elements = self.keep_f32.iter().fold(self.element.clone(), |elements, name| elements.keep_f32(name));
        if !elements.is_half() && elements != Elements::f32() {
            return Err("--keep-f32 names what `--element f16` is to leave in f32; without that all of it is".into());
        }
        if elements.is_half() && self.tuning.is_some() {
            return Err("--tuning is for kernels in f32, and the element is f16; leave one of the two out".into());
        }
        Ok(elements)
    }

    /// Whether there are measured variants to take.
    pub(crate) fn is_tuned(&self) -> bool {
        self.tuning.is_some()
    }

    /// What was asked for, by argument or else by the environment: `auto`, `cpu`, or a device.
    fn choice(&self) -> String {
        let of_environment = || std::env::var_os(ADAPTER_VARIABLE).map(|value| value.to_string_lossy().into_owned());
        let choice = self.choice.clone().or_else(of_environment).unwrap_or_default();
        match choice.trim().to_lowercase().as_str() {
            "" | "auto" => "auto".to_owned(),
            "cpu" => "cpu".to_owned(),
            _ => choice,
        }
    }

    fn builder(&self) -> GpuBuilder {
        let builder = Gpu::builder().adapter(self.choice());
        let builder = match cache::folder().filter(|_| !self.no_cache) {
            Some(folder) => builder.pipeline_cache(folder),
            None => builder,
        };
        match &self.tuning {
            Some(file) => builder.tuning(file),
            None => builder,
        }
    }
}

impl Engine {
    /// What computes, for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Gpu(gpu) => gpu.info().to_string(),
            Self::Reference => "the reference on the CPU".to_owned(),
        }
    }

    /// The same for graphs with these weights.
    pub(crate) fn with<'a>(&self, weights: &'a Weights) -> Loaded<'a> {
        match self {
            Self::Gpu(gpu) => Loaded::Gpu(Box::new(gpu.weights(weights))),
            Self::Reference => Loaded::Reference(weights),
        }
    }
}

/// What runs graphs of one network.
pub(crate) enum Loaded<'a> {
    Gpu(Box<GpuWeights>),
    Reference(&'a Weights),
}

impl<'a> Loaded<'a> {
    /// Makes a graph ready to run: by weights that are on the device already, where the graph before reads the same.
    pub(crate) fn prepare(&mut self, graph: Graph) -> Result<Prepared<'a>> {
        Ok(match self {
            Self::Gpu(weights) => Prepared::Session(Box::new(weights.compile(&graph)?)),
            Self::Reference(weights) => Prepared::Reference(Box::new(graph), weights),
        })
    }
}

/// A graph that is ready to run.
pub(crate) enum Prepared<'a> {
    Session(Box<Session>),
    Reference(Box<Graph>, &'a Weights),
}

impl Prepared<'_> {
    /// Runs it once.
    pub(crate) fn run<'i>(&mut self, inputs: impl Into<Inputs<'i>>, progress: &Progress) -> Result<Outputs> {
        Ok(match self {
            Self::Session(session) => session.run(inputs)?,
            Self::Reference(graph, weights) => {
                interpret_with(graph, weights, inputs, |node, _| progress.doing(format_args!("{} done", node.name())))?
            }
        })
    }
}
