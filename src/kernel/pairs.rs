//! Kernels that read two words at a time, or whose subgroups share what they read, give the numbers, bit for bit, of
//! those that do not: the same sums in the same order.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use std::io::Write;

use super::conv2d;
use crate::common::adapter;
use crate::gpu::{Caps, Gathers, Gpu, GpuTensor, KernelPlan};
use crate::op::Conv2d;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// The shared device, if it has integers of 64 bits, as a CPU driver that may read pairs, and as one that may not.
fn device() -> Option<(Gpu, Caps, Caps)> {
    let gpu = adapter::gpu()?;
    let caps = Caps { software: true, ..*gpu.caps() };
    if !caps.int64 {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        writeln!(std::io::stderr(), "SKIPPED {test}: {} has no SHADER_INT64", gpu.info()).ok();
        return None;
    }
    Some((gpu, Caps { subgroup: None, ..caps }, Caps { int64: false, ..caps }))
}

/// The shared device, if it is a CPU driver that `has` what is asked for; `SWITCHBACK_REQUIRE_SHARED_CELLS=1` promises that it is.
fn device_that(has: impl Fn(&Caps) -> bool, does: &str) -> Option<(Gpu, Caps)> {
    let promised = std::env::var("SWITCHBACK_REQUIRE_SHARED_CELLS").is_ok_and(|value| value == "1");
    let gpu = adapter::gpu()?;
    let caps = *gpu.caps();
    assert!(has(&caps) || !promised, "{}: it does not {does}, though promised", gpu.info());
    if !has(&caps) {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        writeln!(std::io::stderr(), "SKIPPED {test}: {} does not {does}", gpu.info()).ok();
        return None;
    }
    Some((gpu, caps))
}

/// One whose subgroups share cells, as one that reads them by either way, and as one whose subgroups do not.
fn sharing_device() -> Option<(Gpu, [Caps; 2], Caps)> {
    let (gpu, shares) = device_that(Caps::shares_cells, "share cells among subgroups of eight")?;
    let reads = [Gathers::Slow, Gathers::Apart].map(|gathers| Caps { gathers, ..shares });
    Some((gpu, reads, Caps { subgroup: None, ..shares }))
}

/// One with subgroups of eight, as one that gathers by them and shares nothing, and as one that does not.
fn gathering_device() -> Option<(Gpu, Caps, Caps)> {
    let of_eight = |caps: &Caps| caps.software && caps.subgroup == Some(8);
    let (gpu, caps) = device_that(of_eight, "have subgroups of eight")?;
    Some((gpu, Caps { gathers: Gathers::Fast, uniform_loads: false, ..caps }, Caps { subgroup: None, ..caps }))
}

/// Fractions, so that another order of a sum's terms would round to another result.
fn fractions(shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    Tensor::from_fn(shape, |index| ((shape.index(index) * 7 + 3) % 97) as f32 / 13.0 - 3.0).unwrap()
}

pub(super) fn run(gpu: &Gpu, plan: &KernelPlan, inputs: &[&Tensor], output: Shape) -> Vec<u32> {
    let inputs: Vec<GpuTensor> = inputs.iter().map(|tensor| gpu.upload(tensor).unwrap()).collect();
    let buffers: Vec<_> = inputs.iter().map(GpuTensor::buffer).collect();
    let result = gpu.allocate("result", output.elements() as u64).unwrap();
    gpu.execute("pairs", plan, &buffers, &[&result]).unwrap();
    gpu.download(&GpuTensor::new(output, result)).unwrap().data().iter().map(|value| value.to_bits()).collect()
}

fn reads_pairs(plan: &KernelPlan) -> bool {
    plan.run.iter().any(|step| step.kernel.has_int64())
}

#[test]
fn convolutions_are_the_same() {
    use conv2d::Variant::{Tiled, WinogradEight, WinogradF2, WinogradF4};
    let Some((gpu, pairs, words)) = device() else { return };
    let three = Conv2d::new([3, 3]).pad(1);
    for (variant, op, input, outputs) in [
        (WinogradF2, three.relu(), [2, 10, 9, 7], 37),
        (WinogradF4, three, [1, 21, 13, 42], 9),
        (WinogradF4, three.relu(), [1, 13, 14, 13], 40),
        (WinogradF4, three.groups(3), [1, 15, 8, 8], 6),
        (WinogradEight, Conv2d::new([5, 4]).pad(2), [1, 13, 30, 41], 40),
        (Tiled, three.relu(), [2, 10, 9, 7], 37),
        (Tiled, Conv2d::new([2, 5]).stride([2, 1]).groups(3), [1, 15, 8, 8], 18),
    ] {
        let (x, w) = (fractions(input), fractions(op.weight_shape(input[1], outputs).unwrap()));
        let b = fractions(Shape::vector(outputs));
        let output = op.output_shape(x.shape(), w.shape(), Some(b.shape())).unwrap();
        let plan = |caps| conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), Some(variant), caps).unwrap();
        let plans = [plan(&pairs), plan(&words)];
        assert_eq!(plans.each_ref().map(reads_pairs), [true, false], "{}", variant.name());
        let [one, other] = plans.map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
        assert!(one == other, "{} of {op:?}", variant.name());
    }
}

/// Products of minimal filtering whose operands GPUs stage in workgroup memory.
#[test]
fn staged_products_are_the_same() {
    use conv2d::Variant::{WinogradEight, WinogradF2, WinogradF4, WinogradPieces};
    let Some(gpu) = adapter::gpu() else { return };
    let [cpu, staging] = [true, false].map(|software| Caps { software, int64: false, subgroup: None, ..*gpu.caps() });
    let three = Conv2d::new([3, 3]).pad(1);
    // Workgroups of 64 and 128 rows and tiles that are filled and are not; channels of one stage, of a half, and no whole fours.
    for (variant, op, input, outputs) in [
        (WinogradF2, three.relu(), [2, 10, 17, 15], 70),
        (WinogradF4, three, [1, 3, 13, 42], 128),
        (WinogradF4, three.groups(2), [1, 26, 50, 45], 200),
        (WinogradPieces, Conv2d::new([7, 5]).pad(3), [2, 7, 40, 22], 64),
        (WinogradEight, Conv2d::new([5, 4]).pad(2), [1, 13, 60, 61], 129),
    ] {
        let (x, w) = (fractions(input), fractions(op.weight_shape(input[1], outputs).unwrap()));
        let b = fractions(Shape::vector(outputs));
        let output = op.output_shape(x.shape(), w.shape(), Some(b.shape())).unwrap();
        let plan = |caps| conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), Some(variant), caps).unwrap();
        let plans = [plan(&staging), plan(&cpu)];
        let staged = |plan: &KernelPlan| plan.run.iter().any(|step| step.kernel.name.contains("product_staged"));
        assert_eq!(plans.each_ref().map(staged), [true, false], "{} of {input:?}", variant.name());
        let [one, other] = plans.map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
        assert!(one == other, "{} of {op:?}", variant.name());
    }
}

fn shares_cells(plan: &KernelPlan) -> bool {
    plan.run.iter().any(|step| step.kernel.has_subgroups())
}

/// Convolutions by a variant, with subgroups that share cells and without.
fn are_the_same_if_shared(problems: &[(conv2d::Variant, Conv2d, [usize; 4], usize)]) {
    let Some((gpu, shares, pairs)) = sharing_device() else { return };
    for &(variant, op, input, outputs) in problems {
        let (x, w) = (fractions(input), fractions(op.weight_shape(input[1], outputs).unwrap()));
        let b = fractions(Shape::vector(outputs));
        let output = op.output_shape(x.shape(), w.shape(), Some(b.shape())).unwrap();
        let plan = |caps| conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), Some(variant), caps).unwrap();
        let plans = [plan(&shares[0]), plan(&shares[1]), plan(&pairs)];
        assert_eq!(plans.each_ref().map(shares_cells), [true, true, false], "{} of {input:?}", variant.name());
        let [one, two, other] = plans.map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
        assert!(one == two && two == other, "{} of {op:?}", variant.name());
    }
}

/// Blocks that fill workgroups and do not; tiles past a workgroup's; channels in one stage, in two, and no whole fours.
#[test]
fn minimal_filtering_whose_subgroups_share_is_the_same() {
    use conv2d::Variant::{WinogradEight, WinogradF2, WinogradF4};
    let three = Conv2d::new([3, 3]).pad(1);
    are_the_same_if_shared(&[
        (WinogradF2, three.relu(), [1, 10, 16, 15], 37),
        (WinogradF4, three, [2, 66, 33, 42], 70),
        (WinogradF4, three, [1, 13, 25, 33], 17 * 32 + 1),
        (WinogradEight, Conv2d::new([5, 4]).pad(2), [1, 128, 30, 41], 130),
        (WinogradEight, Conv2d::new([7, 7]), [1, 5, 22, 22], 4 * 32),
    ]);
}

/// The same, and blocks of 64 rows, of which the last one has one, and 40.
#[test]
fn implicit_products_whose_subgroups_share_are_the_same() {
    use conv2d::Variant::Tiled;
    let one = Conv2d::new([1, 1]);
    are_the_same_if_shared(&[
        (Tiled, one, [2, 66, 13, 5], 128),
        (Tiled, one.relu(), [1, 300, 8, 8], 17 * 32 + 1),
        (Tiled, Conv2d::new([3, 2]).pad(2).stride([2, 1]).dilation([1, 2]), [1, 33, 21, 15], 5 * 32 - 3),
        (Tiled, one.relu(), [2, 70, 15, 17], 16 * 64 + 1),
        (Tiled, Conv2d::new([2, 1]).pad(1), [1, 33, 30, 33], 16 * 64 - 24),
    ]);
}

fn gathers_rows(plan: &KernelPlan) -> bool {
    plan.run.iter().any(|step| step.kernel.name.ends_with("_gathered"))
}

/// Products whose cells and weights are gathered: in minimal filtering two tiles an invocation and eight, one workgroup's and more, in
/// several groups; implicitly with borders, strides and dilations, blocks of 8 to 32 rows, channels and cells that fill nothing, and
/// sums that the plain form cuts.
#[test]
fn products_by_gathers_are_the_same() {
    use conv2d::Variant::{Tiled, WinogradEight, WinogradF2, WinogradF4};
    let Some((gpu, gathers, loads)) = gathering_device() else { return };
    let (one, three) = (Conv2d::new([1, 1]), Conv2d::new([3, 3]).pad(1));
    for (variant, op, input, outputs) in [
        (WinogradF2, three.relu(), [1, 10, 16, 15], 37),
        (WinogradF4, three, [1, 13, 13, 14], 70),
        (WinogradF4, three.groups(3), [2, 30, 33, 42], 3 * 12),
        (WinogradEight, Conv2d::new([5, 4]).pad(2), [1, 12, 30, 41], 33),
        (Tiled, one, [2, 66, 13, 10], 128),
        (Tiled, one.relu(), [1, 5, 8, 8], 7),
        (Tiled, Conv2d::new([3, 2]).pad(2).stride([2, 1]).dilation([1, 2]), [1, 33, 21, 15], 5 * 32 - 3),
        (Tiled, Conv2d::new([2, 1]).pad(1).groups(5), [1, 35, 30, 33], 5 * 18),
        (Tiled, one, [1, 2100, 8, 8], 545),
    ] {
        // Whole numbers, which any order adds up exactly, where the plain form cuts a sum.
        let operand = |shape: Shape| {
            let whole = |index| ((shape.index(index) * 7 + 3) % 9) as f32 - 4.0;
            if input[1] > 2000 { Tensor::from_fn(shape, whole).unwrap() } else { fractions(shape) }
        };
        let (x, w) = (operand(input.into()), operand(op.weight_shape(input[1], outputs).unwrap()));
        let b = operand(Shape::vector(outputs));
        let output = op.output_shape(x.shape(), w.shape(), Some(b.shape())).unwrap();
        let plan = |caps| conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), Some(variant), caps).unwrap();
        let plans = [plan(&gathers), plan(&loads)];
        assert_eq!(plans.each_ref().map(gathers_rows), [true, false], "{} of {input:?}", variant.name());
        let [one, other] = plans.map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
        assert!(one == other, "{} of {op:?}", variant.name());
    }
}

/// Sums that the plain form alone cuts: of whole numbers, which any order adds up exactly.
#[test]
fn shared_sums_of_several_dispatches_are_the_same() {
    let Some((gpu, shares, pairs)) = sharing_device() else { return };
    let whole = |shape: Shape| Tensor::from_fn(shape, |index| ((shape.index(index) * 7 + 3) % 9) as f32 - 4.0).unwrap();
    let (op, input, weight) = (Conv2d::new([1, 1]), Shape::from([1, 2100, 8, 8]), Shape::from([545, 2100, 1, 1]));
    let (x, w, b) = (whole(input), whole(weight), whole(Shape::vector(545)));
    let output = op.output_shape(input, weight, Some(b.shape())).unwrap();
    let plan = |caps| conv2d::plan(&op, input, weight, Some(b.shape()), Some(conv2d::Variant::Tiled), caps).unwrap();
    let plans = [plan(&shares[0]), plan(&pairs)];
    assert_eq!(plans.each_ref().map(|plan| (shares_cells(plan), plan.run.len())), [(true, 1), (false, 2)]);
    let [one, other] = plans.map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
    assert!(one == other);
}

/// A plan on a GPU, and on a CPU driver without and with integers of 64 bits.
fn on_each<T>(plan: impl Fn(&Caps) -> T, pairs: &Caps, words: &Caps) -> [T; 3] {
    [plan(&Caps { software: false, ..*words }), plan(words), plan(pairs)]
}

/// What a plan leaves in buffers of so many words, from inputs as words.
pub(super) fn words_of(gpu: &Gpu, plan: &KernelPlan, inputs: &[&[u32]], outputs: &[u64]) -> Vec<Vec<u32>> {
    let filled = |words: &[u32]| {
        let buffer = gpu.allocate("operand", words.len() as u64).unwrap();
        gpu.write("operand", &buffer, bytemuck::cast_slice(words)).unwrap();
        buffer
    };
    let inputs: Vec<_> = inputs.iter().map(|words| filled(words)).collect();
    let results: Vec<_> = outputs.iter().map(|&words| filled(&vec![0xffff_ffff; words as usize])).collect();
    gpu.execute("pairs", plan, &inputs.iter().collect::<Vec<_>>(), &results.iter().collect::<Vec<_>>()).unwrap();
    let read = |(buffer, &words)| pollster::block_on(gpu.read::<u32>("result", buffer, words as usize)).unwrap();
    results.iter().zip(outputs).map(read).collect()
}

/// Words of a map, f32 or two f16, with NaNs and infinities of both signs, both zeros and many ties among them.
pub(super) fn awkward(words: u64) -> Vec<u32> {
    const BITS: [u32; 12] = [
        0x7fc0_7e00,
        0xffc0_fe00,
        0x7f80_7c00,
        0xff80_fc00,
        0x8000_8000,
        0,
        0x3f80_3c00,
        0xbf80_bc00,
        0x3f80_3c00,
        0xc000_c000,
        0x7c00_7f80,
        1,
    ];
    (0..words as usize).map(|i| BITS[(i * i + i / 7) % BITS.len()]).collect()
}

#[test]
fn poolings_and_unpoolings_are_the_same() {
    use crate::gpu::Storage;
    use crate::kernel::{max_pool2d, max_unpool2d};
    use crate::op::{MaxPool2d, MaxUnpool2d};
    let Some((gpu, pairs, words)) = device() else { return };
    // Perhaps with subgroups of eight, whose lanes share words of compact switches.
    let own = Caps { software: true, ..*gpu.caps() };
    let pool = MaxPool2d::new([2, 2]);
    // Rows of one pair, of a workgroup's eight and sixteen, and what is left of both; planes that no workgroup divides.
    for input in [[2, 3, 2, 4], [1, 5, 6, 32], [1, 2, 130, 64], [3, 1, 4, 76], [1, 3, 10, 1000]] {
        let input = Shape::from(input);
        let output = pool.output_shape(input).unwrap();
        for (maps, storage) in [Storage::Words, Storage::Halves]
            .into_iter()
            .flat_map(|maps| [(maps, Storage::Words), (maps, Storage::Compact)])
        {
            let variant = match storage {
                Storage::Compact => max_pool2d::Variant::CompactSwitches,
                _ => max_pool2d::Variant::Switches,
            };
            let pooling = |caps: &Caps| match maps {
                Storage::Halves => max_pool2d::plan_half(&pool, input, variant, caps).unwrap(),
                _ => max_pool2d::plan(&pool, input, variant, caps).unwrap(),
            };
            let x = awkward(maps.words(input));
            let plans = on_each(pooling, &pairs, &words);
            assert_eq!(plans.each_ref().map(reads_pairs), [false, false, true], "{input}, {maps:?}, {storage:?}");
            let sizes = [maps.words(output), storage.words(output)];
            let [first, second, third] = plans.map(|plan| words_of(&gpu, &plan, &[&x], &sizes));
            let fourth = words_of(&gpu, &pooling(&own), &[&x], &sizes);
            let same = first == second && second == third && third == fourth;
            assert!(same, "pooling of {input}, {maps:?}, {storage:?}");

            let source = max_unpool2d::Source { shape: output, origin: input.extent(), pool: &pool, storage };
            let unpooling = |caps: &Caps| match maps {
                Storage::Halves => max_unpool2d::plan_half(&MaxUnpool2d::new(), output, source, None, caps).unwrap(),
                _ => max_unpool2d::plan(&MaxUnpool2d::new(), output, source, None, caps).unwrap(),
            };
            let plans = on_each(unpooling, &pairs, &words);
            assert_eq!(plans.each_ref().map(reads_pairs), [false, false, true], "{input}, {maps:?}, {storage:?}");
            let operands: [&[u32]; 2] = [&first[0], &first[1]];
            let [one, two, three] = plans.map(|plan| words_of(&gpu, &plan, &operands, &[maps.words(input)]));
            assert!(one == two && two == three, "unpooling to {input}, {maps:?}, {storage:?}");
        }
    }
}

#[test]
fn transposed_convolutions_are_the_same() {
    use crate::kernel::conv_transpose2d::{self, Variant::Phased, Variant::SharedPhases};
    use crate::op::ConvTranspose2d;
    let Some((gpu, pairs, words)) = device() else { return };
    let up = |s: usize| ConvTranspose2d::new([2 * s, 2 * s]).stride([s, s]);
    for (variant, op, input, outputs) in [
        (Phased, up(2).relu(), [2, 10, 5, 7], 37),
        (Phased, ConvTranspose2d::new([3, 5]).stride([2, 3]).groups(3), [1, 15, 6, 4], 18),
        (SharedPhases, up(2).pad(1), [2, 10, 5, 7], 21),
        (SharedPhases, up(4).groups(3).relu(), [1, 15, 6, 4], 6),
    ] {
        let (x, w) = (fractions(input), fractions(op.weight_shape(input[1], outputs).unwrap()));
        let b = fractions(Shape::vector(outputs));
        let output = op.output_shape(x.shape(), w.shape(), Some(b.shape())).unwrap();
        let shapes = (x.shape(), w.shape(), Some(b.shape()));
        let plan = |caps| conv_transpose2d::plan(&op, shapes.0, shapes.1, shapes.2, Some(variant), caps).unwrap();
        let plans = [plan(&pairs), plan(&words)];
        assert_eq!(plans.each_ref().map(reads_pairs), [true, false], "{}", variant.name());
        let [one, other] = plans.map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
        assert!(one == other, "{} of {op:?}", variant.name());
    }
}

/// Windows and cells that fill workgroups and do not, borders, groups, taps that fall outside, labels.
#[test]
fn transposed_convolutions_by_gathers_are_the_same() {
    use crate::kernel::conv_transpose2d::{self, Variant::Phased, Variant::SharedPhases};
    use crate::op::ConvTranspose2d;
    let Some((gpu, gathers, loads)) = gathering_device() else { return };
    let up = |s: usize| ConvTranspose2d::new([2 * s, 2 * s]).stride([s, s]);
    for (variant, op, input, outputs) in [
        (Phased, up(2).relu(), [2, 10, 5, 7], 37),
        (Phased, ConvTranspose2d::new([3, 5]).stride([2, 3]).dilation([4, 2]).groups(3), [1, 15, 6, 4], 18),
        (SharedPhases, up(2).pad(1), [2, 10, 5, 7], 21),
        (SharedPhases, up(8), [1, 21, 10, 9], 21),
        (SharedPhases, up(4).groups(3).relu(), [1, 15, 6, 4], 6),
    ] {
        let (x, w) = (fractions(input), fractions(op.weight_shape(input[1], outputs).unwrap()));
        let b = fractions(Shape::vector(outputs));
        let shapes = (x.shape(), w.shape(), Some(b.shape()));
        let output = op.output_shape(shapes.0, shapes.1, shapes.2).unwrap();
        let plan = |caps| conv_transpose2d::plan(&op, shapes.0, shapes.1, shapes.2, Some(variant), caps).unwrap();
        let plans = [plan(&gathers), plan(&loads)];
        assert_eq!(plans.each_ref().map(gathers_rows), [true, false], "{op:?} of {input:?}");
        let [one, other] = plans.map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
        assert!(one == other, "{op:?} of {input:?}");
    }
    for (op, input) in [(up(2).pad(1), [2, 21, 16, 15]), (ConvTranspose2d::new([3, 3]).stride([2, 2]), [1, 30, 9, 9])] {
        let (x, w) = (fractions(input), fractions(op.weight_shape(input[1], input[1]).unwrap()));
        let b = fractions(Shape::vector(input[1]));
        let shapes = (x.shape(), w.shape(), Some(b.shape()));
        let pixels = op.output_shape(shapes.0, shapes.1, shapes.2).unwrap().with_channels(1).elements() as u64;
        let plan = |caps| conv_transpose2d::plan_classes(&op, shapes.0, shapes.1, shapes.2, false, caps).unwrap();
        let plans = [plan(&gathers), plan(&loads)];
        assert_eq!(plans.each_ref().map(gathers_rows), [true, false], "labels by {op:?} of {input:?}");
        let words = [&x, &w, &b].map(|tensor| tensor.data().iter().map(|value| value.to_bits()).collect::<Vec<_>>());
        let operands: Vec<&[u32]> = words.iter().map(Vec::as_slice).collect();
        let [one, other] = plans.map(|plan| words_of(&gpu, &plan, &operands, &[pixels.div_ceil(4)]));
        assert!(one == other, "labels by {op:?} of {input:?}");
    }
}

#[test]
fn transposed_convolutions_whose_subgroups_share_are_the_same() {
    use crate::kernel::conv_transpose2d::{self, Variant::SharedPhases};
    use crate::op::ConvTranspose2d;
    let Some((gpu, shares, pairs)) = sharing_device() else { return };
    let up = |s: usize| ConvTranspose2d::new([2 * s, 2 * s]).stride([s, s]);
    let cut = |top, bottom, left, right| crate::Padding { top, bottom, left, right };
    // Blocks of 16, 24 and 32 rows that fill workgroups and do not; channels in one stage, in two and in three; several
    // rows of windows in one invocation; borders that cut off windows, on one side and on both, and a size that adds
    // some.
    for (op, input, outputs) in [
        (up(8), [1, 21, 10, 9], 21),
        (up(2).relu(), [2, 33, 12, 13], 20),
        (up(2).pad(2), [2, 66, 10, 11], 16),
        (up(4).pad(cut(5, 2, 2, 4)), [1, 31, 9, 14], 6),
        (ConvTranspose2d::new([6, 4]).stride([3, 2]).output_padding([2, 1]), [1, 32, 40, 2], 12),
        (up(2), [1, 5, 8, 8], 102),
    ] {
        let (x, w) = (fractions(input), fractions(op.weight_shape(input[1], outputs).unwrap()));
        let b = fractions(Shape::vector(outputs));
        let shapes = (x.shape(), w.shape(), Some(b.shape()));
        let output = op.output_shape(shapes.0, shapes.1, shapes.2).unwrap();
        let plan = |caps| conv_transpose2d::plan(&op, shapes.0, shapes.1, shapes.2, Some(SharedPhases), caps).unwrap();
        let plans = [plan(&shares[0]), plan(&shares[1]), plan(&pairs)];
        assert_eq!(plans.each_ref().map(shares_cells), [true, true, false], "{op:?} of {input:?}");
        let [one, two, other] = plans.map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
        assert!(one == two && two == other, "{op:?} of {input:?}");
    }
    // Labels.
    for (op, input) in [(up(2).pad(1), [2, 21, 16, 15]), (up(4).relu(), [1, 30, 9, 9])] {
        let (x, w) = (fractions(input), fractions(op.weight_shape(input[1], input[1]).unwrap()));
        let b = fractions(Shape::vector(input[1]));
        let shapes = (x.shape(), w.shape(), Some(b.shape()));
        let pixels = op.output_shape(shapes.0, shapes.1, shapes.2).unwrap().with_channels(1).elements() as u64;
        let plan = |caps| conv_transpose2d::plan_classes(&op, shapes.0, shapes.1, shapes.2, false, caps).unwrap();
        let plans = [plan(&shares[0]), plan(&pairs)];
        assert_eq!(plans.each_ref().map(shares_cells), [true, false], "labels by {op:?} of {input:?}");
        let words = [&x, &w, &b].map(|tensor| tensor.data().iter().map(|value| value.to_bits()).collect::<Vec<_>>());
        let operands: Vec<&[u32]> = words.iter().map(Vec::as_slice).collect();
        let [one, other] = plans.map(|plan| words_of(&gpu, &plan, &operands, &[pixels.div_ceil(4)]));
        assert!(one == other, "labels by {op:?} of {input:?}");
    }
}

#[test]
fn interpolations_are_the_same() {
    use crate::gpu::Storage;
    use crate::kernel::conv_transpose2d::{self, Variant::Interpolate};
    use crate::op::ConvTranspose2d;
    let Some((gpu, pairs, words)) = device() else { return };
    let up = |s: usize| ConvTranspose2d::new([2 * s, 2 * s]).stride([s, s]);
    let cut = |top, bottom, left, right| crate::Padding { top, bottom, left, right };
    for (op, input) in [
        (up(2), [2, 3, 1, 1]),
        (up(8).relu(), [1, 5, 4, 7]),
        (up(4).pad(cut(5, 2, 2, 4)), [1, 2, 9, 6]),
        (ConvTranspose2d::new([6, 4]).stride([3, 2]).output_padding([1, 0]), [2, 1, 5, 11]),
    ] {
        let channels = input[1];
        let op = op.groups(channels);
        let (input, weight) = (Shape::from(input), op.weight_shape(channels, channels).unwrap());
        let bias = Some(Shape::vector(channels));
        let output = op.output_shape(input, weight, bias).unwrap();
        let floats = |shape: Shape| -> Vec<u32> { fractions(shape).data().iter().map(|x| x.to_bits()).collect() };
        let mut w = floats(weight);
        // Where it meets a cell outside it is left out.
        w[0] = f32::INFINITY.to_bits();
        let b = floats(Shape::vector(channels));
        let half: Vec<u32> = (0..Storage::Halves.words(input) as u32).map(|i| 0x3c00_b800 + i % 1001).collect();
        let plain = |caps: &Caps| conv_transpose2d::plan(&op, input, weight, bias, Some(Interpolate), caps).unwrap();
        let shapes = (input, weight, bias);
        let halved = |caps: &Caps| {
            let form = conv2d::Form::Halves;
            conv_transpose2d::plan_half(&op, shapes, form, Some(Interpolate), caps).unwrap()
        };
        for (plans, x, size) in [
            (on_each(plain, &pairs, &words), floats(input), Storage::Words.words(output)),
            (on_each(halved, &pairs, &words), half, Storage::Halves.words(output)),
        ] {
            assert_eq!(plans.each_ref().map(reads_pairs), [false, false, true], "{op:?}");
            let [first, second, third] = plans.map(|plan| words_of(&gpu, &plan, &[&x, &w, &b], &[size]));
            assert!(first == second && second == third, "{op:?} of {input}");
        }
    }
}
