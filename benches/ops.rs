//! Every operator on the GPU, at sizes of FCN-8s and SegNet: `cargo bench --bench ops`, or `-- NAME` for some.
//!
//! Each result is checked against the reference before it is timed. Times are the host's clock round a run of calls and
//! the wait for the last: what an application sees, submission and allocation included. For times by the device's own
//! clock, fractions of its ceilings and whole networks there is `switchback bench`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails stops the benchmark")]

#[path = "../tests/common/random.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod random;

use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use random::Random;
use switchback::gpu::wgpu;
use switchback::kernel::{conv_transpose2d, conv2d, max_unpool2d};
use switchback::op::Cost;
use switchback::{
    Add, ArgmaxChannels, Colorize, Concat, Conv2d, ConvTranspose2d, Crop, CropAdd, Error, Gpu, Labels, MaxPool2d,
    MaxUnpool2d, Normalize, Pad, Palette, Relu, Result, RgbImage, Rounding, Scale, Shape, Slice, SoftmaxChannels,
    Tensor, reference,
};

fn main() {
    let gpu = match Gpu::new() {
        Ok(gpu) => gpu,
        Err(error @ Error::NoAdapter { .. }) => {
            eprintln!("NOTHING MEASURED: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    eprintln!("adapter: {}", gpu.info());
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut bench = Bench { gpu, criterion: &mut criterion };
    bench.convolutions();
    bench.transposed_convolutions();
    bench.pooling();
    bench.elementwise();
    bench.layout();
    bench.images();
    criterion.final_summary();
}

struct Bench<'a> {
    gpu: Gpu,
    criterion: &'a mut Criterion,
}

impl Bench<'_> {
    /// Rows of one operator.
    fn operator(&mut self, name: &str, cost: Cost, rows: impl FnOnce(&Gpu, &mut Rows<'_>)) {
        let mut group = self.criterion.benchmark_group(name);
        // Multiply-adds where there are many, bytes where moving them is the work.
        let arithmetic = cost.macs > cost.bytes;
        group.throughput(if arithmetic { Throughput::Elements(cost.macs) } else { Throughput::Bytes(cost.bytes) });
        rows(&self.gpu, &mut Rows { group, gpu: &self.gpu });
    }

    fn convolutions(&mut self) {
        let op = Conv2d::new([3, 3]).pad(1).relu();
        let (x, w, b) = (reals([1, 64, 56, 56], 1), reals([64, 64, 3, 3], 2), reals([1, 64, 1, 1], 3));
        let cost = op.cost(x.shape(), w.shape(), Some(b.shape())).unwrap();
        self.operator("conv2d 3x3 64->64 @56", cost, |gpu, rows| {
            let on_gpu = [&x, &w, &b].map(|tensor| gpu.upload(tensor).unwrap());
            let matrices = gpu.caps().cooperative.is_some();
            let served = |variant: &&conv2d::Variant| **variant != conv2d::Variant::Cooperative || matrices;
            for &variant in conv2d::Variant::ALL.iter().filter(served) {
                let gpu = gpu.with_variant(variant);
                rows.time(
                    variant.name(),
                    || gpu.conv2d(&op, &on_gpu[0], &on_gpu[1], Some(&on_gpu[2])),
                    |y| {
                        let answer = match variant {
                            conv2d::Variant::Cooperative => reference::conv2d_half_operands(&op, &x, &w, Some(&b)),
                            _ => reference::conv2d(&op, &x, &w, Some(&b)),
                        };
                        answer.unwrap().check(&gpu.download(&y).unwrap()).unwrap();
                    },
                );
            }
        });
    }

    fn transposed_convolutions(&mut self) {
        let op = ConvTranspose2d::new([16, 16]).stride([8, 8]);
        let (x, w) = (reals([1, 21, 34, 34], 4), reals([21, 21, 16, 16], 5));
        let cost = op.cost(x.shape(), w.shape(), None).unwrap();
        self.operator("conv_transpose2d 16x16/8 21->21 @34", cost, |gpu, rows| {
            let on_gpu = [&x, &w].map(|tensor| gpu.upload(tensor).unwrap());
            let matrices = gpu.caps().cooperative.is_some();
            let served =
                |variant: &&conv_transpose2d::Variant| **variant != conv_transpose2d::Variant::Cooperative || matrices;
            for &variant in conv_transpose2d::Variant::ALL.iter().filter(served) {
                let gpu = gpu.with_variant(variant);
                rows.time(
                    variant.name(),
                    || gpu.conv_transpose2d(&op, &on_gpu[0], &on_gpu[1], None),
                    |y| {
                        let answer = match variant {
                            conv_transpose2d::Variant::Cooperative => {
                                reference::conv_transpose2d_half_operands(&op, &x, &w, None)
                            }
                            _ => reference::conv_transpose2d(&op, &x, &w, None),
                        };
                        answer.unwrap().check(&gpu.download(&y).unwrap()).unwrap();
                    },
                );
            }
        });
    }

    fn pooling(&mut self) {
        let pool = MaxPool2d::new([2, 2]).rounding(Rounding::Caffe);
        let x = reals([1, 64, 180, 240], 6);
        let (values, switches) = reference::max_pool2d(&pool, &x).unwrap();
        self.operator("max_pool2d 2x2/2 64 @180x240", pool.cost(x.shape(), true).unwrap(), |gpu, rows| {
            let x = gpu.upload(&x).unwrap();
            let check = |y| assert_eq!(gpu.download(&y).unwrap(), values);
            rows.time("values", || gpu.max_pool2d(&pool, &x), check);
            rows.time(
                "switches",
                || gpu.max_pool2d_switches(&pool, &x),
                |(y, at)| {
                    check(y);
                    assert_eq!(gpu.download_switches(&at).unwrap(), switches);
                },
            );
        });
        let op = MaxUnpool2d::new();
        let cost = op.cost(values.shape(), switches.shape(), switches.origin()).unwrap();
        self.operator("max_unpool2d 2x2/2 64 @90x120", cost, |gpu, rows| {
            let (x, at) = (gpu.upload(&values).unwrap(), gpu.upload_switches(&switches).unwrap());
            for &variant in max_unpool2d::Variant::ALL {
                let gpu = gpu.with_variant(variant);
                let check = |y| {
                    let expected = reference::max_unpool2d(&op, &values, &switches).unwrap();
                    assert_eq!(gpu.download(&y).unwrap(), expected);
                };
                rows.time(variant.name(), || gpu.max_unpool2d(&op, &x, &at), check);
            }
        });
    }

    fn elementwise(&mut self) {
        let (a, b) = (reals([1, 64, 175, 175], 7), reals([1, 64, 175, 175], 8));
        let shape = a.shape();
        self.operator("relu 64 @175", Relu.cost(shape).unwrap(), |gpu, rows| {
            let x = gpu.upload(&a).unwrap();
            let check = |y| assert_eq!(gpu.download(&y).unwrap(), reference::relu(&a).unwrap());
            rows.time("direct", || gpu.relu(&x), check);
        });
        self.operator("add 64 @175", Add.cost(shape, shape).unwrap(), |gpu, rows| {
            let (x, y) = (gpu.upload(&a).unwrap(), gpu.upload(&b).unwrap());
            let check = |sum| reference::add(&a, &b).unwrap().check(&gpu.download(&sum).unwrap()).unwrap();
            rows.time("direct", || gpu.add(&x, &y), check);
        });
        let factor = reals([1, 64, 1, 1], 9);
        self.operator("scale 64 @175", Scale.cost(shape, factor.shape(), None).unwrap(), |gpu, rows| {
            let (x, by) = (gpu.upload(&a).unwrap(), gpu.upload(&factor).unwrap());
            let check = |y| reference::scale(&a, &factor, None).unwrap().check(&gpu.download(&y).unwrap()).unwrap();
            rows.time("direct", || gpu.scale(&x, &by, None), check);
        });
        let op = CropAdd::new([9, 9]).scale(0.0001);
        let (up, skip) = (reals([1, 21, 70, 70], 10), reals([1, 21, 88, 88], 11));
        self.operator("crop_add 21 @70 of 88", op.cost(up.shape(), skip.shape()).unwrap(), |gpu, rows| {
            let (a, b) = (gpu.upload(&up).unwrap(), gpu.upload(&skip).unwrap());
            let check = |y| reference::crop_add(&op, &up, &skip).unwrap().check(&gpu.download(&y).unwrap()).unwrap();
            rows.time("direct", || gpu.crop_add(&op, &a, &b), check);
        });
    }

    fn layout(&mut self) {
        let (crop, scores) = (Crop::new([31, 31], [500, 500]), reals([1, 21, 568, 568], 12));
        self.operator("crop 21 @500 of 568", crop.cost(scores.shape()).unwrap(), |gpu, rows| {
            let x = gpu.upload(&scores).unwrap();
            let check = |y| assert_eq!(gpu.download(&y).unwrap(), reference::crop(&crop, &scores).unwrap());
            rows.time("direct", || gpu.crop(&crop, &x), check);
        });
        let (pad, image) = (Pad::new(100), reals([1, 3, 500, 500], 13));
        self.operator("pad 3 @500 by 100", pad.cost(image.shape()).unwrap(), |gpu, rows| {
            let x = gpu.upload(&image).unwrap();
            let check = |y| assert_eq!(gpu.download(&y).unwrap(), reference::pad(&pad, &image).unwrap());
            rows.time("direct", || gpu.pad(&pad, &x), check);
        });
        let (a, b) = (reals([1, 64, 175, 175], 14), reals([1, 32, 175, 175], 15));
        self.operator("concat 64+32 @175", Concat.cost(&[a.shape(), b.shape()]).unwrap(), |gpu, rows| {
            let (x, y) = (gpu.upload(&a).unwrap(), gpu.upload(&b).unwrap());
            let check = |y| assert_eq!(gpu.download(&y).unwrap(), reference::concat(&[&a, &b]).unwrap());
            rows.time("direct", || gpu.concat(&[&x, &y]), check);
        });
        let slice = Slice::new(16, 32);
        self.operator("slice 32 of 64 @175", slice.cost(a.shape()).unwrap(), |gpu, rows| {
            let x = gpu.upload(&a).unwrap();
            let check = |y| assert_eq!(gpu.download(&y).unwrap(), reference::slice(&slice, &a).unwrap());
            rows.time("direct", || gpu.slice(&slice, &x), check);
        });
    }

    fn images(&mut self) {
        const EXTENT: [usize; 2] = [500, 500];
        let image = RgbImage::new(EXTENT, Random::new(16).bytes(3 * 500 * 500)).unwrap();
        let op = Normalize::CAFFE;
        self.operator("normalize @500", op.cost(EXTENT).unwrap(), |gpu, rows| {
            let x = gpu.upload_image(&image).unwrap();
            let check = |y| reference::normalize(&op, &image).unwrap().check(&gpu.download(&y).unwrap()).unwrap();
            rows.time("direct", || gpu.normalize(&op, &x), check);
        });
        let scores = reals([1, 21, 500, 500], 17);
        self.operator("softmax_channels 21 @500", SoftmaxChannels.cost(scores.shape()).unwrap(), |gpu, rows| {
            let x = gpu.upload(&scores).unwrap();
            let check = |y| reference::softmax_channels(&scores).unwrap().check(&gpu.download(&y).unwrap()).unwrap();
            rows.time("direct", || gpu.softmax_channels(&x), check);
        });
        self.operator("argmax_channels 21 @500", ArgmaxChannels.cost(scores.shape()).unwrap(), |gpu, rows| {
            let x = gpu.upload(&scores).unwrap();
            let check = |y| assert_eq!(gpu.download_labels(&y).unwrap(), reference::argmax_channels(&scores).unwrap());
            rows.time("direct", || gpu.argmax_channels(&x), check);
        });
        let labels = Labels::new(1, EXTENT, Random::new(18).bytes(500 * 500)).unwrap();
        let palette = Palette::voc();
        self.operator("colorize @500", Colorize.cost(labels.shape()).unwrap(), |gpu, rows| {
            let x = gpu.upload_labels(&labels).unwrap();
            let check =
                |y| assert_eq!(gpu.download_image(&y).unwrap(), reference::colorize(&labels, &palette).unwrap());
            rows.time("direct", || gpu.colorize(&x, &palette), check);
        });
    }
}

/// The rows of one operator.
struct Rows<'a> {
    group: BenchmarkGroup<'a, WallTime>,
    gpu: &'a Gpu,
}

impl Rows<'_> {
    /// Times `run` once `check` has found nothing wrong with its result.
    fn time<T>(&mut self, name: &str, run: impl Fn() -> Result<T>, check: impl Fn(T)) {
        let mut checked = false;
        self.group.bench_function(name, |bencher| {
            if !checked {
                check(run().unwrap());
                checked = true;
            }
            bencher.iter_custom(|calls| {
                let start = Instant::now();
                // The last result alone stays: the others' memory goes back to the pool, as in an application.
                let mut result = None;
                for _ in 0..calls {
                    result = Some(run().unwrap());
                }
                self.gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
                let elapsed = start.elapsed();
                drop(result);
                elapsed
            });
        });
    }
}

/// Seeded numbers of -1..1.
fn reals(shape: impl Into<Shape>, seed: u64) -> Tensor {
    Random::new(seed).reals(shape)
}
