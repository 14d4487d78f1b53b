//! The trial of a device's matrix units, before an operator uses them.

use super::division::{Division, Work};
use super::{divided, unsupported};
use crate::error::Result;
use crate::gpu::{Caps, Gpu, KernelPlan};
use crate::kernel::conv2d::{self, OP, Operands, Problem, Variant};
use crate::op::Conv2d;
use crate::tensor::Tensor;

impl Gpu {
    /// Tries the matrix units, once a device, before an operator uses them: integers have to come out as from
    /// [`Variant::Tiled`], several times in a row. Drivers are known that lose or double terms. The kernels of both operators
    /// multiply by the same code.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if they do not; the device's faults.
    pub(crate) async fn check_cooperative(&self, op: &'static str) -> Result<()> {
        let works = match self.shared.cooperative_works.get() {
            Some(&works) => works,
            None => {
                let works = self.try_cooperative().await?;
                *self.shared.cooperative_works.get_or_init(|| works)
            }
        };
        if works {
            return Ok(());
        }
        Err(unsupported(op, format!("the matrix units of {} computed something else than plain kernels", self.info())))
    }

    async fn try_cooperative(&self) -> Result<bool> {
        self.try_kernels_of(|plan| plan).await
    }

    /// Whether `Cooperative`, as `planted` leaves its plans, agrees with `Tiled`: with four rows of cells a subgroup and with two, as
    /// far as the device's workgroups hold them.
    async fn try_kernels_of(&self, planted: impl Fn(KernelPlan) -> KernelPlan) -> Result<bool> {
        const RUNS: usize = 3;
        // More channels and cells than a tile has, and no multiple of one.
        let op = Conv2d::new([3, 3]).pad(1).relu();
        let integers = |shape: [usize; 4], factor: usize| {
            Tensor::from_fn(shape, |[n, c, y, x]| ((factor * (n + 3 * c + 5 * y) + 7 * x) % 17) as f32 - 8.0)
        };
        let (x, w, b) = (integers([1, 37, 12, 13], 11)?, integers([150, 37, 3, 3], 13)?, integers([1, 150, 1, 1], 5)?);
        let (input, weight) = (x.shape(), w.shape());
        let output = op.output_shape(input, weight, Some(b.shape()))?;
        let operands = [self.upload(&x)?, self.upload(&w)?, self.upload(&b)?];
        let tiled = conv2d::plan(&op, input, weight, Some(b.shape()), Some(Variant::Tiled), self.caps())?;
        let expected = self.download_async(&self.compute(OP, &tiled, &operands.each_ref(), output)?).await?;
        for plan in of_each_kind(&Problem { op: &op, input, weight, output }, self.caps())? {
            let plan = planted(plan);
            for _ in 0..RUNS {
                let y = self.compute(OP, &plan, &operands.each_ref(), output)?;
                if self.download_async(&y).await? != expected {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// A plan by the first division of those with as many rows of cells a subgroup, which differ in what the kernel has written out.
fn of_each_kind(problem: &Problem<'_>, caps: &Caps) -> Result<Vec<KernelPlan>> {
    let work = Work::of(problem, true);
    let cooperative = caps.cooperative.into_iter();
    let all: Vec<_> = cooperative.flat_map(|cooperative| Division::all(cooperative, &work, caps)).collect();
    let first = |matrices: u64| all.iter().find(|division| division.matrices == matrices);
    let kinds = [4, 2].into_iter().filter_map(first);
    kinds.map(|division| divided(division, &work, problem, Operands::with_bias(true), caps)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use crate::common::adapter;
    use crate::gpu::{Elements, Kernel, Part};
    use crate::graph::Graph;
    use crate::kernel::conv_transpose2d;
    use crate::op::ConvTranspose2d;
    use crate::weights::Weights;

    /// A device of its own whose matrix units are used as on a GPU, where they are asked about; `None` if it has none.
    fn matrices() -> Option<Gpu> {
        let mut gpu = adapter::open(Gpu::builder())?;
        if gpu.caps().cooperative.is_none() {
            let required = std::env::var("SWITCHBACK_REQUIRE_COOPERATIVE").is_ok_and(|value| value == "1");
            assert!(!required, "{} has no matrix units, which SWITCHBACK_REQUIRE_COOPERATIVE promises", gpu.info());
            eprintln!("SKIPPED: {} has no matrix units", gpu.info());
            return None;
        }
        std::sync::Arc::get_mut(&mut gpu.shared).unwrap().caps.software = false;
        Some(gpu)
    }

    /// The plan with a kernel that differs in one place.
    fn faulty(mut plan: KernelPlan, right: &str, wrong: &str) -> KernelPlan {
        for step in plan.run.iter_mut().filter(|step| step.kernel.name.starts_with("conv2d/cooperative")) {
            let source = step.kernel.source();
            assert!(source.contains(right), "{right}");
            let source: &'static str = String::leak(source.replace(right, wrong));
            let part: &'static Part = Box::leak(Box::new(Part { path: "planted.wgsl", source }));
            let kernel = Kernel { name: "planted", parts: Box::leak(Box::new([part])), ..*step.kernel };
            step.kernel = Box::leak(Box::new(kernel));
        }
        plan
    }

    /// Variants by which a graph of both operators would run in f16.
    fn chosen(gpu: &Gpu) -> [String; 2] {
        let mut g = Graph::builder();
        let x = g.input("x", [1, 3, 6, 7]).unwrap();
        let x = g.conv2d("first", x, Conv2d::new([3, 3]), 8).unwrap();
        let y = g.conv2d("conv", x, Conv2d::new([3, 3]), 8).unwrap();
        let y = g.conv_transpose2d("up", y, ConvTranspose2d::new([4, 4]).stride([2, 2]), 8).unwrap();
        g.output(y).unwrap();
        let graph = g.build().unwrap();
        let weights = Weights::random(graph.weights_required(), 1).unwrap();
        let session = gpu.with_elements(Elements::f16()).compile(&graph, &weights).unwrap();
        ["conv", "up"].map(|name| session.plan().node(name).unwrap().variant().to_owned())
    }

    #[test]
    fn units_that_pass_their_trial_are_used() {
        let Some(gpu) = matrices() else { return };
        assert!(pollster::block_on(gpu.try_cooperative()).unwrap());
        assert_eq!(chosen(&gpu), ["cooperative", "cooperative"]);
    }

    /// Where there is no memory for two stages, one is multiplied and then overwritten; where there is none for a patch of all taps,
    /// each tap has its own.
    #[test]
    fn what_memory_holds_changes_no_sums() {
        for (kib, own, value) in [(8, "TAP_ROWS", 1.0), (16, "BUFFERS", 1.0), (32, "BUFFERS", 2.0)] {
            let Some(mut gpu) = matrices() else { return };
            std::sync::Arc::get_mut(&mut gpu.shared).unwrap().caps.max_workgroup_bytes = kib << 10;
            let seen = std::cell::Cell::new(false);
            let checked = |plan: KernelPlan| {
                let has = |step: &crate::gpu::Step| step.constants.contains(&(own, value));
                seen.set(seen.get() || plan.run.iter().any(has));
                plan
            };
            assert!(pollster::block_on(gpu.try_kernels_of(checked)).unwrap(), "{kib} KiB");
            assert!(seen.get() || gpu.caps().cooperative.unwrap().tile == 16, "{kib} KiB");
        }
    }

    /// Drivers that lose a term, double one, or add to another sum.
    #[test]
    fn units_with_wrong_sums_are_seen_and_not_used() {
        for (right, wrong) in [
            ("s00 = coopMultiplyAdd(left0, right0, s00);", ""),
            (
                "s13 = coopMultiplyAdd(left1, right3, s13);",
                "s13 = coopMultiplyAdd(left1, right3, coopMultiplyAdd(left1, right3, s13));",
            ),
            ("s01 = coopMultiplyAdd(left0, right1, s01);", "s01 = coopMultiplyAdd(left0, right1, s00);"),
        ] {
            let Some(gpu) = matrices() else { return };
            let works = pollster::block_on(gpu.try_kernels_of(|plan| faulty(plan, right, wrong))).unwrap();
            assert!(!works, "{wrong}");
            // What the trial says stands for the device.
            gpu.shared.cooperative_works.set(works).unwrap();
            assert_eq!(chosen(&gpu), ["staged", "phased"]);
            let (x, w) = (Tensor::full([1, 2, 5, 5], 1.0).unwrap(), Tensor::full([2, 2, 3, 3], 1.0).unwrap());
            let [x, w] = [x, w].map(|tensor| gpu.upload(&tensor).unwrap());
            let conv = gpu.with_variant(Variant::Cooperative).conv2d(&Conv2d::new([3, 3]), &x, &w, None);
            let up = gpu.with_variant(conv_transpose2d::Variant::Cooperative);
            let up = up.conv_transpose2d(&ConvTranspose2d::new([3, 3]), &x, &w, None);
            for (result, op) in [(conv, "conv2d"), (up, "conv_transpose2d")] {
                let error = result.map(|_| ()).unwrap_err();
                assert!(error.is_unsupported());
                let message = error.to_string();
                for part in [op, "variant cooperative", "something else than plain kernels", "ask for no variant"] {
                    assert!(message.contains(part), "{message}");
                }
            }
        }
    }
}
