//! Switches of two bits a window: the same pooling, the same unpooling, in a sixteenth of the memory.

use proptest::prelude::*;
use switchback::gpu::Storage;
use switchback::graph::ValueType;
use switchback::kernel::{max_pool2d, max_unpool2d};
use switchback::weights::Weights;
use switchback::{Error, Gpu, Graph, MaxPool2d, MaxUnpool2d, Rounding, Tensor, reference};

use super::devices::{assert_same, on_each};
use crate::common::adapter;
use crate::common::problem::max_pool2d_cases;
use crate::common::random::Random;
use crate::common::seeds::for_generated;

/// Windows that two bits hold.
const PAIRS: MaxPool2d = MaxPool2d::new([2, 2]);

/// Down and up again by compact switches; every step must be the reference's, bit for bit.
fn check(gpu: &Gpu, pool: &MaxPool2d, x: &Tensor, because: &str) {
    let (maxima, switches) = reference::max_pool2d(pool, x).unwrap();
    let compact = gpu.with_variant(max_pool2d::Variant::CompactSwitches);
    let (found, positions) = compact.max_pool2d_switches(pool, &gpu.upload(x).unwrap()).unwrap();
    assert_eq!(positions.storage(), Storage::Compact);
    assert_same(&gpu.download(&found).unwrap(), &maxima, &format!("maxima, {because}"));
    assert_eq!(gpu.download_switches(&positions).unwrap(), switches, "switches, {because}");
    let mut random = Random::new(9);
    let values = Tensor::from_fn(maxima.shape(), |_| random.integer(1, 16) as f32 - 16.5).unwrap();
    let expected = reference::max_unpool2d(&MaxUnpool2d::new(), &values, &switches).unwrap();
    let unpooled = gpu.max_unpool2d(&MaxUnpool2d::new(), &gpu.upload(&values).unwrap(), &positions).unwrap();
    assert_same(&gpu.download(&unpooled).unwrap(), &expected, &format!("unpooled, {because}"));
}

#[test]
fn named_problems() {
    on_each(|gpu| {
        let mut held = 0;
        for problem in max_pool2d_cases() {
            if (problem.op.kernel, problem.op.stride, problem.op.pad) == (PAIRS.kernel, PAIRS.stride, PAIRS.pad) {
                check(gpu, &problem.op, &problem.input(1), problem.because);
                held += 1;
            } else {
                let compact = gpu.with_variant(max_pool2d::Variant::CompactSwitches);
                let refused = compact.max_pool2d_switches(&problem.op, &gpu.upload(&problem.input(1)).unwrap());
                assert!(refused.unwrap_err().is_unsupported(), "{}", problem.because);
            }
        }
        assert!(held >= 5, "{held}");
    });
}

/// Rows that end anywhere in a vector and in a word, by every rounding, over every kind of plane.
#[test]
fn every_tail() {
    on_each(|gpu| {
        for width in [1, 2, 3, 4, 5, 7, 8, 30, 31, 32, 33, 34, 36, 63, 64, 65, 66, 68, 127, 130, 256, 292] {
            for pool in [PAIRS, PAIRS.ceil(), PAIRS.rounding(Rounding::Caffe)] {
                for height in [1, 2, 5] {
                    let input = [1, 5, height, width];
                    if pool.output_shape(input.into()).is_ok() {
                        check(gpu, &pool, &Random::new(2).ties(input), &format!("{:?} of {input:?}", pool.rounding));
                    }
                }
            }
        }
    });
}

#[test]
fn generated_problems() {
    let Some(gpu) = adapter::gpu() else { return };
    let rounding = prop::sample::select(&[Rounding::Floor, Rounding::Ceil, Rounding::Caffe][..]);
    let problems = (1_usize..=2, 1_usize..=6, 2_usize..=40, 2_usize..=140, rounding, any::<u64>());
    for_generated(64, problems, |(n, c, h, w, rounding, seed)| {
        let pool = PAIRS.rounding(rounding);
        check(&gpu, &pool, &Random::new(seed).ties([n, c, h, w]), &format!("{pool:?} of {n}x{c}x{h}x{w}"));
    });
}

/// What comparisons of floats get wrong, in windows with and without all of their cells.
#[test]
fn special_values() {
    const BITS: [u32; 8] =
        [0x7fc0_0000, 0xffc0_1234, 0x7f80_0000, 0xff80_0000, 0xff7f_ffff, 0x0000_0000, 0x8000_0000, 0x0000_0001];
    let Some(gpu) = adapter::gpu() else { return };
    for (height, width, seed) in [(7, 12, 1), (7, 13, 2), (7, 35, 3), (8, 12, 4)] {
        let mut random = Random::new(seed);
        // A plane of each value alone, then planes of numbers, then planes of everything.
        let mut value = |[_, c, _, _]: [usize; 4]| match c {
            0..8 => BITS[c],
            8..16 => BITS[random.integer(2, 7) as usize],
            _ => BITS[random.integer(0, 7) as usize],
        };
        let x = Tensor::from_fn([1, 32, height, width], |position| f32::from_bits(value(position))).unwrap();
        for pool in [PAIRS, PAIRS.ceil()] {
            check(&gpu, &pool, &x, &format!("{:?} of {height}x{width}", pool.rounding));
        }
    }
}

#[test]
fn values_move_untouched() {
    let Some(gpu) = adapter::gpu() else { return };
    let compact = gpu.with_variant(max_pool2d::Variant::CompactSwitches);
    let (_, switches) =
        compact.max_pool2d_switches(&PAIRS, &gpu.upload(&Tensor::zeros([1, 1, 4, 6]).unwrap()).unwrap()).unwrap();
    let bits = [0x7fc0_1234, 0xff80_0000, 0x8000_0000, 0x0000_0001, 0xffff_fffe, 0x7f7f_ffff];
    let x = Tensor::new([1, 1, 2, 3], bits.map(f32::from_bits).to_vec()).unwrap();
    let y = gpu.download(&gpu.max_unpool2d(&MaxUnpool2d::new(), &gpu.upload(&x).unwrap(), &switches).unwrap()).unwrap();
    let found: Vec<u32> = [0, 2, 4, 12, 14, 16].map(|cell| y.data()[cell].to_bits()).to_vec();
    assert_eq!(found, bits);
}

#[test]
fn what_they_are_not_for_is_refused() {
    let Some(gpu) = adapter::gpu() else { return };
    let compact = gpu.with_variant(max_pool2d::Variant::CompactSwitches);
    let x = gpu.upload(&Tensor::zeros([1, 1, 6, 8]).unwrap()).unwrap();
    for pool in [
        MaxPool2d::new([3, 3]).stride([2, 2]),
        PAIRS.stride([1, 1]),
        PAIRS.pad(1),
        PAIRS.dilation([1, 2]),
        MaxPool2d::new([2, 3]),
    ] {
        let refusal = compact.max_pool2d_switches(&pool, &x).unwrap_err();
        assert!(matches!(refusal, Error::Unsupported { .. }), "{pool:?}: {refusal}");
    }
    let (pooled, switches) = compact.max_pool2d_switches(&PAIRS, &x).unwrap();
    let larger = gpu.max_unpool2d(&MaxUnpool2d::new().output_size([7, 8]), &pooled, &switches).unwrap_err();
    assert!(matches!(larger, Error::Unsupported { .. }), "{larger}");
    let scattered = gpu.with_variant(max_unpool2d::Variant::Scatter);
    let refusal = scattered.max_unpool2d(&MaxUnpool2d::new(), &pooled, &switches).unwrap_err();
    assert!(matches!(refusal, Error::Unsupported { .. }), "{refusal}");
    let other = gpu.max_unpool2d(&MaxUnpool2d::new(), &x, &switches).unwrap_err();
    assert!(matches!(other, Error::Operand { op: "max_unpool2d", .. }), "{other}");
}

/// Two poolings and their unpoolings, as SegNet nests them, over an odd extent.
fn nested() -> Graph {
    let mut g = Graph::builder();
    let x = g.input("x", [2, 3, 45, 59]).unwrap();
    let (down, outer) = g.max_pool2d_switches("pool1", x, PAIRS.rounding(Rounding::Caffe)).unwrap();
    let (down, inner) = g.max_pool2d_switches("pool2", down, PAIRS.ceil()).unwrap();
    let up = g.max_unpool2d("unpool2", down, inner).unwrap();
    let up = g.max_unpool2d("unpool1", up, outer).unwrap();
    g.output(up).unwrap();
    g.build().unwrap()
}

#[test]
fn graphs_choose_them_and_give_the_same() {
    let x = Random::new(4).ties([2, 3, 45, 59]);
    on_each(|gpu| {
        let mut session = gpu.compile(&nested(), &Weights::new()).unwrap();
        let mut of_words = gpu.with_variant(max_pool2d::Variant::Switches).compile(&nested(), &Weights::new()).unwrap();
        for pool in ["pool1", "pool2"] {
            let planned = session.plan().node(pool).unwrap();
            assert_eq!(planned.storages(), [Storage::Words, Storage::Compact], "{}", session.plan());
            let pooled = planned.outputs()[0].bytes();
            assert!(4 * (planned.output_bytes() - pooled) <= pooled, "{}", session.plan());
            assert_eq!(of_words.plan().node(pool).unwrap().storages(), [Storage::Words; 2]);
        }
        assert!(session.plan().to_string().contains("2x3x23x30 compact switches into 45x59"), "{}", session.plan());
        let compact = session.run(&x).unwrap();
        assert_same(compact.tensor("unpool1").unwrap(), of_words.run(&x).unwrap().tensor("unpool1").unwrap(), "graph");
    });
}

#[test]
fn switches_that_go_elsewhere_stay_words() {
    let Some(gpu) = adapter::gpu() else { return };
    let storages = |build: &dyn Fn(&mut switchback::GraphBuilder, switchback::Edge)| {
        let mut g = Graph::builder();
        let x = g.input("x", [1, 2, 12, 16]).unwrap();
        build(&mut g, x);
        let session = gpu.compile(&g.build().unwrap(), &Weights::new()).unwrap();
        session.plan().node("pool").unwrap().storages().to_vec()
    };
    let up = |g: &mut switchback::GraphBuilder, pool, x, op| {
        let (pooled, switches) = g.max_pool2d_switches("pool", x, pool).unwrap();
        let y = g.max_unpool2d_with("unpool", pooled, switches, op).unwrap();
        g.output(y).unwrap();
        switches
    };
    let own = MaxUnpool2d::new();
    assert_eq!(storages(&|g, x| _ = up(g, PAIRS, x, own))[1], Storage::Compact);
    assert_eq!(storages(&|g, x| _ = up(g, PAIRS, x, own.output_size([12, 16])))[1], Storage::Compact);
    assert_eq!(storages(&|g, x| _ = up(g, PAIRS, x, own.output_size([13, 16])))[1], Storage::Words);
    assert_eq!(storages(&|g, x| _ = up(g, PAIRS.stride([1, 2]), x, own))[1], Storage::Words);
    let shown = |g: &mut switchback::GraphBuilder, x| {
        let switches = up(g, PAIRS, x, own);
        g.output(switches).unwrap();
    };
    assert_eq!(storages(&shown)[1], Storage::Words, "the caller reads words");
}

#[test]
fn the_plan_counts_their_bytes() {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 64, 224, 224]).unwrap();
    let (pooled, switches) = g.max_pool2d_switches("pool", x, PAIRS).unwrap();
    let y = g.max_unpool2d("unpool", pooled, switches).unwrap();
    g.output(y).unwrap();
    let plan = g.build().unwrap().plan(&switchback::gpu::Caps::WEBGPU).unwrap();
    let pool = plan.node("pool").unwrap();
    let ValueType::Tensor(pooled) = pool.outputs()[0] else { panic!("a tensor") };
    let bytes = pool.output_bytes() - 4 * pooled.elements() as u64;
    assert_eq!(bytes, 64 * 112 * 7 * 4, "7 words a row of 112");
    assert!(plan.slots().contains(&bytes), "{plan}");
}
