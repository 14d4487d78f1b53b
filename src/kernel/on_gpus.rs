//! Kernels that only GPUs are given, planned as for one and run on whatever device there is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use super::conv2d::Form;
use super::pairs::{awkward, run, words_of};
use super::{conv_transpose2d, conv2d, convert, max_pool2d, max_unpool2d};
use crate::common::adapter;
use crate::gpu::{Caps, Gpu, Kernel, KernelPlan, Storage, from_halves, to_halves};
use crate::op::{Conv2d, ConvTranspose2d, MaxPool2d, MaxUnpool2d, Rounding};
use crate::reference;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// The device's capabilities as a GPU's and as a CPU driver's.
fn kinds(gpu: &Gpu) -> [Caps; 2] {
    [false, true].map(|software| Caps { software, ..*gpu.caps() })
}

fn kernels(plan: &KernelPlan) -> Vec<&'static Kernel> {
    plan.run.iter().map(|step| step.kernel).collect()
}

/// Whole numbers whose sums are exact in any order.
fn integers(shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    Tensor::from_fn(shape, |index| ((shape.index(index) * 7 + 3) % 17) as f32 - 8.0).unwrap()
}

/// The same as words, and so many words of two small whole numbers in f16.
fn integer_words(shape: Shape) -> Vec<u32> {
    integers(shape).data().iter().map(|value| value.to_bits()).collect()
}

fn integer_halves(words: u64) -> Vec<u32> {
    const HALVES: [u32; 7] = [0, 0x3c00, 0xbc00, 0x4000, 0xc000, 0x4200, 0xc200];
    (0..words as usize).map(|i| HALVES[i % 7] | HALVES[(i / 3 + 2) % 7] << 16).collect()
}

#[test]
fn products_of_one_cell() {
    let Some(gpu) = adapter::gpu() else { return };
    let everything = ConvTranspose2d::new([3, 4]).stride([2, 5]).dilation([3, 2]).pad([1, 3]).output_padding([2, 4]);
    // Blocks of 8, 16, 24 and 32 rows; fewer fours of channels than parts, and more.
    for (op, input, channels) in [
        (ConvTranspose2d::new([7, 7]).relu(), [1, 150, 1, 1], 64),
        (everything.groups(2), [2, 12, 1, 1], 20),
        (everything.relu(), [3, 67, 1, 1], 21),
        (ConvTranspose2d::new([2, 3]), [1, 1, 1, 1], 5),
        (ConvTranspose2d::new([2, 3]), [2, 130, 1, 1], 14),
    ] {
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let shapes = (x.shape(), w.shape(), Some(b.shape()));
        let expected = reference::conv_transpose2d(&op, &x, &w, Some(&b)).unwrap();
        let variant = Some(conv_transpose2d::Variant::Product);
        let [plan, whole] =
            kinds(&gpu).map(|caps| conv_transpose2d::plan(&op, shapes.0, shapes.1, shapes.2, variant, &caps).unwrap());
        assert_ne!(kernels(&plan)[0].name, kernels(&whole)[0].name);
        let found = run(&gpu, &plan, &[&x, &w, &b], expected.shape());
        let bits: Vec<u32> = expected.tensor().data().iter().map(|value| value.to_bits()).collect();
        assert!(found == bits, "{op:?} of {input:?}");

        let operands =
            [integer_halves(Storage::Halves.words(x.shape())), integer_words(w.shape()), integer_words(b.shape())];
        let operands: Vec<&[u32]> = operands.iter().map(Vec::as_slice).collect();
        for (form, storage) in [(Form::Halves, Storage::Halves), (Form::HalvesToWords, Storage::Words)] {
            let [parts, whole] = kinds(&gpu).map(|caps| {
                let plan = conv_transpose2d::plan_half(&op, shapes, form, variant, &caps).unwrap();
                words_of(&gpu, &plan, &operands, &[storage.words(expected.shape())])
            });
            assert!(parts == whole, "{op:?} of {input:?} in {form:?}");
        }
    }
}

/// Blocks of channels that are filled and are not, rows in pairs and one more, weights in a piece and in several, windows outside the
/// map, in every form of the maps: what a CPU driver's kernel gives, whose sums of whole numbers are exact, for f16 between conversions.
#[test]
fn the_definition_by_staged_weights() {
    let Some(gpu) = adapter::gpu() else { return };
    let everything = Conv2d::new([7, 5]).stride([2, 3]).dilation([1, 2]).groups(2).pad([3, 2]);
    let [staging, cpu] = kinds(&gpu);
    let variant = Some(conv2d::Variant::Direct);
    for (op, input, channels) in [
        (Conv2d::new([3, 3]).pad(1).relu(), [2, 3, 13, 37], 21),
        (everything.relu(), [2, 20, 25, 40], 40),
        (Conv2d::new([3, 3]).pad(1), [1, 61, 5, 30], 16),
        (Conv2d::new([3, 3]).pad(40), [1, 2, 4, 3], 24),
        (Conv2d::new([16, 16]), [1, 3, 40, 22], 35),
    ] {
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let awkward = x.shape().elements() / 3;
        let strange = Tensor::from_fn(x.shape(), |index| match x.shape().index(index) {
            0 => f32::NAN,
            i if i == awkward => f32::INFINITY,
            i if i == 2 * awkward => f32::NEG_INFINITY,
            i => x.data()[i],
        })
        .unwrap();
        let shapes = (x.shape(), w.shape(), Some(b.shape()));
        let output = op.output_shape(shapes.0, shapes.1, shapes.2).unwrap();
        let words = |caps| conv2d::plan(&op, shapes.0, shapes.1, shapes.2, variant, caps).unwrap();
        let halves = |form| conv2d::plan_half(&op, shapes, form, variant, &staging);
        let between = |outputs| convert::through_f32(words(&cpu), &[(0, x.shape())], outputs, &cpu).unwrap();
        for (form, staged, plain, result) in [
            (Form::Words, Ok(words(&staging)), words(&cpu), Storage::Words),
            (Form::Halves, halves(Form::Halves), between(&[(0, output)]), Storage::Halves),
            (Form::HalvesToWords, halves(Form::HalvesToWords), between(&[]), Storage::Words),
        ] {
            // The weights of two channels are too many.
            let Ok(staged) = staged else {
                assert!(form != Form::Words && op.kernel == [16, 16], "{op:?} in {form:?}");
                continue;
            };
            assert!(kernels(&staged)[0].name.starts_with("conv2d/direct_staged"));
            assert!(kernels(&plain).iter().any(|kernel| kernel.name == "conv2d/direct"));
            for x in [&x, &strange] {
                let map = match form {
                    Form::Words => x.data().iter().map(|value| value.to_bits()).collect(),
                    _ => to_halves(x.data(), x.shape()),
                };
                let operands: [&[u32]; 3] = [&map, &integer_words(w.shape()), &integer_words(b.shape())];
                let [one, other] = [&staged, &plain].map(|plan| {
                    let found = words_of(&gpu, plan, &operands, &[result.words(output)]).swap_remove(0);
                    if result == Storage::Halves {
                        from_halves(&found, output)
                    } else {
                        found.into_iter().map(f32::from_bits).collect()
                    }
                });
                // A NaN is as good as another.
                let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
                assert!(one.iter().zip(&other).all(same), "{op:?} of {input:?} in {form:?}");
            }
        }
    }
}

/// Workgroups of every size.
#[test]
fn stages_of_every_size() {
    let Some(gpu) = adapter::gpu() else { return };
    let [staging, _] = kinds(&gpu);
    let (one, three) = (Conv2d::new([1, 1]), Conv2d::new([3, 3]).pad(1));
    for (op, input, channels, [rows, cells]) in [
        (three.relu(), [2, 14, 7, 8], 38, [32.0, 32.0]),
        (three.stride([2, 1]).dilation([1, 2]).groups(2), [1, 44, 25, 17], 80, [32.0, 32.0]),
        (three, [1, 17, 90, 92], 64, [32.0, 64.0]),
        (one, [1, 18, 32, 79], 320, [64.0, 32.0]),
        (three, [1, 9, 176, 192], 64, [64.0, 128.0]),
        (one, [1, 33, 128, 132], 128, [128.0, 64.0]),
        // Whole stages.
        (three, [1, 16, 21, 30], 40, [32.0, 32.0]),
        (one, [1, 32, 128, 132], 128, [128.0, 64.0]),
    ] {
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let variant = Some(conv2d::Variant::Staged);
        let plan = conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), variant, &staging).unwrap();
        let sized = [("ROWS", rows), ("CELLS", cells)].iter().all(|of| plan.run[0].constants.contains(of));
        assert!(sized, "{op:?} over {input:?}: {:?}", plan.run[0].constants);
        let expected = reference::conv2d(&op, &x, &w, Some(&b)).unwrap().tensor();
        let bits: Vec<u32> = expected.data().iter().map(|value| value.to_bits()).collect();
        assert!(run(&gpu, &plan, &[&x, &w, &b], expected.shape()) == bits, "{op:?} over {input:?}");
    }
}

/// Where an infinite channel is the last one, what is read in place of those after it would not vanish by a zero weight.
#[test]
fn an_infinite_last_channel() {
    let Some(gpu) = adapter::gpu() else { return };
    let [caps, _] = kinds(&gpu);
    // Of fours of channels that a stage has, the last one is the first or the second, in workgroups of 64 rows and of 128.
    for (channels, outputs) in [(3, 5), (5, 5), (1, 150), (6, 150)] {
        let (op, input) = (Conv2d::new([1, 1]), Shape::from([1, channels, 11, 12]));
        let x = Tensor::from_fn(input, |[_, c, _, _]| if c + 1 == channels { f32::INFINITY } else { 1.0 }).unwrap();
        let w = Tensor::full(op.weight_shape(channels, outputs).unwrap(), 1.0).unwrap();
        let output = op.output_shape(input, w.shape(), None).unwrap();
        let infinite = vec![f32::INFINITY.to_bits(); output.elements()];
        let staged = Some(conv2d::Variant::Staged);
        let plan = conv2d::plan(&op, input, w.shape(), None, staged, &caps).unwrap();
        assert!(run(&gpu, &plan, &[&x, &w], output) == infinite, "{channels} to {outputs}");
        let plane = input.plane();
        let word = |i: usize| match (i / plane * 2 + 1).cmp(&(channels - 1)) {
            std::cmp::Ordering::Less => 0x3c00_3c00,
            std::cmp::Ordering::Equal => 0x7c00_3c00,
            std::cmp::Ordering::Greater => 0x7c00,
        };
        let halves: Vec<u32> = (0..Storage::Halves.words(input) as usize).map(word).collect();
        let shapes = (input, w.shape(), None);
        let plan = conv2d::plan_half(&op, shapes, Form::HalvesToWords, staged, &caps).unwrap();
        let weight: Vec<u32> = w.data().iter().map(|value| value.to_bits()).collect();
        let found = words_of(&gpu, &plan, &[&halves, &weight], &[output.elements() as u64]);
        assert!(found == [infinite], "{channels} to {outputs} in f16");
    }
}

/// Tiles of 8x8 cells that give the fewest cells and the most, more rows than columns and fewer, whose ends go by way of
/// workgroup memory: bit for bit those of a CPU driver's kernel.
#[test]
fn ends_of_tiles_of_8x8_cells() {
    let Some(gpu) = adapter::gpu() else { return };
    for (kernel, input, channels) in [
        ([2, 2], [1, 5, 22, 24], 9),
        ([3, 3], [2, 4, 13, 20], 7),
        ([4, 6], [1, 3, 18, 9], 6),
        ([7, 5], [1, 3, 9, 31], 5),
        ([7, 7], [1, 2, 12, 11], 13),
    ] {
        let op = Conv2d::new(kernel).pad(2).relu();
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let output = op.output_shape(x.shape(), w.shape(), Some(b.shape())).unwrap();
        let variant = Some(conv2d::Variant::WinogradEight);
        let plans =
            kinds(&gpu).map(|caps| conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), variant, &caps).unwrap());
        let staged = |plan: &KernelPlan| kernels(plan).iter().any(|kernel| kernel.name.ends_with("output_staged"));
        assert_eq!(plans.each_ref().map(staged), [true, false], "{kernel:?}");
        let [one, other] = plans.map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
        assert!(one == other, "{kernel:?} of {input:?}");
    }
}

/// Stages in every form of the maps and with every end of the sums.
#[test]
fn stages_in_every_form() {
    let Some(gpu) = adapter::gpu() else { return };
    let [staging, cpu] = kinds(&gpu);
    let op = Conv2d::new([3, 3]).pad(1).groups(2).relu();
    let up = ConvTranspose2d::new([4, 4]).stride([2, 2]).pad(1).groups(2);
    let (input, channels) = (Shape::from([1, 44, 9, 10]), 76);
    let (weight, bias) = (op.weight_shape(input.c, channels).unwrap(), Shape::vector(channels));
    let output = op.output_shape(input, weight, Some(bias)).unwrap();
    let up_weight = up.weight_shape(input.c, channels).unwrap();
    let larger = up.output_shape(input, up_weight, Some(bias)).unwrap();
    let pooling = conv2d::Pooling { op: MaxPool2d::new([2, 2]).ceil(), switches: None };
    let pooled = pooling.op.output_shape(output).unwrap();
    let (staged, tiled) = (Some(conv2d::Variant::Staged), Some(conv2d::Variant::Tiled));
    let shapes = (input, weight, Some(bias));
    let half = |form, variant, caps| conv2d::plan_half(&op, shapes, form, variant, caps).unwrap();
    let phases = |form, caps| {
        let variant = Some(conv_transpose2d::Variant::Phased);
        conv_transpose2d::plan_half(&up, (input, up_weight, Some(bias)), form, variant, caps).unwrap()
    };
    let ended = |variant, caps| conv2d::plan_half_pooled(&op, pooling, shapes, variant, caps).unwrap();
    let parts = |variant, caps| conv2d::plan(&op, input, weight, Some(bias), variant, caps).unwrap();
    let [to_halves, to_words] = [Form::Halves, Form::HalvesToWords];
    for (plans, storage, shape) in [
        ([parts(Some(conv2d::Variant::SplitK), &staging), parts(tiled, &cpu)], Storage::Words, output),
        ([half(to_halves, staged, &staging), half(to_halves, tiled, &cpu)], Storage::Halves, output),
        ([half(to_words, staged, &staging), half(to_words, tiled, &cpu)], Storage::Words, output),
        ([phases(to_halves, &staging), phases(to_halves, &cpu)], Storage::Halves, larger),
        ([phases(to_words, &staging), phases(to_words, &cpu)], Storage::Words, larger),
        ([ended(staged, &staging), ended(tiled, &cpu)], Storage::Halves, pooled),
    ] {
        let name = kernels(&plans[0])[0].name;
        assert!(name.starts_with("conv2d/staged"), "{name}");
        let x =
            if name == "conv2d/staged" { integer_words(input) } else { integer_halves(Storage::Halves.words(input)) };
        let w = integer_words(if shape == larger { up_weight } else { weight });
        let operands: [&[u32]; 3] = [&x, &w, &integer_words(bias)];
        let [one, other] = plans.map(|plan| words_of(&gpu, &plan, &operands, &[storage.words(shape)]));
        assert!(one == other, "{name}");
    }
}

/// Blocks that fill workgroups and do not; channels in one stage and in two; runs that the last window does not end; borders
/// that cut off windows, and sizes that add some. The sums are those of a CPU driver's kernel, bit for bit.
#[test]
fn phases_that_share_cells() {
    let Some(gpu) = adapter::gpu() else { return };
    let up = |s: usize| ConvTranspose2d::new([2 * s, 2 * s]).stride([s, s]);
    let cut = |top, bottom, left, right| crate::Padding { top, bottom, left, right };
    for (op, input, channels) in [
        (up(2), [1, 21, 16, 16], 21),
        (up(8), [2, 5, 3, 6], 21),
        (up(2).relu(), [2, 33, 12, 13], 20),
        (up(2).pad(2), [2, 66, 10, 11], 16),
        (up(4).pad(cut(5, 2, 2, 4)), [1, 31, 9, 14], 6),
        (ConvTranspose2d::new([6, 4]).stride([3, 2]).output_padding([2, 1]).groups(3), [1, 33, 4, 17], 12),
        (ConvTranspose2d::new([2, 10]).stride([1, 5]).pad([1, 3]).output_padding([0, 4]), [2, 5, 3, 6], 3),
        (up(8).pad(12).output_size([5, 3]), [1, 3, 2, 2], 1),
    ] {
        let fractions = |shape: Shape| {
            Tensor::from_fn(shape, |index| ((shape.index(index) * 7 + 3) % 97) as f32 / 13.0 - 3.0).unwrap()
        };
        let (x, w) = (fractions(input.into()), fractions(op.weight_shape(input[1], channels).unwrap()));
        let b = fractions(Shape::vector(channels));
        let shapes = (x.shape(), w.shape(), Some(b.shape()));
        let output = op.output_shape(shapes.0, shapes.1, shapes.2).unwrap();
        let variant = Some(conv_transpose2d::Variant::SharedPhases);
        let [rows, windows] =
            kinds(&gpu).map(|caps| conv_transpose2d::plan(&op, shapes.0, shapes.1, shapes.2, variant, &caps).unwrap());
        assert_eq!(kernels(&rows)[0].name, "conv_transpose2d/shared_phases_rows");
        assert_ne!(kernels(&windows)[0].name, kernels(&rows)[0].name);
        let [one, other] = [rows, windows].map(|plan| run(&gpu, &plan, &[&x, &w, &b], output));
        assert!(one == other, "{op:?} of {input:?}");
    }
}

/// What is multiplied in place of channels past the last, in a round and in a stage of several, would not vanish by a zero weight.
#[test]
fn an_infinite_last_channel_of_phases() {
    let Some(gpu) = adapter::gpu() else { return };
    let op = ConvTranspose2d::new([4, 4]).stride([2, 2]);
    for channels in [1, 6, 8, 36] {
        let input = Shape::from([1, channels, 3, 10]);
        let x = Tensor::from_fn(input, |[_, c, _, _]| if c + 1 == channels { f32::INFINITY } else { 1.0 }).unwrap();
        let w = Tensor::full(op.weight_shape(channels, 3).unwrap(), 1.0).unwrap();
        let output = op.output_shape(input, w.shape(), None).unwrap();
        let (variant, [caps, _]) = (Some(conv_transpose2d::Variant::SharedPhases), kinds(&gpu));
        let plan = conv_transpose2d::plan(&op, input, w.shape(), None, variant, &caps).unwrap();
        assert_eq!(kernels(&plan)[0].name, "conv_transpose2d/shared_phases_rows");
        let infinite = vec![f32::INFINITY.to_bits(); output.elements()];
        assert!(run(&gpu, &plan, &[&x, &w], output) == infinite, "{channels}");
    }
}

/// All phases of a transposed convolution by one staged product, over whole numbers, and with infinities and a NaN among them: what each
/// phase by itself gives.
#[test]
fn phases_together() {
    let Some(gpu) = adapter::gpu() else { return };
    for (op, input, channels) in [
        (ConvTranspose2d::new([2, 2]).stride([2, 2]).relu(), [2, 13, 6, 5], 37),
        (ConvTranspose2d::new([4, 6]).stride([2, 3]).groups(2).output_padding([1, 2]), [1, 34, 6, 4], 48),
        (ConvTranspose2d::new([4, 3]).stride([2, 1]).pad([2, 1]), [1, 16, 9, 11], 24),
        // Phases of other numbers of taps.
        (ConvTranspose2d::new([3, 5]).stride([2, 3]), [1, 10, 6, 4], 48),
    ] {
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let strange = Tensor::from_fn(x.shape(), |index| match x.shape().index(index) {
            3 => f32::NAN,
            40 => f32::INFINITY,
            i => x.data()[i],
        })
        .unwrap();
        let output = op.output_shape(x.shape(), w.shape(), Some(b.shape())).unwrap();
        let variant = Some(conv_transpose2d::Variant::Phased);
        let plans = kinds(&gpu)
            .map(|caps| conv_transpose2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), variant, &caps).unwrap());
        let whole = op.kernel[0] % op.stride[0] + op.kernel[1] % op.stride[1] == 0;
        assert_eq!(kernels(&plans[0])[0].name == "conv2d/staged_phases", whole, "{op:?} of {input:?}");
        for x in [&x, &strange] {
            // A NaN is as good as another.
            let canonical = |bits: u32| if f32::from_bits(bits).is_nan() { f32::NAN.to_bits() } else { bits };
            let [one, other] = plans
                .each_ref()
                .map(|plan| run(&gpu, plan, &[x, &w, &b], output).into_iter().map(canonical).collect::<Vec<_>>());
            assert!(one == other, "{op:?} of {input:?}");
        }
    }
}

#[test]
fn dot_products() {
    let Some(gpu) = adapter::gpu() else { return };
    for (op, input, channels) in [
        (Conv2d::new([3, 5]).relu(), [2, 70, 3, 5], 13),
        (Conv2d::new([1, 1]).groups(3), [1, 33, 1, 1], 30),
        (Conv2d::new([2, 2]), [1, 1, 2, 2], 1),
    ] {
        let (x, w) = (integers(input), integers(op.weight_shape(input[1], channels).unwrap()));
        let b = integers(Shape::vector(channels));
        let expected = reference::conv2d(&op, &x, &w, Some(&b)).unwrap();
        let (variant, [caps, _]) = (Some(conv2d::Variant::DotProduct), kinds(&gpu));
        let plan = conv2d::plan(&op, x.shape(), w.shape(), Some(b.shape()), variant, &caps).unwrap();
        let found = run(&gpu, &plan, &[&x, &w, &b], expected.shape());
        let bits: Vec<u32> = expected.tensor().data().iter().map(|value| value.to_bits()).collect();
        assert!(found == bits, "{op:?} of {input:?}");
    }
}

/// Rows of any length, and planes of odd extents, whose last windows pooling may have left out.
#[test]
fn unpoolings_by_compact_switches() {
    let Some(gpu) = adapter::gpu() else { return };
    let pool = MaxPool2d::new([2, 2]);
    let storage = Storage::Compact;
    for (pool, input) in [
        (pool, [1, 2, 2, 2]),
        (pool, [2, 3, 23, 30]),
        (pool.rounding(Rounding::Caffe), [1, 3, 23, 31]),
        (pool, [1, 5, 7, 67]),
        (pool.rounding(Rounding::Caffe), [2, 1, 5, 97]),
        (pool, [1, 3, 9, 132]),
    ] {
        let input = Shape::from(input);
        let output = pool.output_shape(input).unwrap();
        let source = max_unpool2d::Source { shape: output, origin: input.extent(), pool: &pool, storage };
        for maps in [Storage::Words, Storage::Halves] {
            let down = |caps: &Caps| match maps {
                Storage::Halves => max_pool2d::plan_half(&pool, input, max_pool2d::Variant::CompactSwitches, caps),
                _ => max_pool2d::plan(&pool, input, max_pool2d::Variant::CompactSwitches, caps),
            };
            let up = |caps: &Caps| match maps {
                Storage::Halves => max_unpool2d::plan_half(&MaxUnpool2d::new(), output, source, None, caps),
                _ => max_unpool2d::plan(&MaxUnpool2d::new(), output, source, None, caps),
            };
            let x = awkward(maps.words(input));
            let sizes = [maps.words(output), storage.words(output)];
            let pooled = words_of(&gpu, &down(gpu.caps()).unwrap(), &[&x], &sizes);
            let operands: [&[u32]; 2] = [&pooled[0], &pooled[1]];
            let [one, other] =
                kinds(&gpu).map(|caps| words_of(&gpu, &up(&caps).unwrap(), &operands, &[maps.words(input)]));
            assert!(one == other, "unpooling to {input}, {maps:?}");
        }
    }
}
