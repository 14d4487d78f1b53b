//! What a device can do, as plain numbers, so that kernels can be planned and tested without one.

use super::Cooperative;

/// Limits and features that planning depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Caps {
    /// Largest storage binding, in bytes.
    pub max_binding_bytes: u64,
    /// Largest buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// Workgroups along each dimension of a dispatch.
    pub max_workgroups: u32,
    /// Invocations of a workgroup.
    pub max_invocations: u32,
    /// Workgroup memory, in bytes.
    pub max_workgroup_bytes: u32,
    /// Loop iterations of an invocation, all loops counted together. The software driver llvmpipe ends loops after
    /// 65,535 of them without a word (`LP_MAX_TGSI_LOOP_ITERATIONS`; seen in Mesa 22.3, gone in 26.1).
    pub max_iterations: u32,
    /// Required alignment of a storage binding's offset, in bytes.
    pub storage_alignment: u32,
    /// Whether `atomic<f32>` can be added to (`SHADER_FLOAT32_ATOMIC`).
    pub float_atomics: bool,
    /// Whether shaders may `enable f16` (`SHADER_F16`).
    pub f16: bool,
    /// Whether shaders may use integers of 64 bits (`SHADER_INT64`), two words of memory to a load.
    pub int64: bool,
    /// Invocations of every subgroup, where all have one size and a shader may ask which it is in (`SUBGROUP`).
    pub subgroup: Option<u32>,
    /// Whether a word of workgroup memory that all invocations read alike is read once for all. llvmpipe of Mesa 22.3
    /// reads it once for each (seen: products that share cells run at a third of the speed), that of 26.1 does not;
    /// versions between are taken for the former.
    pub uniform_loads: bool,
    /// What it costs a CPU driver that the invocations of a subgroup read words that lie apart.
    pub gathers: Gathers,
    /// The products of small matrices that a subgroup computes at once (`EXPERIMENTAL_COOPERATIVE_MATRIX`). An application's
    /// own device has none here, because it does not say which.
    pub cooperative: Option<Cooperative>,
    /// Whether the adapter is a CPU pretending to be a GPU, which wants wide loads and no barriers.
    pub software: bool,
}

/// What reading words that lie apart, a *gather*, costs on the processor that a CPU driver runs on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Gathers {
    /// More than as many loads that all invocations do alike; or not known.
    Slow,
    /// Less than those, because the compiler takes a gather apart into loads: so on AMD's processors, of which Zen 3 was measured.
    Apart,
    /// As much as a few additions of vectors, by one instruction: so on Intel's servers since Sapphire Rapids, of which Emerald
    /// Rapids was measured. On older ones gathers are slowed down against an attack (GDS, "Downfall").
    Fast,
}

impl Gathers {
    /// In lower case, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Apart => "apart",
            Self::Fast => "fast",
        }
    }
}

impl Caps {
    /// What every WebGPU device guarantees: the limits that all of Switchback runs under.
    pub const WEBGPU: Self = Self {
        max_binding_bytes: 128 << 20,
        max_buffer_bytes: 256 << 20,
        max_workgroups: 65_535,
        max_invocations: 256,
        max_workgroup_bytes: 16 << 10,
        max_iterations: u32::MAX,
        storage_alignment: 256,
        float_atomics: false,
        f16: false,
        int64: false,
        subgroup: None,
        uniform_loads: true,
        gathers: Gathers::Slow,
        cooperative: None,
        software: false,
    };

    /// Whether kernels load two words at a time, as integers of 64 bits, where they have a form that does: on CPU
    /// drivers, where each load has a test of its bounds. On GPUs it has not been measured.
    pub(crate) fn loads_pairs(&self) -> bool {
        self.software && self.int64
    }

    /// Whether kernels may share cells between the subgroups of a workgroup (`shaders/common/lanes_8.wgsl`), where they
    /// have a form that does: on CPU drivers, which load them so in place of gathers.
    pub(crate) fn shares_cells(&self) -> bool {
        self.loads_pairs() && self.uniform_loads && self.subgroup == Some(8)
    }

    /// Whether kernels gather cells and weights by words, eight weights at a time that lanes hand each other, where they have a form
    /// that does (`shaders/conv2d/rows_gathered.wgsl`).
    pub(crate) fn gathers_rows(&self) -> bool {
        self.software && self.gathers == Gathers::Fast && self.subgroup == Some(8)
    }
}
