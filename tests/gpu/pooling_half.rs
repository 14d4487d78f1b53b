//! Pooling and unpooling of maps in f16. They only choose and move, so results are those of the rounded operands, bit for bit.

use proptest::prelude::*;
use switchback::gpu::{Elements, Storage};
use switchback::graph::{Inputs, Outputs, Plan};
use switchback::kernel::{max_pool2d, max_unpool2d};
use switchback::weights::Weights;
use switchback::{Gpu, Graph, MaxPool2d, MaxUnpool2d, Rounding, Tensor, reference};

use super::devices::{assert_same, on_each};
use crate::common::adapter;
use crate::common::problem::{max_pool2d_cases, max_pool2d_problems, max_unpool2d_cases, max_unpool2d_problems};
use crate::common::random::Random;
use crate::common::seeds::for_generated;

/// Windows that two bits hold.
const PAIRS: MaxPool2d = MaxPool2d::new([2, 2]);

/// A tensor as f16 holds it, what is too large as the largest.
fn rounded(tensor: &Tensor) -> Tensor {
    let most = reference::LARGEST_HALF;
    let fits = tensor.data().iter().map(|&value| if value.is_finite() { value.clamp(-most, most) } else { value });
    reference::half_tensor(&Tensor::new(tensor.shape(), fits.collect()).unwrap())
}

fn run(gpu: &Gpu, graph: &Graph, inputs: Inputs) -> (Plan, Outputs) {
    let mut session = gpu.with_elements(Elements::f16().with_ports()).compile(graph, &Weights::new()).unwrap();
    let outputs = session.run(inputs).unwrap();
    (session.plan().clone(), outputs)
}

/// The node's results are in f16, by kernels for f16, switches in this form.
fn assert_native(plan: &Plan, node: &str, switches: Option<Storage>) {
    let node = plan.node(node).unwrap();
    assert!(!node.via_f32(), "{plan}");
    assert_eq!(node.storages()[0], Storage::Halves, "{plan}");
    assert_eq!(node.storages().get(1).copied(), switches, "{plan}");
}

/// Down by maxima alone, down with switches and up again by them: as words, which the caller sees, and in the form that
/// the plan chooses.
fn check(gpu: &Gpu, pool: &MaxPool2d, unpool: &MaxUnpool2d, x: &Tensor, because: &str) {
    let x = rounded(x);
    let (maxima, switches) = reference::max_pool2d(pool, &x).unwrap();
    let mut random = Random::new(9);
    let values = Tensor::from_fn(maxima.shape(), |_| random.integer(1, 16) as f32 - 16.5).unwrap();
    let unpooled = reference::max_unpool2d(unpool, &values, &switches).unwrap();
    let inputs = || Inputs::new().with("x", &x).with("values", &values);
    for shown in [true, false] {
        let mut g = Graph::builder();
        let (x, values) = (g.input("x", x.shape()).unwrap(), g.input("values", values.shape()).unwrap());
        let alone = g.max_pool2d("alone", x, *pool).unwrap();
        let (down, cells) = g.max_pool2d_switches("down", x, *pool).unwrap();
        let up = g.max_unpool2d_with("up", values, cells, *unpool).unwrap();
        [alone, down, up].into_iter().for_each(|edge| g.output(edge).unwrap());
        if shown {
            g.output(cells).unwrap();
        }
        let graph = g.build().unwrap();
        let gather = gpu.with_variant(max_unpool2d::Variant::Gather);
        for gpu in [gpu, &gather] {
            let (plan, found) = run(gpu, &graph, inputs());
            let because = format!("{because}\n{plan}");
            assert_same(found.tensor("alone").unwrap(), &maxima, &because);
            assert_same(found.tensor("down").unwrap(), &maxima, &because);
            assert_same(found.tensor("up").unwrap(), &unpooled, &because);
            if shown {
                assert_eq!(found.switches("down.switches").unwrap(), &switches, "{because}");
            }
            assert_native(&plan, "alone", None);
            let form = plan.node("down").unwrap().storages()[1];
            assert!(!shown || form == Storage::Words, "{plan}");
            assert_native(&plan, "down", Some(form));
        }
        assert_native(&run(&gather, &graph, inputs()).0, "up", None);
    }
}

#[test]
fn named_poolings() {
    on_each(|gpu| {
        for problem in max_pool2d_cases() {
            check(gpu, &problem.op, &MaxUnpool2d::new(), &problem.input(1), problem.because);
        }
    });
}

#[test]
fn named_unpoolings() {
    on_each(|gpu| {
        for problem in max_unpool2d_cases() {
            check(gpu, &problem.pool.op, &problem.op, &problem.pool.input(1), problem.because);
        }
    });
}

#[test]
fn generated_problems() {
    let Some(gpu) = adapter::gpu() else { return };
    let problems = (max_pool2d_problems(), max_unpool2d_problems(), any::<u64>());
    for_generated(24, problems, |(pooling, unpooling, seed)| {
        let because = format!("{:?} of {:?}", pooling.op, pooling.input);
        check(&gpu, &pooling.op, &MaxUnpool2d::new(), &pooling.input(seed), &because);
        let (pool, op) = (&unpooling.pool, unpooling.op);
        check(&gpu, &pool.op, &op, &pool.input(seed), &format!("{op:?} of {:?} of {:?}", pool.op, pool.input));
    });
}

/// Rows that end anywhere in a vector and in a word of switches, odd and even channels, two images.
#[test]
fn every_tail() {
    on_each(|gpu| {
        for width in [7, 8, 9, 10, 12, 31, 32, 33, 34, 36, 63, 64, 65, 66, 68, 130] {
            for (channels, height) in [(1, 1), (2, 2), (5, 5), (6, 6)] {
                for pool in [PAIRS, PAIRS.ceil()] {
                    let input = [2, channels, height, width];
                    if pool.output_shape(input.into()).is_ok() {
                        let because = format!("{:?} of {input:?}", pool.rounding);
                        check(gpu, &pool, &MaxUnpool2d::new(), &Random::new(2).ties(input), &because);
                    }
                }
            }
        }
    });
}

/// What comparisons get wrong: NaNs of either sign, infinities, the ends of f16, zeros of either sign, subnormals.
#[test]
fn special_values() {
    let special = [
        f32::NAN,
        -f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -reference::LARGEST_HALF,
        0.0,
        -0.0,
        2.0_f32.powi(-24),
        -(2.0_f32.powi(-24)),
        2.0_f32.powi(-14),
        1.0,
        -1.0,
    ];
    let poolings = [
        (PAIRS, [8, 12]),
        (PAIRS.ceil(), [7, 13]),
        (MaxPool2d::new([3, 3]).stride([2, 1]).pad(1), [11, 13]),
        (MaxPool2d::new([2, 3]).stride([1, 2]).dilation([3, 2]).pad([1, 2]), [11, 13]),
    ];
    on_each(|gpu| {
        for (position, (pool, [height, width])) in poolings.into_iter().enumerate() {
            let mut random = Random::new(position as u64);
            // One plane of each value alone, then planes without NaN, then planes of everything.
            let value = |[_, c, _, _]: [usize; 4]| match c {
                0..12 => special[c],
                12..24 => special[random.integer(2, 11) as usize],
                _ => special[random.integer(0, 11) as usize],
            };
            let x = Tensor::from_fn([1, 41, height, width], value).unwrap();
            check(gpu, &pool, &MaxUnpool2d::new(), &x, &format!("{pool:?}"));
        }
    });
}

/// Down to an odd extent, back, and down again, by switches of either form.
#[test]
fn pool_unpool_pool_is_pool() {
    let pool = PAIRS.rounding(Rounding::Caffe);
    on_each(|gpu| {
        let mut random = Random::new(5);
        for input in [[2, 3, 45, 60], [1, 4, 9, 33]] {
            let x = Tensor::from_fn(input, |_| random.integer(1, 4) as f32).unwrap();
            for form in [max_pool2d::Variant::Switches, max_pool2d::Variant::CompactSwitches] {
                let mut g = Graph::builder();
                let edge = g.input("x", input).unwrap();
                let (down, switches) = g.max_pool2d_switches("down", edge, pool).unwrap();
                let up = g.max_unpool2d("up", down, switches).unwrap();
                let (again, switches) = g.max_pool2d_switches("again", up, pool).unwrap();
                let last = g.max_unpool2d("last", again, switches).unwrap();
                [down, up, again, last].into_iter().for_each(|edge| g.output(edge).unwrap());
                let (plan, found) = run(&gpu.with_variant(form), &g.build().unwrap(), (&x).into());
                assert_eq!(plan.node("down").unwrap().variant(), form.name(), "{plan}");
                let found = |name| found.tensor(name).unwrap();
                assert_same(found("down"), &reference::max_pool2d(&pool, &x).unwrap().0, form.name());
                assert_same(found("again"), found("down"), form.name());
                assert_same(found("last"), found("up"), form.name());
            }
        }
    });
}

/// By claims on single elements there is no way in f16; in a graph the variant then runs in f32.
#[test]
fn windows_that_overlap_many_times() {
    let Some(gpu) = adapter::gpu() else { return };
    let pool = MaxPool2d::new([3, 3]).stride([1, 1]).pad(1);
    check(&gpu, &pool, &MaxUnpool2d::new(), &Random::new(3).ties([1, 5, 9, 11]), "nine windows a cell");
}
