//! What the device can do at best, to measure kernels against: bytes a second by a copy, multiply-adds a second by
//! independent chains of them, and by matrix units where the device has them.

mod matrices;

use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuBuffer, Kernel, Operand, Part, Step, Timer, fold_workgroups};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, VECTORS, VECTORS_U64, WORKGROUP, params, part};

const OP: &str = "ceiling";

static COPY_MAIN: Part = part!("ceiling/copy.wgsl");

static COPY: Kernel = Kernel {
    name: "ceiling/copy",
    parts: &[&INDEX, &VECTORS, &COPY_MAIN],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// The same by integers of 64 bits.
static COPY_U64: Kernel = Kernel { name: "ceiling/copy_u64", parts: &[&INDEX, &VECTORS_U64, &COPY_MAIN], ..COPY };

static FMA: Kernel = Kernel {
    name: "ceiling/fma",
    parts: &[&INDEX, &part!("ceiling/fma.wgsl")],
    bindings: &[Access::Uniform, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&COPY, &COPY_U64, &FMA, &matrices::MATRICES_8, &matrices::MATRICES_16];

params! {
    /// Uniforms of `ceiling/copy`; the shader says what they mean.
    struct CopyParams {
        blocks: u32,
    }
}

params! {
    /// Uniforms of `ceiling/fma`; the shader says what they mean.
    struct FmaParams {
        elements: u32,
        rounds: u32,
        factor: f32,
        term: f32,
    }
}

/// Blocks that an invocation of `ceiling/copy` moves, and invocations of a workgroup: each is tried, the fastest
/// counts. The last is a CPU driver's lanes, whose workgroups cost much.
const COPY_SHAPES: [[usize; 2]; 3] = [[1, 64], [8, 64], [32, 8]];

/// 4-byte words that are copied: more than caches hold, and half of what every device can bind.
const COPY_WORDS: usize = 16 << 20;

/// Invocations of `ceiling/fma`: enough for every lane of a large device.
const FMA_ELEMENTS: usize = 1 << 18;

/// Multiply-adds that a round of an invocation of `ceiling/fma` does.
const FMAS_A_ROUND: usize = 12 * 8;

/// Rounds at first, and the most that keep every sum exact.
const ROUNDS: std::ops::RangeInclusive<u32> = 1..=8192;

/// Seconds that the multiply-adds must take for the time to mean something.
const LONG_ENOUGH: f64 = 0.01;

/// Times each is measured; the best counts.
const REPETITIONS: usize = 5;

/// Times each copy is measured at first, the second of which finds the device awake; and how many times the fastest's time
/// the others may have taken then to be measured on. A software driver takes seconds for all of them.
const TRIES: usize = 2;
const PROMISING: f64 = 1.5;

/// Copies in a row of a timed pass on a GPU: of one's 39 us on an H200 some 4 are the pass's beginning and end. On a software driver
/// a copy takes milliseconds.
const COPIES: u32 = 8;

/// The best rates that plain kernels reach on a device, measured by [`Gpu::ceilings`].
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Ceilings {
    /// Bytes a second, reads and writes together, of a copy of 64 MiB.
    pub bytes_per_s: f64,
    /// Floating-point operations a second, two a multiply-add, of independent f32 multiply-adds.
    pub flops_per_s: f64,
    /// The same of products of f16 matrices added up in f32, where the device has matrix units that passed their trial.
    pub matrix_flops_per_s: Option<f64>,
    /// What the times were measured with.
    pub timer: Timer,
}

impl Ceilings {
    /// The least seconds in which so much work can be done by plain kernels: the longer of moving and computing.
    #[must_use]
    pub fn seconds(&self, bytes: f64, flops: f64) -> f64 {
        (bytes / self.bytes_per_s).max(flops / self.flops_per_s)
    }

    /// The least seconds in which matrix units do so many operations; plain kernels where there are none.
    #[must_use]
    pub fn matrix_seconds(&self, flops: f64) -> f64 {
        flops / self.matrix_flops_per_s.unwrap_or(self.flops_per_s)
    }
}

impl Gpu {
    /// Measures a copy kernel, a multiply-add kernel and the matrix units, after checking what they compute.
    ///
    /// # Errors
    /// [`Error::Gpu`] if a kernel computes something else; the device's faults; in browsers without GPU timestamps
    /// [`Error::Unsupported`].
    pub async fn ceilings_async(&self) -> Result<Ceilings> {
        let copied = self.copy_seconds().await?;
        let (flops, computed) = self.fma_seconds().await?;
        Ok(Ceilings {
            bytes_per_s: 8.0 * COPY_WORDS as f64 / copied,
            flops_per_s: flops / computed,
            matrix_flops_per_s: self.matrix_flops_per_s().await?,
            timer: self.timer(),
        })
    }

    /// As [`Gpu::ceilings_async`], blocking.
    ///
    /// # Errors
    /// As [`Gpu::ceilings_async`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn ceilings(&self) -> Result<Ceilings> {
        pollster::block_on(self.ceilings_async())
    }

    async fn copy_seconds(&self) -> Result<f64> {
        // Odd multiples of a large odd number: no two words in a row are alike.
        let source: Vec<u32> = (0..COPY_WORDS as u32).map(|i| (2 * i + 1).wrapping_mul(0x9E37_79B9)).collect();
        let (x, y) = (self.allocate(OP, COPY_WORDS as u64)?, self.allocate(OP, COPY_WORDS as u64)?);
        self.write(OP, &x, bytemuck::cast_slice(&source))?;
        let blank = vec![0; 4 * COPY_WORDS];
        let copies = if self.caps().software { 1 } else { COPIES };
        let kernels = [&COPY].into_iter().chain(self.caps().int64.then_some(&COPY_U64));
        let mut tried = Vec::new();
        for (kernel, shape) in kernels.flat_map(|kernel| COPY_SHAPES.map(|shape| (kernel, shape))) {
            self.write(OP, &y, &blank)?;
            let step = copy_step(kernel, COPY_WORDS, shape, self.caps())?;
            tried.push((self.best_seconds(&step, TRIES, copies, &[&x], &y).await?, step));
            if self.read::<u32>(OP, &y, COPY_WORDS).await? != source {
                return Err(wrong(kernel));
            }
        }
        let mut best = tried.iter().map(|(seconds, _)| *seconds).fold(f64::INFINITY, f64::min);
        let near = PROMISING * best;
        for (_, step) in tried.iter().filter(|(seconds, _)| *seconds <= near) {
            best = best.min(self.best_seconds(step, REPETITIONS - TRIES, copies, &[&x], &y).await?);
        }
        Ok(best)
    }

    /// Operations, and how long they took.
    async fn fma_seconds(&self) -> Result<(f64, f64)> {
        let y = self.allocate(OP, FMA_ELEMENTS as u64)?;
        let mut rounds = *ROUNDS.start();
        loop {
            let seconds =
                self.best_seconds(&fma_step(FMA_ELEMENTS, rounds, self.caps())?, REPETITIONS, 1, &[], &y).await?;
            let computed = self.read::<f32>(OP, &y, FMA_ELEMENTS).await?;
            if computed.iter().enumerate().any(|(i, &value)| value != fma_answer(rounds, i)) {
                return Err(wrong(&FMA));
            }
            if seconds >= LONG_ENOUGH || rounds >= *ROUNDS.end() {
                let fmas = FMA_ELEMENTS as f64 * f64::from(rounds) * FMAS_A_ROUND as f64;
                return Ok((2.0 * fmas, seconds));
            }
            rounds = (rounds * 4).min(*ROUNDS.end());
        }
    }

    /// The shortest time of a step in so many passes of `runs` in a row; at least a nanosecond, so that rates are finite.
    async fn best_seconds(
        &self,
        step: &Step,
        passes: usize,
        runs: u32,
        inputs: &[&GpuBuffer],
        output: &GpuBuffer,
    ) -> Result<f64> {
        let resolve = |operand: &Operand| match operand.buffer {
            Buffer::Input(i) => Ok(inputs[i].whole()),
            _ => Ok(output.whole()),
        };
        let step = [self.prepare_step(OP, step, resolve)?];
        let passes = vec![step.as_slice(); passes];
        let times = self.measure(OP, &passes, runs).await?;
        let best = times.passes.iter().min().map_or(f64::INFINITY, std::time::Duration::as_secs_f64);
        Ok((best / f64::from(runs)).max(1e-9))
    }
}

fn wrong(kernel: &Kernel) -> Error {
    Error::Gpu { what: kernel.name.to_owned(), message: "it computed something else than it should".to_owned() }
}

fn copy_step(kernel: &'static Kernel, words: usize, [run, lanes]: [usize; 2], caps: &Caps) -> Result<Step> {
    let blocks = words / 4;
    Ok(Step {
        kernel,
        constants: vec![("RUN", run as f64), ("WORKGROUP", lanes as f64)],
        params: bytemuck::bytes_of(&CopyParams { blocks: blocks as u32 }).to_vec(),
        operands: vec![Buffer::Input(0).into(), Buffer::Output(0).into()],
        workgroups: fold_workgroups(blocks.div_ceil(run * lanes) as u64, caps)?,
    })
}

fn fma_step(elements: usize, rounds: u32, caps: &Caps) -> Result<Step> {
    let params = FmaParams { elements: elements as u32, rounds, factor: 1.0, term: 1.0 };
    flat_step(&FMA, &[], &params, &[Buffer::Output(0)], elements, caps)
}

/// Twelve numbers, 0 to 11 and the invocation's own at first, each counted up by one eight times a round: exact in f32.
fn fma_answer(rounds: u32, element: usize) -> f32 {
    (12 * (8 * rounds + element as u32 % WORKGROUP) + 66) as f32
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    use crate::gpu::KernelPlan;
    let (params, products) = matrices::exhibit();
    let copies = [&COPY, &COPY_U64].map(|kernel| copy_step(kernel, 64, [8, 64], &Caps::WEBGPU));
    let steps = copies.into_iter().chain([fma_step(64, 3, &Caps::WEBGPU)]).chain(products);
    let plan = |step: Result<Step>| Ok(KernelPlan { run: vec![step?], ..KernelPlan::default() });
    let own = vec![(&COPY, CopyParams::FIELDS), (&COPY_U64, CopyParams::FIELDS), (&FMA, FmaParams::FIELDS)];
    crate::kernel::checks::Exhibit { params: [own, params].concat(), plans: steps.map(plan).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_of_moving_and_computing_bounds_the_time() {
        let (bytes_per_s, flops_per_s, timer) = (10.0, 100.0, Timer::WallClock);
        let ceilings = Ceilings { bytes_per_s, flops_per_s, matrix_flops_per_s: Some(1000.0), timer };
        assert_eq!(ceilings.seconds(20.0, 100.0), 2.0);
        assert_eq!(ceilings.seconds(1.0, 500.0), 5.0);
        assert_eq!(ceilings.matrix_seconds(500.0), 0.5);
        assert_eq!(Ceilings { matrix_flops_per_s: None, ..ceilings }.matrix_seconds(500.0), 5.0);
    }

    #[test]
    fn sums_stay_exact_for_all_rounds() {
        let largest = *ROUNDS.end();
        assert!(12 * (8 * largest + WORKGROUP) + 66 < 1 << 24);
        assert_ne!(fma_answer(largest, 63), fma_answer(largest - 1, 63));
        assert_ne!(fma_answer(1, 0), fma_answer(1, 1));
    }
}
