#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::slots::{self, Block};
use super::{Graph, Plan, Preferences};
use crate::common::seeds::for_generated;
use crate::gpu::{Caps, Cooperative, Elements, Storage, Texels};
use crate::graph::{Edge, GraphBuilder, Operation, Parameters};
use crate::op::{
    Conv2d, ConvTranspose2d, Crop, CropAdd, MaxPool2d, MaxUnpool2d, Normalize, Pad, Palette, Rounding, Slice,
};

/// FCN-8s as published: 8-bit image in, scores and labels out.
fn fcn8s(extent: [usize; 2]) -> Graph {
    let mut g = Graph::builder();
    let image = g.image("image", extent).unwrap();
    let mut x = g.normalize("data", image, Normalize::CAFFE).unwrap();
    let mut pools = Vec::new();
    for (stage, (layers, channels)) in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)].into_iter().enumerate() {
        for layer in 1..=layers {
            let pad = if (stage, layer) == (0, 1) { 100 } else { 1 };
            let conv = Conv2d::new([3, 3]).pad(pad).relu();
            x = g.conv2d(&format!("conv{}_{layer}", stage + 1), x, conv, channels).unwrap();
        }
        let pool = MaxPool2d::new([2, 2]).rounding(Rounding::Caffe);
        x = g.max_pool2d(&format!("pool{}", stage + 1), x, pool).unwrap();
        pools.push(x);
    }
    let score = Conv2d::new([1, 1]);
    let up = |k: usize| ConvTranspose2d::new([k, k]).stride([k / 2, k / 2]);
    let frozen = |name: &str| Parameters::named(name).without_bias();
    let x = g.conv2d("fc6", x, Conv2d::new([7, 7]).relu(), 4096).unwrap();
    let x = g.conv2d("fc7", x, Conv2d::new([1, 1]).relu(), 4096).unwrap();
    let x = g.conv2d("score_fr", x, score, 21).unwrap();
    let x = g.conv_transpose2d_with("upscore2", x, up(4), 21, frozen("upscore2")).unwrap();
    let skip = g.conv2d("score_pool4", pools[3], score, 21).unwrap();
    let x = g.crop_add("fuse_pool4", x, skip, CropAdd::new([5, 5])).unwrap();
    let x = g.conv_transpose2d_with("upscore_pool4", x, up(4), 21, frozen("upscore_pool4")).unwrap();
    let skip = g.conv2d("score_pool3", pools[2], score, 21).unwrap();
    let x = g.crop_add("fuse_pool3", x, skip, CropAdd::new([9, 9])).unwrap();
    let x = g.conv_transpose2d_with("upscore8", x, up(16), 21, frozen("upscore8")).unwrap();
    let x = g.crop("score", x, Crop::new([31, 31], extent)).unwrap();
    g.output(x).unwrap();
    let labels = g.argmax_channels("labels", x).unwrap();
    g.output(labels).unwrap();
    g.build().unwrap()
}

/// The graph that is planned in the end for a GPU.
fn fused(graph: &Graph) -> Graph {
    graph.fold().graph().fused_for(
        &Caps::WEBGPU,
        &Preferences { asked: &|_| None, tuning: None, elements: &Elements::f32(), texels: None },
    )
}

#[test]
fn fcn8s_has_the_published_cost() {
    let cost = fcn8s([500, 500]).cost();
    let (published_macs, normalisation) = (181_529_034_048, 3 * 500 * 500);
    assert_eq!(cost.macs, published_macs + normalisation);
    assert_eq!(cost.parameters, 134_489_759);
}

#[test]
fn fcn8s_needs_little_more_than_its_largest_live_set() {
    let plan = fcn8s([500, 500]).plan(&Caps::WEBGPU).unwrap();
    // Input of conv1_2, 118.95 MiB, and its pooled output, a quarter of that: its map is never written. Beside them the two
    // transformed strips, 32 MiB each on a GPU.
    let (map, pooled) = (4 * 64 * 698 * 698, 4 * 64 * 349 * 349);
    assert!((map + pooled..map + pooled + (65 << 20)).contains(&plan.live_bytes()), "{}", plan.live_bytes());
    for extent in [[500, 500], [375, 500], [96, 128], [1, 1]] {
        let plan = fcn8s(extent).plan(&Caps::WEBGPU).unwrap();
        let ratio = plan.peak_bytes() as f64 / plan.live_bytes() as f64;
        assert!(ratio <= 1.05, "peak at {extent:?} is {ratio:.3} of the largest live set\n{plan}");
    }
}

/// SegNet as published, at 360x480: five pools whose switches wait for the mirrored unpooling.
fn segnet() -> Graph {
    let mut g = Graph::builder();
    let same = Conv2d::new([3, 3]).pad(1).relu();
    let mut x = g.input("data", [1, 3, 360, 480]).unwrap();
    let mut switches = Vec::new();
    let stages = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)];
    for (stage, (layers, channels)) in stages.into_iter().enumerate() {
        for layer in 1..=layers {
            x = g.conv2d(&format!("conv{}_{layer}", stage + 1), x, same, channels).unwrap();
        }
        let pool = MaxPool2d::new([2, 2]).rounding(Rounding::Caffe);
        let (pooled, positions) = g.max_pool2d_switches(&format!("pool{}", stage + 1), x, pool).unwrap();
        switches.push(positions);
        x = pooled;
    }
    for (stage, (layers, channels)) in stages.into_iter().enumerate().rev() {
        x = g.max_unpool2d(&format!("upsample{}", stage + 1), x, switches[stage]).unwrap();
        for layer in (1..=layers).rev() {
            let narrowed = if stage == 0 { 11 } else { stages[stage - 1].1 };
            let channels = if layer == 1 { narrowed } else { channels };
            x = g.conv2d(&format!("conv{}_{layer}_D", stage + 1), x, same, channels).unwrap();
        }
    }
    let labels = g.argmax_channels("labels", x).unwrap();
    g.output(labels).unwrap();
    g.build().unwrap()
}

#[test]
fn segnet_needs_little_more_than_its_largest_live_set() {
    let plan = segnet().plan(&Caps::WEBGPU).unwrap();
    let ratio = plan.peak_bytes() as f64 / plan.live_bytes() as f64;
    assert!(ratio <= 1.25, "peak is {ratio:.3} of the largest live set\n{plan}");
}

/// Poolings end convolutions on matrix units too, so that no map in full is written that f32 does not write either.
#[test]
fn activations_in_f16_take_half_at_most() {
    let units = Some(Cooperative { tile: 16, lanes: 32 });
    let matrices = Caps { f16: true, cooperative: units, ..Caps::WEBGPU };
    let software = Caps { software: true, ..Caps::WEBGPU };
    // SegNet here begins with a tensor, which is to be f16 like the maps.
    for (graph, elements) in [(fcn8s([500, 500]), Elements::f16()), (segnet(), Elements::f16().with_ports())] {
        let most = graph.plan(&Caps::WEBGPU).unwrap().peak_bytes() / 2;
        for (caps, variant) in [(&Caps::WEBGPU, "staged"), (&matrices, "cooperative")] {
            let plan = graph.plan_in(caps, &elements).unwrap();
            let first = plan.node("conv1_2").unwrap();
            assert_eq!((first.operator(), first.variant()), ("conv2d+max_pool2d", variant));
            assert!(plan.peak_bytes() <= most, "{} of {most}\n{plan}", plan.peak_bytes());
        }
    }
    // On a CPU driver poolings are ends of convolutions in f32 too. Scores of dense upsamplings, in f32 either way, are
    // left out, and a hundredth more is for what small maps take that lie beside the largest.
    for (graph, elements) in [
        (fcn8s([500, 500]).with_outputs(["fuse_pool3"]).unwrap(), Elements::f16()),
        (segnet(), Elements::f16().with_ports()),
    ] {
        let most = graph.plan(&software).unwrap().peak_bytes() / 200 * 101;
        let plan = graph.plan_in(&software, &elements).unwrap();
        assert!(plan.nodes().iter().filter(|node| node.operator() == "conv2d+max_pool2d").count() >= 4, "{plan}");
        assert!(plan.peak_bytes() <= most, "{} of {most}\n{plan}", plan.peak_bytes());
    }
}

/// In f16 as in f32, with matrix units or without; few cells of few channels go by `gather` on GPUs, which does not have all scores
/// of a pixel at hand.
#[test]
fn scores_are_written_where_f32_takes_a_kernel_that_has_them_apart() {
    let units = Some(Cooperative { tile: 16, lanes: 32 });
    let card = Caps { f16: true, max_workgroup_bytes: 48 << 10, ..Caps::WEBGPU };
    let software = Caps { software: true, ..Caps::WEBGPU };
    for caps in [Caps::WEBGPU, card, Caps { cooperative: units, ..card }, software] {
        for (channels, kernel, in_one) in [
            (5, [9, 7], caps.software.then_some("phased")),
            (31, [9, 7], Some("phased")),
            (32, [9, 7], Some("phased")),
            (33, [9, 7], None),
            (5, [8, 8], Some("shared-phases")),
        ] {
            let mut g = Graph::builder();
            let x = g.input("x", [2, channels, 17, 19]).unwrap();
            let up = g.conv_transpose2d("up", x, ConvTranspose2d::new(kernel).stride([4, 4]), channels).unwrap();
            let score = g.crop("score", up, Crop::new([3, 2], [61, 66])).unwrap();
            let labels = g.argmax_channels("labels", score).unwrap();
            g.output(labels).unwrap();
            let graph = g.build().unwrap();
            for elements in [Elements::f32(), Elements::f16(), Elements::f16().with_ports()] {
                let plan = graph.plan_in(&caps, &elements).unwrap();
                let (labels, apart) = (plan.node("labels").unwrap(), plan.node("up").is_some());
                let expected = in_one.map_or(("argmax_channels", "direct"), |by| ("conv_transpose2d_argmax", by));
                assert_eq!((labels.operator(), labels.variant()), expected, "{channels} by {kernel:?}\n{plan}");
                assert_eq!(apart, in_one.is_none(), "{plan}");
            }
        }
    }
}

/// The least rows of weights that f16's kernels take at a time are beyond a binding, raw; f32 has a kernel that takes fewer.
#[test]
fn what_a_limit_keeps_from_f16_runs_in_f32() {
    let mut g = Graph::builder();
    let wide = g.input("wide", [1, 13_200, 20, 20]).unwrap();
    let y = g.conv2d("conv", wide, Conv2d::new([9, 9]), 130).unwrap();
    let x = g.input("x", [1, 3300, 20, 20]).unwrap();
    let z = g.conv_transpose2d("up", x, ConvTranspose2d::new([32, 32]).stride([32, 32]), 32).unwrap();
    g.output(y).unwrap();
    g.output(z).unwrap();
    let graph = g.build().unwrap();
    let half = Elements::f16().with_ports();
    let plan = graph.plan_in(&Caps::WEBGPU, &half).unwrap();
    assert!(["conv", "up"].iter().all(|name| plan.node(name).unwrap().via_f32()), "{plan}");
    // By name it is an error, as for every variant.
    let asked = &|op: &str| (op == "conv2d").then_some("staged");
    assert!(
        graph.plan_with(&Caps::WEBGPU, &Preferences { asked, tuning: None, elements: &half, texels: None }).is_err()
    );
}

#[test]
fn the_plan_prints_every_node_and_the_peak() {
    let graph = fused(&fcn8s([500, 500]));
    let plan = graph.plan(&Caps::WEBGPU).unwrap();
    assert_eq!(plan.node("conv1_2").unwrap().operator(), "conv2d+max_pool2d");
    let text = plan.to_string();
    for (_, node) in graph.live_nodes().filter(|(_, node)| *node.operation() != Operation::Input) {
        assert_eq!(
            text.lines().filter(|line| line.split(' ').next() == Some(node.name())).count(),
            1,
            "{}",
            node.name()
        );
    }
    assert!(text.contains("17,960,288,256"), "MACs of conv1_2\n{text}");
    assert!(text.contains("134,489,759 parameters"), "{text}");
    assert!(text.contains(&format!("peak {:.2} MiB", plan.peak_bytes() as f64 / 1_048_576.0)), "{text}");
}

#[test]
fn the_plan_says_what_is_slow_by_an_order_of_magnitude() {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 8, 9, 9]).unwrap();
    let y = g.conv_transpose2d("up", x, ConvTranspose2d::new([16, 16]).stride([8, 8]), 8).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    assert!(!graph.plan(&Caps::WEBGPU).unwrap().to_string().contains("slow"));
    let asked = &|op: &str| (op == "conv_transpose2d").then_some("zero-insert");
    let plan = graph
        .plan_with(&Caps::WEBGPU, &Preferences { asked, tuning: None, elements: &Elements::f32(), texels: None })
        .unwrap();
    // 80x80 cells of 16x16 taps, where 9x9 cells of 16x16 taps are the definition's.
    assert!(plan.to_string().ends_with("slow: `up` by zero-insert executes 79 times its multiply-adds"), "{plan}");
}

#[test]
fn least_bytes_go_by_the_forms_of_values() {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 2, 8, 64]).unwrap();
    let (pooled, switches) = g.max_pool2d_switches("pool", x, MaxPool2d::new([2, 2])).unwrap();
    let up = g.max_unpool2d("up", pooled, switches).unwrap();
    let score = g.conv2d("score", up, Conv2d::new([1, 1]), 3).unwrap();
    g.output(score).unwrap();
    let graph = g.build().unwrap();
    // Two words of two-bit switches a row of 32 windows.
    let (map, maxima, compact) = (2 * 8 * 64, 2 * 4 * 32, 4 * (2 * 4 * 2));
    let plan = graph.plan(&Caps::WEBGPU).unwrap();
    let least = |plan: &Plan, node: &str| plan.node(node).unwrap().least_bytes();
    assert_eq!(plan.node("pool").unwrap().cost().bytes, 4 * (map + 2 * maxima));
    assert_eq!(least(&plan, "pool"), 4 * (map + maxima) + compact);
    assert_eq!(least(&plan, "up"), 4 * (map + maxima) + compact);
    assert_eq!(least(&plan, "score"), plan.node("score").unwrap().cost().bytes);
    let plan = graph.plan_in(&Caps::WEBGPU, &Elements::f16().with_ports()).unwrap();
    assert_eq!(least(&plan, "pool"), 2 * (map + maxima) + compact);
    // Three channels take two words, and weights two bytes.
    assert_eq!(least(&plan, "score"), 2 * (map + 4 * 8 * 64) + 2 * (6 + 3));
}

#[test]
fn images_that_the_caller_gives_or_takes_are_texels_where_it_asks_for_them() {
    let mut g = Graph::builder();
    let image = g.image("image", [7, 5]).unwrap();
    let x = g.normalize("x", image, Normalize::RAW).unwrap();
    let labels = g.argmax_channels("labels", x).unwrap();
    let picture = g.colorize("picture", labels, Palette::voc()).unwrap();
    let between = g.colorize("between", labels, Palette::voc()).unwrap();
    let y = g.normalize("y", between, Normalize::RAW).unwrap();
    [picture, y].into_iter().for_each(|edge| g.output(edge).unwrap());
    let graph = g.build().unwrap();
    for texels in [Texels::Rgba8, Texels::Bgra8] {
        let preferences =
            Preferences { asked: &|_| None, tuning: None, elements: &Elements::f32(), texels: Some(texels) };
        let plan = graph.plan_with(&Caps::WEBGPU, &preferences).unwrap();
        assert_eq!(plan.storage(image), Storage::Texels(texels));
        let node = |name| plan.node(name).map(|node| (node.storages(), node.output_bytes(), node.least_bytes()));
        // 35 labels and 105 bytes of a picture in whole words, or rows of 256 bytes.
        let (labels, bytes, rows) = (36, 108, 7 * 256);
        let least = |picture| (35 + 105) * (labels + picture) / (labels + bytes);
        assert_eq!(node("picture"), Some((&[Storage::Texels(texels)][..], rows, least(rows))));
        assert_eq!(node("between"), Some((&[Storage::Words][..], bytes, least(bytes))));
        assert_eq!(plan.slots().iter().filter(|&&slot| slot == rows).count(), 2, "the input and the output");
        follow(&graph, &plan);
        assert!(plan.to_string().contains(&format!("  7x5 RGB image as {texels}  ")), "{plan}");
    }
}

#[test]
fn dead_nodes_are_dropped() {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 2, 4, 4]).unwrap();
    let unused = g.input("unused", [1, 2, 4, 4]).unwrap();
    let y = g.relu("y", x).unwrap();
    let dead = g.conv2d("dead", y, Conv2d::new([3, 3]), 5).unwrap();
    g.add("dead too", dead, dead).unwrap();
    g.relu("also dead", unused).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let plan = graph.plan(&Caps::WEBGPU).unwrap();
    assert_eq!(plan.nodes().iter().map(super::PlannedNode::name).collect::<Vec<_>>(), ["y"]);
    assert!(graph.weights_required().is_empty());
    assert_eq!(graph.inputs().map(|(name, _)| name).collect::<Vec<_>>(), ["x"]);
}

#[test]
fn a_score_is_taken_before_its_skip_lies_around() {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 1, 8, 8]).unwrap();
    let skip = g.conv2d("skip", x, Conv2d::new([1, 1]), 64).unwrap();
    let mut deep = g.conv2d("deep0", skip, Conv2d::new([1, 1]), 64).unwrap();
    for layer in 1..4 {
        deep = g.conv2d(&format!("deep{layer}"), deep, Conv2d::new([1, 1]), 64).unwrap();
    }
    let deep = g.conv2d("deep", deep, Conv2d::new([1, 1]), 1).unwrap();
    let score = g.conv2d("score", skip, Conv2d::new([1, 1]), 1).unwrap();
    let y = g.add("y", deep, score).unwrap();
    g.output(y).unwrap();
    let plan = g.build().unwrap().plan(&Caps::WEBGPU).unwrap();
    let names: Vec<&str> = plan.nodes().iter().map(super::PlannedNode::name).collect();
    assert_eq!(&names[..3], ["skip", "deep0", "score"]);
    assert_eq!(plan.slots().iter().filter(|&&bytes| bytes == 4 * 64 * 64).count(), 2);
}

/// Follows a plan step by step as the device would, and fails where a value is no longer in its slot when it is read.
fn follow(graph: &Graph, plan: &Plan) {
    let mut holds: HashMap<usize, Edge> = HashMap::new();
    for edge in graph.input_edges() {
        assert!(holds.insert(plan.values[&edge], edge).is_none(), "two inputs in one slot");
    }
    let mut ran = BTreeSet::new();
    for step in &plan.steps {
        let node = &graph.nodes()[step.node];
        assert!(ran.insert(step.node), "`{}` runs twice", node.name());
        for edge in node.inputs() {
            assert_eq!(holds.get(&plan.values[edge]), Some(edge), "an operand of `{}` was overwritten", node.name());
        }
        let mut written = BTreeSet::new();
        for (edge, _) in graph.edges_of(step.node) {
            let slot = plan.values[&edge];
            assert!(4 * plan.words(graph, edge) <= plan.slots[slot], "slot {slot} is too small for `{}`", node.name());
            assert!(written.insert(slot), "two results of `{}` in one slot", node.name());
            holds.insert(slot, edge);
        }
        for edge in node.inputs() {
            assert!(!written.contains(&plan.values[edge]), "`{}` reads and writes one slot", node.name());
        }
    }
    for edge in graph.pinned() {
        assert_eq!(holds.get(&plan.values[&edge]), Some(&edge), "an input or output was overwritten");
    }
    let live = graph.live_nodes().filter(|(_, node)| *node.operation() != Operation::Input);
    assert_eq!(ran, live.map(|(node, _)| node).collect());
    assert!(plan.peak_bytes() >= plan.live_bytes());
}

#[test]
fn fcn8s_values_survive_until_they_are_read() {
    let graph = fused(&fcn8s([500, 500]));
    follow(&graph, &graph.plan(&Caps::WEBGPU).unwrap());
}

#[test]
#[should_panic(expected = "was overwritten")]
fn a_planted_overlap_is_found() {
    let graph = fused(&fcn8s([500, 500]));
    let mut plan = graph.plan(&Caps::WEBGPU).unwrap();
    let edge = |name: &str| {
        let node = graph.nodes().iter().position(|node| node.name() == name).unwrap();
        graph.edges_of(node).next().unwrap().0
    };
    let taken = plan.values[&edge("upscore2")];
    plan.values.insert(edge("score_pool4"), taken);
    follow(&graph, &plan);
}

/// Adds a node made of arbitrary numbers to what is there; some numbers make none.
fn grow(g: &mut GraphBuilder, name: &str, tensors: &mut Vec<Edge>, switches: &mut Vec<(Edge, Edge)>, pick: [usize; 4]) {
    let [kind, a, b, n] = pick;
    let x = tensors[a % tensors.len()];
    let other = tensors[b % tensors.len()];
    let shape = g.shape(x).unwrap();
    let added = match kind % 10 {
        0 => g.conv2d(name, x, Conv2d::new([1, 1]), 1 + n % 6),
        1 => g.relu(name, x),
        2 => g.add(name, x, other).or_else(|_| g.add(name, x, x)),
        3 => g.concat(name, &[x, other, x]).or_else(|_| g.concat(name, &[x, x])),
        4 => g.pad(name, x, Pad::new(1 + n % 2)),
        5 => g.slice(name, x, Slice::new(0, 1 + n % shape.c)),
        6 => match g.max_pool2d_switches(name, x, MaxPool2d::new([2, 2]).ceil()) {
            Ok((values, positions)) => {
                switches.push((values, positions));
                Ok(values)
            }
            Err(error) => Err(error),
        },
        7 if !switches.is_empty() => {
            let (values, positions) = switches[n % switches.len()];
            g.max_unpool2d_with(name, values, positions, MaxUnpool2d::new())
        }
        8 => g.crop(name, x, Crop::new([0, 0], [1 + n % shape.h, shape.w])),
        _ => g.conv_transpose2d(name, x, ConvTranspose2d::new([2, 2]).stride([2, 2]), 1 + n % 4),
    };
    tensors.extend(added);
}

prop_compose! {
    fn any_graph()(
        nodes in prop::collection::vec(any::<[usize; 4]>(), 1..40),
        outputs in prop::collection::vec(any::<usize>(), 1..4),
    ) -> Graph {
        let mut g = Graph::builder();
        let x = g.input("x", [1, 3, 6, 5]).unwrap();
        let z = g.input("z", [2, 2, 4, 4]).unwrap();
        let (mut tensors, mut switches) = (vec![x, z], Vec::new());
        for (position, node) in nodes.into_iter().enumerate() {
            grow(&mut g, &format!("n{position}"), &mut tensors, &mut switches, node);
        }
        for output in outputs {
            let _ = g.output(tensors[output % tensors.len()]); // twice the same is refused
        }
        g.build().unwrap()
    }
}

prop_compose! {
    fn any_blocks()(spans in prop::collection::vec((1_u64..1000, 0_usize..30, 0_usize..8), 0..60)) -> Vec<Block> {
        spans.into_iter().map(|(bytes, first, length)| Block { bytes, first, last: first + length }).collect()
    }
}

#[test]
fn generated_graphs_keep_values_until_they_are_read() {
    for_generated(256, any_graph(), |graph| {
        let graph = fused(&graph);
        follow(&graph, &graph.plan(&Caps::WEBGPU).unwrap());
    });
}

#[test]
fn generated_blocks_that_meet_lie_apart() {
    for_generated(256, any_blocks(), |blocks| {
        let slots = slots::assign(&blocks);
        for (a, block) in blocks.iter().enumerate() {
            assert!(block.bytes <= slots.sizes[slots.of[a]]);
            for (b, other) in blocks.iter().enumerate().skip(a + 1) {
                let apart = block.last < other.first || other.last < block.first;
                assert!(apart || slots.of[a] != slots.of[b], "{block:?} and {other:?} meet");
            }
        }
        let separate: u64 = blocks.iter().map(|block| block.bytes).sum();
        assert!((slots::largest_live_set(&blocks)..=separate).contains(&slots.bytes()));
    });
}
