//! Sessions of one network that share its weights.

use switchback::gpu::Elements;
use switchback::graph::Session;
use switchback::kernel::{conv_transpose2d, conv2d};
use switchback::weights::Weights;
use switchback::{BatchNorm, Conv2d, ConvTranspose2d, Gpu, Graph, MaxPool2d, Parameters, Tensor};

use super::{bits, small};
use crate::common::adapter;
use crate::common::random::Random;
use crate::devices::with_small_buffers;

/// Packed weights, two nodes of one weight, and weights that are read as they are (biases).
fn network([rows, columns]: [usize; 2]) -> Graph {
    let conv = Conv2d::new([3, 3]).pad(1).relu();
    let tied = || Parameters::weight("tied.weight").bias("tied.bias");
    let mut g = Graph::builder();
    let x = g.input("x", [1, 3, rows, columns]).unwrap();
    let x = g.conv2d("first", x, conv, 96).unwrap();
    let x = g.conv2d_with("wide", x, conv, 96, tied()).unwrap();
    let x = g.max_pool2d("pool", x, MaxPool2d::new([2, 2])).unwrap();
    let x = g.conv2d_with("narrow", x, conv, 96, tied()).unwrap();
    let x = g.conv_transpose2d("up", x, ConvTranspose2d::new([4, 4]).stride([2, 2]), 7).unwrap();
    g.output(x).unwrap();
    g.build().unwrap()
}

fn weights() -> Weights {
    Weights::random(network([8, 8]).weights_required(), 5).unwrap()
}

fn input(extent: [usize; 2]) -> Tensor {
    Random::new(6).reals([1, 3, extent[0], extent[1]])
}

type Bits = Vec<(String, Vec<u32>)>;

fn run(session: &mut Session, extent: [usize; 2]) -> Bits {
    bits(&session.run(&input(extent)).unwrap())
}

/// What a session gives that shares nothing.
fn alone(gpu: &Gpu, extent: [usize; 2]) -> Bits {
    let result = run(&mut gpu.compile(&network(extent), &weights()).unwrap(), extent);
    gpu.trim().unwrap();
    result
}

/// Bytes in use; nothing is left to be taken again, which may be larger than what is asked for.
fn in_use(gpu: &Gpu) -> u64 {
    gpu.trim().unwrap();
    gpu.memory().in_use
}

/// Bytes that a session takes beside its weights: its values, in f16 also what tells that one was too large.
fn slots(gpu: &Gpu, session: &Session) -> u64 {
    let overflow = if gpu.elements().is_half() { 256 * session.plan().nodes().len() } else { 0 };
    session.plan().peak_bytes() + overflow as u64
}

/// Buffers are of whole vectors, so that they take a little more than was planned.
const ROUNDING: u64 = 16 * 24;

#[track_caller]
fn assert_takes(found: u64, planned: u64) {
    assert!(found.abs_diff(planned) < ROUNDING, "{found} bytes, {planned} planned");
}

/// A device of its own, by whose kernels every extent packs alike.
fn alike(elements: Elements, variant: conv2d::Variant) -> Option<Gpu> {
    let gpu = adapter::open(Gpu::builder())?.with_elements(elements);
    Some(gpu.with_variant(variant).with_variant(conv_transpose2d::Variant::Phased))
}

#[test]
fn extents_share_weights_which_are_moved_and_packed_once() {
    let (tiled, filtering) = (conv2d::Variant::Tiled, conv2d::Variant::WinogradF4);
    for (elements, variant) in [(Elements::f32(), tiled), (Elements::f32(), filtering), (Elements::f16(), tiled)] {
        let Some(gpu) = alike(elements, variant) else { return };
        let extents = [[10, 12], [12, 12], [12, 14]];
        let expected = extents.map(|extent| alone(&gpu, extent));
        let mut weights = gpu.weights(&weights());
        assert_eq!(in_use(&gpu), 0);

        let mut first = weights.compile(&network(extents[0])).unwrap();
        let packed = in_use(&gpu) - slots(&gpu, &first);
        let planned = first.plan().weight_bytes();
        assert!(
            (planned / 2..3 * planned / 4).contains(&packed),
            "{packed} bytes, {planned} if tied weights were apart"
        );
        assert_eq!(run(&mut first, extents[0]), expected[0]);

        // Another beside it: with weights packed again, if only to be freed at once, there would have been more than ever.
        let peak = gpu.memory().peak;
        let mut second = weights.compile(&network(extents[1])).unwrap();
        assert_takes(in_use(&gpu), slots(&gpu, &first) + slots(&gpu, &second) + packed);
        let peak = peak.max(in_use(&gpu));
        assert_eq!(gpu.memory().peak, peak);
        for _ in 0..2 {
            assert_eq!(run(&mut first, extents[0]), expected[0]);
            assert_eq!(run(&mut second, extents[1]), expected[1]);
        }

        // One after the other: what the last one read is still there.
        drop((first, second));
        assert_takes(in_use(&gpu), packed);
        let mut third = weights.compile(&network(extents[2])).unwrap();
        assert_takes(in_use(&gpu), slots(&gpu, &third) + packed);
        assert_eq!(gpu.memory().peak, peak);
        assert_eq!(run(&mut third, extents[2]), expected[2]);

        // A session outlives whoever compiled it, and frees what it read alone.
        drop(weights);
        assert_eq!(run(&mut third, extents[2]), expected[2]);
        drop(third);
        assert_eq!(in_use(&gpu), 0);
    }
}

/// Two extents of which one takes other kernels for some nodes, not for all.
fn unlike(gpu: &Gpu) -> [[usize; 2]; 2] {
    let extents = [[40, 40], [2, 2], [4, 4], [6, 6], [8, 8], [14, 14], [28, 28]];
    let named = |extent: [usize; 2]| {
        let plan = gpu.plan(&network(extent)).unwrap();
        plan.nodes().iter().filter(|node| node.operator().starts_with("conv")).map(|node| node.variant()).collect()
    };
    let all: Vec<Vec<&str>> = extents.map(named).to_vec();
    let other = all.iter().position(|some| {
        let same = some.iter().zip(&all[0]).filter(|(a, b)| a == b).count();
        (1..some.len()).contains(&same)
    });
    [extents[0], extents[other.unwrap()]]
}

#[test]
fn layers_packed_for_other_kernels_are_apart_and_go_with_their_sessions() {
    let Some(gpu) = adapter::open(Gpu::builder()) else { return };
    let extents = unlike(&gpu);
    let expected = extents.map(|extent| alone(&gpu, extent));
    let packed = extents.map(|extent| {
        assert_eq!(in_use(&gpu), 0);
        let session = gpu.compile(&network(extent), &weights()).unwrap();
        in_use(&gpu) - slots(&gpu, &session)
    });
    let mut weights = gpu.weights(&weights());
    let mut session = weights.compile(&network(extents[0])).unwrap();
    let mut other = weights.compile(&network(extents[1])).unwrap();
    let together = in_use(&gpu) - slots(&gpu, &session) - slots(&gpu, &other);
    assert!(together > packed[0].max(packed[1]) + ROUNDING, "{packed:?} bytes apart, {together} for both: none apart");
    // More than biases, which are read as they are.
    assert!(together + 4096 < packed[0] + packed[1], "{packed:?} bytes apart, {together} for both: none shared");
    assert_eq!(run(&mut session, extents[0]), expected[0]);
    assert_eq!(run(&mut other, extents[1]), expected[1]);

    // What only the first reads goes with it, what only the last one read when the next is compiled.
    drop(session);
    assert_takes(in_use(&gpu), slots(&gpu, &other) + packed[1]);
    drop(other);
    assert_takes(in_use(&gpu), packed[1]);
    for ((extent, packed), expected) in extents.into_iter().zip(packed).zip(&expected) {
        let mut session = weights.compile(&network(extent)).unwrap();
        assert_eq!(run(&mut session, extent), *expected);
        // Memory of what went may be taken for what came, where it wastes little.
        let planned = slots(&gpu, &session) + packed;
        let found = in_use(&gpu);
        assert!((planned..planned + planned / 8).contains(&found), "{found} bytes, {planned} planned");
    }
}

/// Compiles each graph three times in turn, with all earlier sessions alive, and compares with sessions that share nothing.
#[track_caller]
fn assert_apart(gpu: &Gpu, graphs: &[Graph], weights: &Weights, x: &Tensor) {
    let run = |mut session: Session| (bits(&session.run(x).unwrap()), session);
    let expected: Vec<Bits> = graphs.iter().map(|graph| run(gpu.compile(graph, weights).unwrap()).0).collect();
    let values = |bits: &Bits| bits[0].1.clone();
    assert!(expected.windows(2).all(|pair| values(&pair[0]) != values(&pair[1])), "the graphs differ");
    let mut shared = gpu.weights(weights);
    let mut alive = Vec::new();
    for _ in 0..3 {
        for (graph, expected) in graphs.iter().zip(&expected) {
            let (found, session) = run(shared.compile(graph).unwrap());
            assert_eq!(found, *expected);
            alive.push(session);
        }
    }
}

/// Kernels that read weights as they are, and ones that pack them.
const READERS: [conv2d::Variant; 2] = [conv2d::Variant::Direct, conv2d::Variant::Tiled];

#[test]
fn weights_with_other_things_folded_into_them_are_apart() {
    let Some(gpu) = adapter::gpu() else { return };
    let graph = |norm: Option<(&str, BatchNorm)>| {
        let mut g = Graph::builder();
        let x = g.input("x", [1, 3, 9, 11]).unwrap();
        let mut x = g.conv2d("conv", x, Conv2d::new([3, 3]).pad(1), 8).unwrap();
        if let Some((name, norm)) = norm {
            x = g.batch_norm(name, x, norm).unwrap();
        }
        g.output(x).unwrap();
        g.build().unwrap()
    };
    let (norm, other) = (BatchNorm::new(), BatchNorm::new().epsilon(0.5));
    let graphs = [None, Some(("norm", norm)), Some(("norm", other)), Some(("another norm", norm))].map(graph);
    let required = graphs.iter().flat_map(|graph| graph.weights_required());
    let weights = Weights::random(required, 7).unwrap();
    for variant in READERS {
        assert_apart(&gpu.with_variant(variant), &graphs, &weights, &Random::new(8).reals([1, 3, 9, 11]));
    }
}

#[test]
fn constants_are_told_by_their_values() {
    let Some(gpu) = adapter::gpu() else { return };
    let graph = |seed| {
        let mut random = Random::new(seed);
        let parameters = Parameters::weight(random.reals([8, 3, 3, 3])).bias(random.reals([1, 8, 1, 1]));
        let mut g = Graph::builder();
        let x = g.input("x", [1, 3, 9, 11]).unwrap();
        let x = g.conv2d_with("conv", x, Conv2d::new([3, 3]).pad(1), 8, parameters).unwrap();
        g.output(x).unwrap();
        g.build().unwrap()
    };
    for variant in READERS {
        let x = Random::new(8).reals([1, 3, 9, 11]);
        assert_apart(&gpu.with_variant(variant), &[graph(1), graph(2)], &Weights::new(), &x);
    }
}

#[test]
fn a_compilation_that_fails_leaves_what_is_there() {
    let Some(gpu) = alike(Elements::f32(), conv2d::Variant::Tiled) else { return };
    let expected = alone(&gpu, [12, 14]);
    let mut weights = gpu.weights(&weights());
    drop(weights.compile(&network([10, 12])).unwrap());
    let packed = in_use(&gpu);
    // For a weight that is not there, and for a map that is too large.
    let error = weights.compile(&small().0).unwrap_err().to_string();
    assert!(error.contains("`conv.weight` is missing"), "{error}");
    assert!(weights.compile(&network([200_000, 100])).unwrap_err().is_out_of_memory());
    assert_eq!(in_use(&gpu), packed);
    let mut session = weights.compile(&network([12, 14])).unwrap();
    assert_takes(in_use(&gpu), slots(&gpu, &session) + packed);
    assert_eq!(run(&mut session, [12, 14]), expected);

    gpu.device().destroy();
    for _ in 0..2 {
        assert!(weights.compile(&network([10, 12])).unwrap_err().is_device_lost());
    }
}

/// A convolution between two others, in f16 if anything is, with a weight beyond its range; and that convolution alone, in f32.
#[test]
fn a_weight_that_f32_took_is_refused_where_f16_would_round_it() {
    let Some(gpu) = adapter::gpu() else { return };
    let gpu = gpu.with_elements(Elements::f16()).with_variant(conv2d::Variant::Tiled);
    let graph = |between: bool| {
        let conv = Conv2d::new([1, 1]);
        let mut g = Graph::builder();
        let mut x = g.input("x", [1, 2, 3, 5]).unwrap();
        if between {
            x = g.conv2d("before", x, conv, 2).unwrap();
        }
        let y = g.conv2d("large", x, conv, 2).unwrap();
        g.output(y).unwrap();
        g.build().unwrap()
    };
    let mut weights = Weights::random(graph(true).weights_required(), 9).unwrap();
    weights.insert("large.weight", &Tensor::full([2, 2, 1, 1], 70_000.0).unwrap());
    let x = Random::new(10).reals([1, 2, 3, 5]);
    let mut shared = gpu.weights(&weights);
    let mut run = || shared.compile(&graph(false)).map(|mut session| bits(&session.run(&x).unwrap())).unwrap();
    let expected = run();
    let error = shared.compile(&graph(true)).unwrap_err().to_string();
    assert!(error.contains("70000, in weight `large.weight`"), "{error}");
    let mut run = || shared.compile(&graph(false)).map(|mut session| bits(&session.run(&x).unwrap())).unwrap();
    assert_eq!(run(), expected);
}

#[test]
fn weights_in_several_buffers_are_shared() {
    let Some(gpu) = adapter::gpu() else { return };
    let gpu = with_small_buffers(&gpu);
    let graph = |rows| {
        let mut g = Graph::builder();
        let x = g.input("x", [1, 100, rows, 3]).unwrap();
        let y = g.conv2d("fc", x, Conv2d::new([1, 1]).relu(), 400).unwrap();
        g.output(y).unwrap();
        g.build().unwrap()
    };
    let weights = Weights::random(graph(1).weights_required(), 7).unwrap();
    for variant in READERS {
        let gpu = gpu.with_variant(variant);
        let mut shared = gpu.weights(&weights);
        let mut alive = Vec::new();
        for rows in [3, 1, 2] {
            let x = Random::new(8).reals([1, 100, rows, 3]);
            let expected = bits(&gpu.compile(&graph(rows), &weights).unwrap().run(&x).unwrap());
            gpu.trim().unwrap();
            let mut session = shared.compile(&graph(rows)).unwrap();
            let weight_bytes = session.plan().weight_bytes();
            assert!(weight_bytes > 2 * (64 << 10), "more than two buffers");
            assert_eq!(bits(&session.run(&x).unwrap()), expected);
            alive.push(session);
            let found = in_use(&gpu) - alive.iter().map(|session| slots(&gpu, session)).sum::<u64>();
            assert!(found < weight_bytes * 5 / 4, "{found} bytes for {} sessions, {weight_bytes} planned", alive.len());
        }
    }
}

#[test]
fn sessions_that_share_weights_run_at_once() {
    let Some(gpu) = adapter::gpu() else { return };
    let extents = [[10, 12], [12, 12], [12, 14]];
    let expected = extents.map(|extent| alone(&gpu, extent));
    let mut weights = gpu.weights(&weights());
    let sessions = extents.map(|extent| weights.compile(&network(extent)).unwrap());
    std::thread::scope(|scope| {
        for ((mut session, extent), expected) in sessions.into_iter().zip(extents).zip(&expected) {
            scope.spawn(move || (0..3).for_each(|_| assert_eq!(run(&mut session, extent), *expected)));
        }
    });
}
