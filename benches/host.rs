//! What runs on the host: planning a network, checking switches, and the reference, which bounds how large the tests'
//! problems may be. `cargo bench --bench host`; needs no adapter.

#![allow(clippy::unwrap_used, reason = "what fails stops the benchmark")]

#[path = "../tests/common/random.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod random;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use random::Random;
use switchback::gpu::Caps;
use switchback::net::{Fcn, Head};
use switchback::{Conv2d, ConvTranspose2d, MaxPool2d, Switches, reference};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    planning(&mut criterion);
    switches(&mut criterion);
    oracle(&mut criterion);
    criterion.final_summary();
}

/// FCN-8s at the size of the paper's images: building the graph, and laying out its memory.
fn planning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fcn8s 500x500");
    let fcn = Fcn::published(Head::Stride8, 21);
    let graph = fcn.graph([1, 3, 500, 500]).unwrap();
    assert_eq!(graph.cost().macs, 181_529_034_048);
    group.bench_function("graph", |bencher| bencher.iter(|| fcn.graph(black_box([1, 3, 500, 500])).unwrap()));
    group.bench_function("plan", |bencher| bencher.iter(|| graph.plan(black_box(&Caps::WEBGPU)).unwrap()));
}

/// The check that lets kernels trust a caller's switches.
fn switches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("switches 64 @90x120");
    let pool = MaxPool2d::new([2, 2]);
    let (pooled, made) = reference::max_pool2d(&pool, &Random::new(1).reals([1, 64, 180, 240])).unwrap();
    let again = || Switches::new(pooled.shape(), made.origin(), pool, made.indices().to_vec()).unwrap();
    assert_eq!(again(), made);
    group.throughput(Throughput::Elements(made.indices().len() as u64));
    group.bench_function("new", |bencher| bencher.iter(again));
}

/// Multiply-adds a second of the reference, with the bound of each element and without.
fn oracle(criterion: &mut Criterion) {
    let mut random = Random::new(2);
    let conv = Conv2d::new([3, 3]).pad(1);
    let (x, w) = (random.reals([1, 16, 28, 28]), random.reals([16, 16, 3, 3]));
    let mut group = criterion.benchmark_group("reference");
    group.throughput(Throughput::Elements(conv.cost(x.shape(), w.shape(), None).unwrap().macs));
    group.bench_function("conv2d", |bencher| bencher.iter(|| reference::conv2d(&conv, &x, &w, None).unwrap()));
    group.bench_function("conv2d_values", |bencher| {
        bencher.iter(|| reference::conv2d_values(&conv, &x, &w, None).unwrap());
    });
    let up = ConvTranspose2d::new([4, 4]).stride([2, 2]);
    let (x, w) = (random.reals([1, 21, 16, 16]), random.reals([21, 21, 4, 4]));
    group.throughput(Throughput::Elements(up.cost(x.shape(), w.shape(), None).unwrap().macs));
    group.bench_function("conv_transpose2d", |bencher| {
        bencher.iter(|| reference::conv_transpose2d(&up, &x, &w, None).unwrap());
    });
    let pool = MaxPool2d::new([2, 2]);
    let x = random.reals([1, 64, 56, 56]);
    group.throughput(Throughput::Elements(x.shape().elements() as u64));
    group.bench_function("max_pool2d", |bencher| bencher.iter(|| reference::max_pool2d(&pool, &x).unwrap()));
    group.finish();
}
