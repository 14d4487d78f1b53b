//! Whole graphs on the device.

use proptest::prelude::*;
use switchback::gpu::{LimitsChoice, wgpu};
use switchback::graph::{Inputs, Outputs, Session, interpret};
use switchback::kernel::{conv_transpose2d, conv2d, max_unpool2d};
use switchback::weights::Weights;
use switchback::{
    BatchNorm, Conv2d, ConvTranspose2d, CropAdd, Error, Gpu, Graph, MaxPool2d, Normalize, Palette, Parameters,
    RgbImage, Tensor, Value,
};

use crate::common::adapter;
use crate::common::graphs::{IMAGE, INPUT, Recipe, recipes};
use crate::common::problem::proptest_config;
use crate::common::random::Random;
use crate::devices::{on_each, with_limits};

/// Every node whose operands are known must be what the reference makes of them.
fn assert_checked(session: &Session, weights: &Weights, inputs: Inputs, outputs: &Outputs) {
    let checks = session.check_nodes(weights, inputs, outputs).unwrap();
    assert!(!checks.is_empty());
    for check in checks {
        assert!(check.mismatch.is_none(), "node `{}`: {}", check.node, check.mismatch.unwrap_or_default());
    }
}

/// The bits of outputs: NaN are equal to themselves, zeros to zeros of their own sign.
fn bits(outputs: &Outputs) -> Vec<(String, Vec<u32>)> {
    let value = |value: &Value| match value {
        Value::Tensor(tensor) => tensor.data().iter().map(|v| v.to_bits()).collect(),
        Value::Switches(switches) => switches.indices().to_vec(),
        Value::Labels(labels) => labels.data().iter().copied().map(u32::from).collect(),
        Value::Image(image) => image.data().iter().copied().map(u32::from).collect(),
        _ => panic!("a new kind of value"),
    };
    outputs.iter().map(|(name, v)| (name.to_owned(), value(v))).collect()
}

/// Whether every scaling and batch norm of a graph stays a node of its own.
fn folds_no_numbers(graph: &Graph) -> bool {
    let folded = graph.fold();
    let live: Vec<String> = graph.with_every_output().outputs().map(|(name, _)| name.to_owned()).collect();
    let changes_numbers = |name: &&String| {
        let operator = graph.node(name).map(|node| node.operation().name());
        matches!(operator, Some("scale" | "batch_norm"))
    };
    live.iter().filter(changes_numbers).all(|name| folded.graph().node(name).is_some())
}

/// Every node against the reference, applied to what the device itself gave it; then the same graph with few outputs,
/// so that values share buffers, twice, bit for bit.
fn check_recipe(gpu: &Gpu, recipe: &Recipe) {
    let mut random = Random::new(1);
    let x = random.reals(INPUT);
    let image = RgbImage::new(IMAGE, random.bytes(3 * IMAGE[0] * IMAGE[1])).unwrap();
    let (all, few) = (recipe.all_outputs(), recipe.few_outputs());
    let weights = Weights::random(all.weights_required(), 2).unwrap();
    let inputs = |graph: &Graph| {
        let given = [("x", (&x).into()), ("image", (&image).into())];
        let used = given.into_iter().filter(|(name, _)| graph.inputs().any(|(input, _)| input == *name));
        used.fold(Inputs::new(), |inputs, (name, value): (_, switchback::graph::ValueRef)| inputs.with(name, value))
    };
    let mut session = gpu.compile(&all, &weights).unwrap();
    let everything = session.run(inputs(&all)).unwrap();
    assert_checked(&session, &weights, inputs(&all), &everything);

    let mut session = gpu.compile(&few, &weights).unwrap();
    let first = session.run(inputs(&few)).unwrap();
    let again = session.run(inputs(&few)).unwrap();
    assert_eq!(bits(&first), bits(&again), "two runs differ");
    let everything: std::collections::HashMap<_, _> = bits(&everything).into_iter().collect();
    let exact = folds_no_numbers(&few);
    for (name, found) in bits(&first) {
        if exact {
            assert_eq!(found, everything[&name], "`{name}` differs when values share buffers\n{}", session.plan());
        }
    }
    if !exact {
        // Folding rounds elsewhere: the folded graph itself, with every value in a buffer of its own.
        let folded = few.fold();
        let weights = folded.weights(&weights).unwrap();
        let open = folded.graph().with_every_output();
        let mut session = gpu.compile(&open, &weights).unwrap();
        let everything = session.run(inputs(&open)).unwrap();
        assert_checked(&session, &weights, inputs(&open), &everything);
    }
}

#[test]
fn random_graphs_node_by_node() {
    let Some(gpu) = adapter::gpu() else { return };
    proptest!(proptest_config(48), |(recipe in recipes())| check_recipe(&gpu, &recipe));
}

/// Two encoder stages that pool with switches, the mirrored decoder that unpools with them and applies the encoder's
/// own filters transposed, a skip connection, and outputs along the way.
pub(crate) fn hourglass(extent: [usize; 2]) -> Graph {
    let mut g = Graph::builder();
    let image = g.image("image", extent).unwrap();
    let x = g.normalize("data", image, Normalize::CAFFE).unwrap();
    let same = Conv2d::new([3, 3]).pad(1).relu();
    let back = ConvTranspose2d::new([3, 3]).pad(1).relu();
    let pool = MaxPool2d::new([2, 2]).ceil();
    let overlapping = MaxPool2d::new([3, 3]).stride([2, 2]).pad(1);
    let c1 = g.conv2d("conv1", x, same, 6).unwrap();
    let (p1, s1) = g.max_pool2d_switches("pool1", c1, pool).unwrap();
    let c2 = g.conv2d("conv2", p1, same, 9).unwrap();
    let (p2, s2) = g.max_pool2d_switches("pool2", c2, overlapping).unwrap();
    let u2 = g.max_unpool2d("unpool2", p2, s2).unwrap();
    let d2 = g.conv_transpose2d_with("back2", u2, back, 6, Parameters::weight("conv2.weight")).unwrap();
    let skip = g.crop_add("skip", d2, p1, CropAdd::new([0, 0]).scale(0.5)).unwrap();
    let u1 = g.max_unpool2d("unpool1", skip, s1).unwrap();
    let d1 = g.conv_transpose2d_with("back1", u1, back, 3, Parameters::weight("conv1.weight")).unwrap();
    let labels = g.argmax_channels("labels", d1).unwrap();
    for edge in [labels, d1, s2, p2] {
        g.output(edge).unwrap();
    }
    // Everything else as well, but for what two steps lie between.
    for edge in [x, c1, p1, s1, c2, u2, d2, skip, u1] {
        g.output(edge).unwrap();
    }
    g.build().unwrap()
}

#[test]
fn an_encoder_and_its_mirror() {
    on_each(|gpu| {
        for extent in [[23, 30], [7, 7], [2, 5]] {
            let graph = hourglass(extent);
            let image = RgbImage::new(extent, Random::new(3).bytes(3 * extent[0] * extent[1])).unwrap();
            let weights = Weights::random(graph.weights_required(), 4).unwrap();
            assert_eq!(graph.weights_required().len(), 4, "the decoder has no weights of its own");
            let mut session = gpu.compile(&graph, &weights).unwrap();
            let outputs = session.run(&image).unwrap();
            assert_eq!(
                outputs.iter().map(|(name, _)| name).take(4).collect::<Vec<_>>(),
                ["labels", "back1", "pool2.switches", "pool2"]
            );
            assert_checked(&session, &weights, (&image).into(), &outputs);
            assert_eq!(bits(&outputs), bits(&session.run(&image).unwrap()));
        }
    });
}

#[test]
fn every_variant_serves_a_graph() {
    let Some(gpu) = adapter::gpu() else { return };
    let extent = [23, 30];
    let graph = hourglass(extent);
    let image = RgbImage::new(extent, Random::new(10).bytes(3 * extent[0] * extent[1])).unwrap();
    let weights = Weights::random(graph.weights_required(), 11).unwrap();
    let check = |gpu: &Gpu, op: &str, variant: &str| {
        let mut session = gpu.compile(&graph, &weights).unwrap();
        let chosen: Vec<_> = session.plan().nodes().iter().filter(|node| node.operator() == op).collect();
        assert!(!chosen.is_empty() && chosen.iter().all(|node| node.variant() == variant), "{op} {variant}");
        for _ in 0..2 {
            let outputs = session.run(&image).unwrap();
            assert_checked(&session, &weights, (&image).into(), &outputs);
        }
    };
    let matrices = gpu.caps().cooperative.is_some();
    // These are for other shapes than this graph has; tests/gpu/conv2d holds them to theirs.
    let elsewhere = [conv2d::Variant::Depthwise, conv2d::Variant::DotProduct, conv2d::Variant::SplitK];
    let here = |variant: &conv2d::Variant| *variant != conv2d::Variant::Cooperative || matrices;
    let served = |variant: &&conv2d::Variant| here(variant) && !elsewhere.contains(variant);
    for &variant in conv2d::Variant::ALL.iter().filter(served) {
        check(&gpu.with_variant(variant), "conv2d", variant.name());
    }
    // These are for other shapes than this graph has.
    let special = [
        conv_transpose2d::Variant::FlippedSplitK,
        conv_transpose2d::Variant::SharedPhases,
        conv_transpose2d::Variant::Product,
        conv_transpose2d::Variant::Interpolate,
    ];
    let here = |variant: &conv_transpose2d::Variant| *variant != conv_transpose2d::Variant::Cooperative || matrices;
    let served = |variant: &&conv_transpose2d::Variant| here(variant) && !special.contains(variant);
    for &variant in conv_transpose2d::Variant::ALL.iter().filter(served) {
        check(&gpu.with_variant(variant), "conv_transpose2d", variant.name());
    }
    for &variant in max_unpool2d::Variant::ALL {
        check(&gpu.with_variant(variant), "max_unpool2d", variant.name());
    }
}

#[test]
fn transposed_convolutions_of_special_shapes_serve_a_graph() {
    let Some(gpu) = adapter::gpu() else { return };
    let up = ConvTranspose2d::new([4, 4]).stride([2, 2]);
    // The first and the last are chosen on every device; phases that share cells are asked for.
    let shared = gpu.with_variant(conv_transpose2d::Variant::SharedPhases);
    for (gpu, input, op, variant) in [
        (&gpu, [2, 6, 1, 1], up, "product"),
        (&shared, [2, 6, 3, 5], up, "shared-phases"),
        (&gpu, [2, 6, 3, 5], up.groups(6), "interpolate"),
    ] {
        let mut g = Graph::builder();
        let x = g.input("x", input).unwrap();
        let y = g.conv_transpose2d("up", x, op, 6).unwrap();
        g.output(y).unwrap();
        let graph = g.build().unwrap();
        let weights = Weights::random(graph.weights_required(), 12).unwrap();
        let mut session = gpu.compile(&graph, &weights).unwrap();
        assert_eq!(session.plan().node("up").unwrap().variant(), variant);
        let x = Random::new(13).reals(input);
        for _ in 0..2 {
            let outputs = session.run(&x).unwrap();
            assert_checked(&session, &weights, (&x).into(), &outputs);
        }
    }
}

/// A graph of two convolutions and a pooling, its weights and an input.
fn small() -> (Graph, Weights, Tensor) {
    let mut g = Graph::builder();
    let x = g.input("x", [1, 3, 20, 31]).unwrap();
    let y = g.conv2d("conv", x, Conv2d::new([3, 3]).pad(1).relu(), 8).unwrap();
    let y = g.conv2d("conv again", y, Conv2d::new([3, 3]).pad(1).relu(), 8).unwrap();
    let y = g.max_pool2d("pool", y, MaxPool2d::new([2, 2])).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 5).unwrap();
    (graph, weights, Random::new(6).reals([1, 3, 20, 31]))
}

#[test]
fn a_run_allocates_nothing_and_a_session_only_what_it_planned() {
    let Some(gpu) = adapter::open(Gpu::builder()) else { return };
    let (graph, weights, x) = small();
    let mut session = gpu.compile(&graph, &weights).unwrap();
    let memory = gpu.memory();
    let planned = session.plan().peak_bytes() + session.plan().weight_bytes();
    let rounding = 16 * 8;
    assert!((planned..planned + rounding).contains(&memory.in_use), "{memory:?}, {planned} planned");
    assert_eq!(memory.peak, memory.in_use);

    let driver = || gpu.device().generate_allocator_report().map(|r| (r.total_allocated_bytes, r.allocations.len()));
    session.run(&x).unwrap();
    let before = driver();
    for _ in 0..5 {
        session.run(&x).unwrap();
    }
    assert_eq!(gpu.memory(), memory);
    assert_eq!(driver(), before, "bytes and number of the driver's allocations");
    drop(session);
    assert_eq!(gpu.memory().in_use, 0);
}

/// The first byte of the memory of each output.
fn addresses(outputs: &Outputs) -> Vec<*const u8> {
    let address = |value: &Value| match value {
        Value::Tensor(tensor) => tensor.data().as_ptr().cast(),
        Value::Switches(switches) => switches.indices().as_ptr().cast(),
        Value::Labels(labels) => labels.data().as_ptr(),
        Value::Image(image) => image.data().as_ptr(),
        other => panic!("{}", other.kind()),
    };
    outputs.iter().map(|(_, value)| address(value)).collect()
}

#[test]
fn results_take_the_memory_of_earlier_ones() {
    let Some(gpu) = adapter::gpu() else { return };
    // Every kind of output, of planes of so many rows.
    let compiled = |rows: usize| {
        let mut g = Graph::builder();
        let x = g.input("x", [1, 3, rows, 12]).unwrap();
        let (pooled, switches) = g.max_pool2d_switches("pooled", x, MaxPool2d::new([2, 2])).unwrap();
        let labels = g.argmax_channels("labels", pooled).unwrap();
        let image = g.colorize("image", labels, Palette::voc()).unwrap();
        [image, labels, switches, pooled].into_iter().for_each(|edge| g.output(edge).unwrap());
        gpu.compile(&g.build().unwrap(), &Weights::new()).unwrap()
    };
    let frame = |rows, seed| Random::new(seed).reals([1, 3, rows, 12]);
    let mut session = compiled(10);
    let mut outputs = Outputs::default();
    session.run_into(&frame(10, 1), &mut outputs).unwrap();
    let first = addresses(&outputs);
    for seed in 2..5 {
        session.run_into(&frame(10, seed), &mut outputs).unwrap();
        assert_eq!(outputs, session.run(&frame(10, seed)).unwrap());
    }
    assert_eq!(addresses(&outputs), first);

    // Those of another graph, shorter or longer, or of other kinds, do as well.
    for rows in [6, 14] {
        let mut other = compiled(rows);
        other.run_into(&frame(rows, 5), &mut outputs).unwrap();
        assert_eq!(outputs, other.run(&frame(rows, 5)).unwrap());
    }
    let (graph, weights, x) = small();
    let mut other = gpu.compile(&graph, &weights).unwrap();
    other.run_into(&x, &mut outputs).unwrap();
    assert_eq!(bits(&outputs), bits(&other.run(&x).unwrap()));

    session.run_into(&x, &mut outputs).unwrap_err();
    assert_eq!(outputs, Outputs::default());
}

#[test]
fn a_refused_input_leaves_the_session_as_it_was() {
    let Some(gpu) = adapter::gpu() else { return };
    let (graph, weights, x) = small();
    let mut session = gpu.compile(&graph, &weights).unwrap();
    let expected = bits(&session.run(&x).unwrap());
    let wide = Tensor::zeros([1, 3, 20, 32]).unwrap();
    let error = session.run(&wide).unwrap_err().to_string();
    assert_eq!(error, "node `x`: input: value is 1x3x20x32, expected 1x3x20x31");
    assert_eq!(bits(&session.run(&x).unwrap()), expected);
    let error = gpu.compile(&graph, &Weights::new()).unwrap_err().to_string();
    assert!(error.contains("`conv again.bias` is missing, expected 1x8x1x1"), "{error}");
}

#[test]
fn an_application_records_a_run_into_its_own_encoder() {
    let Some(own) = adapter::open(Gpu::builder()) else { return };
    let (device, queue) = (own.device().clone(), own.queue().clone());
    let gpu = Gpu::from_device(device.clone(), queue.clone()).unwrap();
    let (graph, weights, x) = small();
    let mut session = gpu.compile(&graph, &weights).unwrap();
    let expected = session.run(&x).unwrap();
    let expected = expected.tensor("pool").unwrap();
    assert!(session.input_buffer("y").unwrap_err().to_string().contains("no input `y`"));
    assert!(session.output_buffer("conv").unwrap_err().to_string().contains("no output `conv`"));

    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let size = 4 * expected.data().len() as u64;
    let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
    let (first, second) = (device.create_buffer(&descriptor), device.create_buffer(&descriptor));
    let output = session.output_buffer("pool").unwrap();

    // Another input, by the session's own means, between two runs of the same one by the application's.
    session.write(&Tensor::zeros(x.shape()).unwrap()).unwrap();
    let bytes: Vec<u8> = x.data().iter().flat_map(|value| value.to_le_bytes()).collect();
    queue.write_buffer(session.input_buffer("x").unwrap(), 0, &bytes);
    let mut encoder = device.create_command_encoder(&Default::default());
    session.record(&mut encoder);
    encoder.copy_buffer_to_buffer(output, 0, &first, 0, size);
    session.record(&mut encoder);
    encoder.copy_buffer_to_buffer(output, 0, &second, 0, size);
    queue.submit([encoder.finish()]);
    for copy in [first, second] {
        assert_eq!(&gpu.download(&gpu.wrap(expected.shape(), copy).unwrap()).unwrap(), expected);
    }
}

#[test]
fn weights_are_split_over_bindings_and_buffers() {
    let Some(gpu) = adapter::gpu() else { return };
    let limits = wgpu::Limits {
        max_storage_buffer_binding_size: 16 << 10,
        max_buffer_size: 64 << 10,
        ..wgpu::Limits::defaults()
    };
    let gpu = with_limits(&gpu, limits);
    // 128 words a row start where bindings can; 100 do not, so that bindings overlap.
    for channels in [128, 100] {
        let mut g = Graph::builder();
        let x = g.input("x", [1, channels, 3, 3]).unwrap();
        let y = g.conv2d("fc", x, Conv2d::new([1, 1]).relu(), 400).unwrap();
        g.output(y).unwrap();
        let graph = g.build().unwrap();
        let weights = Weights::random(graph.weights_required(), 7).unwrap();
        let mut session = gpu.compile(&graph, &weights).unwrap();
        assert!(session.plan().weight_bytes() > 2 * (64 << 10), "more than two buffers");
        for seed in 0..2 {
            let x = Random::new(seed).reals([1, channels, 3, 3]);
            let outputs = session.run(&x).unwrap();
            assert_checked(&session, &weights, (&x).into(), &outputs);
        }
    }

    let mut g = Graph::builder();
    let x = g.input("x", [1, 1, 80, 80]).unwrap();
    let y = g.relu("too large", x).unwrap();
    g.output(y).unwrap();
    let error = gpu.compile(&g.build().unwrap(), &Weights::new()).unwrap_err();
    assert!(error.is_out_of_memory() && matches!(error, Error::Node { .. }), "{error}");
    let message = error.to_string();
    assert!(message.starts_with("node `too large`: ") && message.contains("needs 25600 "), "{message}");
    assert!(message.contains("offers 16384"), "{message}");
}

#[test]
fn fc6_of_fcn_runs_under_webgpu_limits() {
    let Some(gpu) = adapter::open(Gpu::builder().limits(LimitsChoice::WebGpu)) else { return };
    let mut g = Graph::builder();
    let x = g.input("x", [1, 512, 7, 8]).unwrap();
    let y = g.conv2d("fc6", x, Conv2d::new([7, 7]).relu(), 4096).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 8).unwrap();
    let x = Random::new(9).reals([1, 512, 7, 8]);
    // One variant reads the weight as it is, the other packs it first.
    for variant in [conv2d::Variant::Direct, conv2d::Variant::Tiled] {
        let gpu = gpu.with_variant(variant);
        gpu.trim().unwrap();
        let mut session = gpu.compile(&graph, &weights).unwrap();
        assert_eq!(session.plan().nodes()[0].variant(), variant.name());
        let weight_bytes = session.plan().weight_bytes();
        assert!((4 * 4096 * 512 * 49..4 * 4200 * 512 * 49).contains(&weight_bytes), "{weight_bytes}");
        let peak = gpu.memory().peak;
        assert!(peak < weight_bytes + (129 << 20), "more than one binding besides the weight: {peak}");
        let outputs = session.run(&x).unwrap();
        assert_checked(&session, &weights, (&x).into(), &outputs);
    }
}

/// What a session folds: the same scores as the reference's, which folds nothing, by one dispatch.
#[test]
fn a_batch_norm_becomes_part_of_the_convolution() {
    on_each(|gpu| {
        let mut g = Graph::builder();
        let x = g.input("x", [2, 3, 11, 7]).unwrap();
        let x = g.conv2d("conv", x, Conv2d::new([3, 3]).pad(1), 9).unwrap();
        let x = g.batch_norm("norm", x, BatchNorm::new()).unwrap();
        let x = g.relu("relu", x).unwrap();
        let x = g.conv_transpose2d("up", x, ConvTranspose2d::new([2, 2]).stride([2, 2]), 5).unwrap();
        let x = g.scale("scale", x, "scale.scale", Some("scale.shift".into())).unwrap();
        g.output(x).unwrap();
        let graph = g.build().unwrap();
        let weights = Weights::random(graph.weights_required(), 7).unwrap();
        let x = Random::new(8).reals([2, 3, 11, 7]);
        let mut session = gpu.compile(&graph, &weights).unwrap();
        let names: Vec<&str> = session.plan().nodes().iter().map(|node| node.name()).collect();
        assert_eq!(names, ["conv", "up"]);
        assert_eq!(session.plan().nodes().len(), graph.plan(gpu.caps()).unwrap().nodes().len());
        let found = session.run(&x).unwrap();
        let expected = interpret(&graph, &weights, &x).unwrap();
        let [expected, found] = [&expected, &found].map(|outputs| outputs.tensor("scale").unwrap().data().to_vec());
        let largest = expected.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        for (expected, found) in expected.iter().zip(&found) {
            assert!((expected - found).abs() <= 1e-5 * largest, "{found} for {expected}");
        }
    });
}

#[test]
fn a_profile_times_every_node() {
    let Some(gpu) = adapter::gpu() else { return };
    let (graph, weights, x) = small();
    let mut session = gpu.compile(&graph, &weights).unwrap();
    let profile = session.profile(&x).unwrap();
    let names: Vec<&str> = profile.nodes.iter().map(|node| node.name.as_str()).collect();
    // Where the second convolution runs by minimal filtering, the pooling is its end.
    let planned: Vec<&str> = session.plan().nodes().iter().map(|node| node.name()).collect();
    assert_eq!(names, planned);
    assert_eq!(profile.timer, gpu.timer());
    assert!(!profile.total().is_zero());
    assert!(profile.nodes[1].cost.macs > profile.nodes[0].cost.macs);
    assert_eq!(profile.to_string().lines().count(), names.len() + 1, "{profile}");
    assert!(session.run(&x).is_ok());
}

#[test]
fn a_lost_device_is_an_error_of_the_run() {
    let Some(gpu) = adapter::open(Gpu::builder()) else { return };
    let (graph, weights, x) = small();
    let mut session = gpu.compile(&graph, &weights).unwrap();
    session.run(&x).unwrap();
    gpu.device().destroy();
    assert!(session.run(&x).unwrap_err().is_device_lost());
    assert!(session.profile(&x).unwrap_err().is_device_lost());
    assert!(gpu.compile(&graph, &weights).unwrap_err().is_device_lost());
}

#[test]
fn sessions_share_a_device_and_their_futures_move_between_threads() {
    fn sendable<T: Send>(_: &T) {}
    let Some(gpu) = adapter::gpu() else { return };
    let (graph, weights, x) = small();
    sendable(&gpu.compile_async(&graph, &weights));
    sendable(&gpu.compile(&graph, &weights).unwrap().run_async(&x));
    let expected = bits(&gpu.compile(&graph, &weights).unwrap().run(&x).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut session = gpu.compile(&graph, &weights).unwrap();
                for _ in 0..3 {
                    assert_eq!(bits(&session.run(&x).unwrap()), expected);
                }
            });
        }
    });
}
