//! Max poolings that end a convolution, so that its map is never written: bit for bit what the two operators give one after
//! the other, and within the reference's bounds.

use proptest::prelude::*;
use switchback::gpu::{Elements, LimitsChoice};
use switchback::graph::{Inputs, Outputs};
use switchback::kernel::conv2d::Variant;
use switchback::weights::Weights;
use switchback::{Conv2d, Gpu, Graph, MaxPool2d, Rounding, Tensor, Value, reference};

use crate::common::adapter;
use crate::common::random::Random;
use crate::common::seeds::for_generated;

/// A convolution and the pooling of its map.
#[derive(Clone, Copy, Debug)]
struct Problem {
    input: [usize; 4],
    channels: usize,
    conv: Conv2d,
    pool: MaxPool2d,
    switches: bool,
}

impl Problem {
    /// The graph of both; with the map among its outputs, the pooling has to stay a node of its own.
    fn graph(&self, open: bool) -> Graph {
        let mut g = Graph::builder();
        let x = g.input("x", self.input).unwrap();
        let map = g.conv2d("conv", x, self.conv, self.channels).unwrap();
        if self.switches {
            let (maxima, switches) = g.max_pool2d_switches("pool", map, self.pool).unwrap();
            g.output(maxima).unwrap();
            g.output(switches).unwrap();
        } else {
            let maxima = g.max_pool2d("pool", map, self.pool).unwrap();
            g.output(maxima).unwrap();
        }
        if open {
            g.output(map).unwrap();
        }
        g.build().unwrap()
    }
}

/// Names of the operators that a device runs for a graph, and what it gives.
fn run(gpu: &Gpu, graph: &Graph, weights: &Weights, x: &Tensor) -> (Vec<&'static str>, Outputs) {
    let mut session = gpu.compile(graph, weights).unwrap();
    let outputs = session.run(x).unwrap();
    let again = session.run(x).unwrap();
    assert!(outputs.iter().all(|(name, _)| bits(&outputs, name) == bits(&again, name)), "two runs differ");
    // The bound of minimal filtering takes far more work than its values.
    if graph.cost().macs < 200_000 {
        for check in session.check_nodes(weights, Inputs::new().with("x", x), &outputs).unwrap() {
            assert!(check.mismatch.is_none(), "node `{}`: {}", check.node, check.mismatch.unwrap_or_default());
        }
    }
    (session.plan().nodes().iter().map(|node| node.operator()).collect(), outputs)
}

fn bits(outputs: &Outputs, name: &str) -> Vec<u32> {
    match outputs.get(name).unwrap() {
        Value::Tensor(tensor) => tensor.data().iter().map(|value| value.to_bits()).collect(),
        Value::Switches(switches) => switches.indices().to_vec(),
        other => panic!("{}", other.kind()),
    }
}

/// Every minimal filtering.
const FILTERINGS: [Variant; 4] =
    [Variant::WinogradF2, Variant::WinogradF4, Variant::WinogradPieces, Variant::WinogradEight];

/// Whether tiles of a minimal filtering are whole windows of 2x2 cells.
fn holds_windows(variant: Variant, op: &Conv2d) -> bool {
    match variant {
        Variant::WinogradPieces => true,
        // 9 - 3, 9 - 5 and 9 - 7 cells.
        Variant::WinogradEight => op.kernel.iter().all(|taps| [3, 5, 7].contains(taps)),
        _ => op.kernel == [3, 3],
    }
}

/// Fused and apart, by every minimal filtering, of reals and of planes so even that their maps are full of ties.
fn check(gpu: &Gpu, problem: &Problem) {
    let [fused, open] = [false, true].map(|open| problem.graph(open));
    let mut random = Random::new(3);
    let even =
        Tensor::from_fn(problem.input, |[_, c, _, _]| if c % 2 == 0 { 1.0 } else { (random.integer(0, 7) / 7) as f32 });
    for x in [even.unwrap(), random.reals(problem.input)] {
        let weights = Weights::random(fused.weights_required(), 5).unwrap();
        let serve = FILTERINGS.into_iter().filter(|&variant| holds_windows(variant, &problem.conv));
        compare(gpu, problem, serve, [&fused, &open], &weights, &x);
    }
}

/// The same in f16, by implicit products, which are for any convolution.
fn check_half(gpu: &Gpu, problem: &Problem) {
    let [fused, open] = [false, true].map(|open| problem.graph(open));
    let mut random = Random::new(3);
    let even =
        Tensor::from_fn(problem.input, |[_, c, _, _]| if c % 2 == 0 { 1.0 } else { (random.integer(0, 7) / 7) as f32 });
    for x in [even.unwrap(), reference::half_tensor(&random.reals(problem.input))] {
        let weights = Weights::random(fused.weights_required(), 5).unwrap();
        let gpu = gpu.with_elements(Elements::f16().with_ports());
        compare(&gpu, problem, products(&gpu), [&fused, &open], &weights, &x);
    }
}

/// The implicit products that a device has.
fn products(gpu: &Gpu) -> impl Iterator<Item = Variant> + use<> {
    let units = gpu.caps().cooperative.map(|_| Variant::Cooperative);
    [Variant::Tiled, Variant::Staged].into_iter().chain(units)
}

fn compare(
    gpu: &Gpu,
    problem: &Problem,
    variants: impl IntoIterator<Item = Variant>,
    [fused, open]: [&Graph; 2],
    weights: &Weights,
    x: &Tensor,
) {
    for variant in variants {
        let gpu = gpu.with_variant(variant);
        let (operators, found) = run(&gpu, fused, weights, x);
        assert_eq!(operators, ["conv2d+max_pool2d"], "{problem:?}");
        let (operators, expected) = run(&gpu, open, weights, x);
        assert_eq!(operators, ["conv2d", "max_pool2d"], "{problem:?}");
        for (name, _) in found.iter() {
            assert!(bits(&found, name) == bits(&expected, name), "{name} by {}: {problem:?}", variant.name());
        }
    }
}

fn named() -> Vec<Problem> {
    let (conv, pool) = (Conv2d::new([3, 3]).pad(1).relu(), MaxPool2d::new([2, 2]));
    let plain = Problem { input: [1, 3, 8, 12], channels: 8, conv, pool, switches: true };
    vec![
        plain,
        // Last windows of one row, of one column, of one cell.
        Problem { input: [2, 5, 7, 9], channels: 17, pool: pool.ceil(), ..plain },
        Problem { input: [1, 2, 5, 6], pool: pool.rounding(Rounding::Caffe), switches: false, ..plain },
        // Odd maps whose last row and column are in no window.
        Problem { input: [2, 4, 9, 11], channels: 5, ..plain },
        // One window; one cell.
        Problem { input: [1, 1, 2, 2], channels: 1, ..plain },
        Problem { input: [1, 1, 1, 1], channels: 1, pool: pool.ceil(), ..plain },
        // Negative maxima, and a border as wide as FCN's.
        Problem { conv: Conv2d::new([3, 3]).pad([2, 7]), switches: false, ..plain },
        // A kernel in pieces: tiles that a strip ends in, odd maps, one window.
        Problem { input: [2, 3, 17, 22], conv: Conv2d::new([7, 7]).pad(3).relu(), pool: pool.ceil(), ..plain },
        Problem { input: [3, 2, 6, 9], channels: 5, conv: Conv2d::new([5, 8]).pad([2, 3]), ..plain },
        Problem { input: [1, 1, 7, 7], channels: 1, conv: Conv2d::new([6, 6]), ..plain },
        // Sides that differ: tiles of two rows and six columns, of six rows and four columns.
        Problem { input: [2, 3, 11, 23], conv: Conv2d::new([7, 3]).pad([3, 1]).relu(), pool: pool.ceil(), ..plain },
        Problem { input: [1, 5, 15, 13], channels: 9, conv: Conv2d::new([3, 5]).pad(1), ..plain },
        // Several strips of tiles, the second image begins within one.
        Problem { input: [2, 128, 34, 34], channels: 8, ..plain },
    ]
}

/// Convolutions that minimal filtering does not do.
fn named_of_any_kernel() -> Vec<Problem> {
    let plain = Problem { conv: Conv2d::new([3, 5]).stride([2, 1]).dilation([1, 2]).pad(3), ..named()[0] };
    vec![
        plain,
        // Groups that begin with a word of their own, and blocks that they do not fill.
        Problem { input: [2, 8, 13, 15], channels: 20, conv: Conv2d::new([3, 3]).pad(1).groups(2).relu(), ..plain },
        // Several blocks of channels, the last of three; windows that reach past the map both ways.
        Problem { input: [1, 7, 9, 11], channels: 67, conv: Conv2d::new([1, 1]), pool: plain.pool.ceil(), ..plain },
        Problem { input: [2, 4, 6, 70], channels: 33, switches: false, ..plain },
    ]
}

/// Windows along both axes, and channels, one less, as many, one more than a workgroup on matrix units of 8x8 holds, and than one matrix.
fn named_of_matrices() -> Vec<Problem> {
    let plain = Problem { conv: Conv2d::new([1, 1]), ..named()[0] };
    let windows = [1, 3, 4, 5, 15, 17].map(|windows| Problem { input: [1, 9, 2, 2 * windows], channels: 3, ..plain });
    let channels = [7, 8, 9, 63, 64, 65].map(|channels| Problem { input: [2, 17, 4, 6], channels, ..plain });
    let rows = [1, 2, 3, 4, 5].map(|windows| Problem { input: [1, 9, 2 * windows, 6], channels: 3, ..plain });
    windows.into_iter().chain(rows).chain(channels).collect()
}

#[test]
fn fused_poolings_in_f16_are_those_apart() {
    let Some(gpu) = adapter::gpu() else { return };
    adapter::has_matrix_units(&gpu);
    named().iter().for_each(|problem| check_half(&gpu, problem));
}

#[test]
fn fused_poolings_in_f16_of_any_kernel_are_those_apart() {
    let Some(gpu) = adapter::gpu() else { return };
    adapter::has_matrix_units(&gpu);
    named_of_any_kernel().into_iter().chain(named_of_matrices()).for_each(|problem| check_half(&gpu, &problem));
}

#[test]
fn fused_poolings_in_f16_are_those_apart_under_webgpu_limits() {
    let Some(gpu) = adapter::open(Gpu::builder().rails(true).limits(LimitsChoice::WebGpu)) else { return };
    named().into_iter().chain(named_of_any_kernel()).for_each(|problem| check_half(&gpu, &problem));
}

#[test]
fn fused_poolings_are_those_apart() {
    let Some(gpu) = adapter::gpu() else { return };
    named().iter().for_each(|problem| check(&gpu, problem));
}

#[test]
fn fused_poolings_are_those_apart_under_webgpu_limits() {
    let Some(gpu) = adapter::open(Gpu::builder().rails(true).limits(LimitsChoice::WebGpu)) else { return };
    named().iter().for_each(|problem| check(&gpu, problem));
}

prop_compose! {
    fn problems()(
        input in (1..3_usize, 1..6_usize, 2..19_usize, 2..19_usize),
        channels in 1..11_usize,
        kernel in prop::sample::select(vec![3, 3, 3, 5, 7]),
        pad in 0..3_usize,
        relu in any::<bool>(),
        switches in any::<bool>(),
        rounding in prop::sample::select(vec![Rounding::Floor, Rounding::Ceil, Rounding::Caffe]),
    ) -> Problem {
        let (n, c, h, w) = input;
        // A map of at least two cells a side, so that whole windows exist.
        let conv = Conv2d::new([kernel, kernel]).pad(pad.max((kernel + 1).saturating_sub(h.min(w)).div_ceil(2)));
        let conv = if relu { conv.relu() } else { conv };
        Problem { input: [n, c, h, w], channels, conv, pool: MaxPool2d::new([2, 2]).rounding(rounding), switches }
    }
}

#[test]
fn generated_fused_poolings() {
    let Some(gpu) = adapter::gpu() else { return };
    for_generated(32, problems(), |problem| check(&gpu, &problem));
}

#[test]
fn generated_fused_poolings_in_f16() {
    let Some(gpu) = adapter::gpu() else { return };
    for_generated(16, problems(), |problem| check_half(&gpu, &problem));
}

/// A convolution, a pooling, and the unpooling that its switches go into, which take two bits a window then.
#[test]
fn compact_switches_of_fused_poolings_find_their_cells() {
    let Some(gpu) = adapter::gpu() else { return };
    let pool = MaxPool2d::new([2, 2]);
    for (extent, pool) in [([9, 70], pool.ceil()), ([6, 64], pool), ([7, 129], pool)] {
        let input = [2, 3, extent[0], extent[1]];
        let graph = |open: bool| {
            let mut g = Graph::builder();
            let x = g.input("x", input).unwrap();
            let map = g.conv2d("conv", x, Conv2d::new([3, 3]).pad(1).relu(), 5).unwrap();
            let (maxima, switches) = g.max_pool2d_switches("pool", map, pool).unwrap();
            let back = g.max_unpool2d("unpool", maxima, switches).unwrap();
            g.output(back).unwrap();
            if open {
                g.output(map).unwrap();
            }
            g.build().unwrap()
        };
        let [fused, open] = [false, true].map(graph);
        let weights = Weights::random(fused.weights_required(), 5).unwrap();
        let x = Random::new(4).reals(input);
        for (variant, gpu) in every_way(&gpu) {
            let x = if gpu.elements().is_half() { reference::half_tensor(&x) } else { x.clone() };
            let (operators, found) = run(&gpu, &fused, &weights, &x);
            assert_eq!(operators, ["conv2d+max_pool2d", "max_unpool2d"]);
            let plan = gpu.compile(&fused, &weights).unwrap().plan().to_string();
            assert!(plan.contains("compact"), "{plan}");
            let (_, expected) = run(&gpu, &open, &weights, &x);
            assert!(bits(&found, "unpool") == bits(&expected, "unpool"), "{extent:?} by {}", variant.name());
        }
    }
}

/// Every variant that can end in a pooling, in the elements in which it can.
fn every_way(gpu: &Gpu) -> impl Iterator<Item = (Variant, Gpu)> {
    let half = gpu.with_elements(Elements::f16().with_ports());
    let filtering = FILTERINGS.map(|variant| (variant, gpu.with_variant(variant)));
    filtering.into_iter().chain(products(gpu).map(move |variant| (variant, half.with_variant(variant))))
}

#[test]
fn a_nan_wins_as_it_does_apart() {
    let Some(gpu) = adapter::gpu() else { return };
    let problem = named()[1];
    let [fused, open] = [false, true].map(|open| problem.graph(open));
    let weights = Weights::random(fused.weights_required(), 5).unwrap();
    let mut x = Random::new(3).reals(problem.input);
    for (position, value) in x.data_mut().iter_mut().enumerate() {
        if position % 41 == 7 {
            *value = f32::NAN;
        }
    }
    for (variant, gpu) in every_way(&gpu) {
        let [found, expected] = [&fused, &open].map(|graph| gpu.compile(graph, &weights).unwrap().run(&x).unwrap());
        let nans = |outputs: &Outputs| outputs.tensor("pool").unwrap().data().iter().filter(|v| v.is_nan()).count();
        assert!(nans(&found) > 0);
        assert!(nans(&found) == nans(&expected), "{}", variant.name());
        assert!(bits(&found, "pool.switches") == bits(&expected, "pool.switches"), "{}", variant.name());
    }
}

/// Operators of the plan of a graph that a closure makes from the convolution's map.
fn operators(
    gpu: &Gpu,
    conv: Conv2d,
    then: impl Fn(&mut switchback::GraphBuilder, switchback::Edge),
) -> Vec<&'static str> {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 8, 20, 24]).unwrap();
    let map = g.conv2d("conv", x, conv, 8).unwrap();
    then(&mut g, map);
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 1).unwrap();
    let mut session = gpu.compile(&graph, &weights).unwrap();
    session.run(&Random::new(1).reals([1, 8, 20, 24])).unwrap();
    session.plan().nodes().iter().map(|node| node.operator()).collect()
}

#[test]
fn what_cannot_be_fused_stays_apart() {
    let Some(gpu) = adapter::gpu() else { return };
    let filtering = gpu.with_variant(Variant::WinogradF4);
    let (conv, pool) = (Conv2d::new([3, 3]).pad(1), MaxPool2d::new([2, 2]));
    let pooled = |pool: MaxPool2d| {
        move |g: &mut switchback::GraphBuilder, map| {
            let maxima = g.max_pool2d("pool", map, pool).unwrap();
            g.output(maxima).unwrap();
        }
    };
    let apart = ["conv2d", "max_pool2d"];
    assert_eq!(operators(&filtering, conv, pooled(pool)), ["conv2d+max_pool2d"]);
    for other in [MaxPool2d::new([3, 3]).stride([2, 2]), pool.stride([1, 1]), pool.pad(1), pool.dilation([2, 1])] {
        assert_eq!(operators(&filtering, conv, pooled(other)), apart, "{other:?}");
    }
    for variant in [Variant::Direct].into_iter().chain(products(&gpu)) {
        assert_eq!(operators(&gpu.with_variant(variant), conv, pooled(pool)), apart, "{}", variant.name());
    }
    // Where no minimal filtering is defined, whatever is taken instead.
    assert_eq!(operators(&filtering, Conv2d::new([5, 5]).stride([2, 1]).pad(2), pooled(pool)), apart);
    // Tiles of 9 - 4 and of 9 - 6 cells end within a window.
    let eight = gpu.with_variant(Variant::WinogradEight);
    assert_eq!(operators(&eight, Conv2d::new([5, 3]).pad([2, 1]), pooled(pool)), ["conv2d+max_pool2d"]);
    for kernel in [[4, 3], [3, 6]] {
        assert_eq!(operators(&eight, Conv2d::new(kernel).pad(2), pooled(pool)), apart, "{kernel:?}");
    }
    // In f16 by implicit products only, of whole sums, and where nothing of it is to stay in f32.
    let half = |elements: Elements| gpu.with_elements(elements.with_ports()).with_variant(Variant::Tiled);
    assert_eq!(operators(&half(Elements::f16()), conv, pooled(pool)), ["conv2d+max_pool2d"]);
    assert_eq!(operators(&half(Elements::f16()), conv, pooled(pool.pad(1))), apart);
    assert_eq!(operators(&half(Elements::f16()).with_variant(Variant::Direct), conv, pooled(pool)), apart);
    for name in ["conv", "pool", "conv.weight"] {
        assert_eq!(operators(&half(Elements::f16().keep_f32(name)), conv, pooled(pool)), apart, "{name}");
    }
    // Two readers; a ReLU between that another node reads too.
    let twice = |g: &mut switchback::GraphBuilder, map| {
        let maxima = g.max_pool2d("pool", map, pool).unwrap();
        let sum = g.add("sum", map, map).unwrap();
        [maxima, sum].into_iter().for_each(|edge| g.output(edge).unwrap());
    };
    assert_eq!(operators(&filtering, conv, twice), ["conv2d", "max_pool2d", "add"]);
    // A ReLU of its own between them becomes part of both.
    let rectified = |g: &mut switchback::GraphBuilder, map| {
        let rectified = g.relu("relu", map).unwrap();
        let maxima = g.max_pool2d("pool", rectified, pool).unwrap();
        g.output(maxima).unwrap();
    };
    assert_eq!(operators(&filtering, conv, rectified), ["conv2d+max_pool2d"]);
}
