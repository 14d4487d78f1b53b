//! A session's life: refused inputs, an application's own encoder, a profile, other threads, a lost device.

use std::num::NonZero;

use switchback::gpu::{Elements, wgpu};
use switchback::graph::Session;
use switchback::kernel::{conv_transpose2d, conv2d, max_unpool2d};
use switchback::weights::Weights;
use switchback::{Conv2d, ConvTranspose2d, Gpu, Graph, Labels, MaxPool2d, Normalize, Palette, RgbImage, Shape, Tensor};

use super::{bits, small};
use crate::common::adapter;
use crate::common::random::Random;

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
    assert!(session.input_binding("y").unwrap_err().to_string().contains("no input `y`"));
    assert!(session.output_binding("conv").unwrap_err().to_string().contains("no output `conv`"));

    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let size = 4 * expected.data().len() as u64;
    let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
    let (first, second) = (device.create_buffer(&descriptor), device.create_buffer(&descriptor));
    let output = session.output_binding("pool").unwrap().buffer;

    // Another input, by the session's own means, between two runs of the same one by the application's.
    session.write(&Tensor::zeros(x.shape()).unwrap()).unwrap();
    let bytes: Vec<u8> = x.data().iter().flat_map(|value| value.to_le_bytes()).collect();
    queue.write_buffer(session.input_binding("x").unwrap().buffer, 0, &bytes);
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

/// An image to its labels and a picture of them, all of which end within a word, and the maps before.
fn labelling() -> (Graph, Weights) {
    let mut g = Graph::builder();
    let image = g.image("image", [9, 7]).unwrap();
    let x = g.normalize("data", image, Normalize::CAFFE).unwrap();
    let x = g.conv2d("conv", x, Conv2d::new([3, 3]).pad(1), 5).unwrap();
    let scores = g.conv2d("scores", x, Conv2d::new([1, 1]), 6).unwrap();
    let labels = g.argmax_channels("labels", scores).unwrap();
    let picture = g.colorize("picture", labels, Palette::voc()).unwrap();
    [x, scores, labels, picture].into_iter().for_each(|edge| g.output(edge).unwrap());
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 7).unwrap();
    (graph, weights)
}

#[test]
fn frames_recorded_without_waiting_between_them_give_what_runs_give() {
    let Some(gpu) = adapter::gpu() else { return };
    let (graph, weights) = labelling();
    let mut random = Random::new(8);
    let frames: [RgbImage; 4] = std::array::from_fn(|_| RgbImage::new([9, 7], random.bytes(189)).unwrap());
    for elements in [Elements::f32(), Elements::f16()] {
        let mut session = gpu.with_elements(elements).compile(&graph, &weights).unwrap();
        let labels = |frame| session.run(frame).unwrap().labels("labels").unwrap().clone();
        let expected: Vec<Labels> = frames.iter().map(labels).collect();
        assert!(expected.windows(2).all(|pair| pair[0] != pair[1]));
        for at_once in [frames.len(), 1] {
            let uploaded: Vec<_> = frames.iter().map(|frame| gpu.upload_image(frame).unwrap()).collect();
            let nothing = Labels::new(1, [9, 7], vec![0; 63]).unwrap();
            let kept: Vec<_> = frames.iter().map(|_| gpu.upload_labels(&nothing).unwrap()).collect();
            let (input, output) = (session.input_binding("image").unwrap(), session.output_binding("labels").unwrap());
            for (uploaded, kept) in uploaded.chunks(at_once).zip(kept.chunks(at_once)) {
                let mut encoder = gpu.device().create_command_encoder(&Default::default());
                for (frame, kept) in uploaded.iter().zip(kept) {
                    let bytes = input.size.map(NonZero::get);
                    encoder.copy_buffer_to_buffer(frame.wgpu_buffer(), 0, input.buffer, input.offset, bytes);
                    session.record(&mut encoder);
                    let bytes = output.size.map(NonZero::get);
                    encoder.copy_buffer_to_buffer(output.buffer, output.offset, kept.wgpu_buffer(), 0, bytes);
                }
                gpu.queue().submit([encoder.finish()]);
            }
            let found: Vec<Labels> = kept.iter().map(|kept| gpu.download_labels(kept).unwrap()).collect();
            assert_eq!(found, expected, "{at_once} frames a submission");
        }
    }
}

#[test]
fn bindings_are_of_the_value_alone() {
    let Some(gpu) = adapter::gpu() else { return };
    let (graph, weights) = labelling();
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    // `conv` is read by another node, `scores` only compared.
    for (elements, conv) in [(Elements::f32(), 4 * 5 * 63), (Elements::f16(), 4 * 3 * 63)] {
        let session = gpu.with_elements(elements).compile(&graph, &weights).unwrap();
        let outputs = [("conv", conv), ("scores", 4 * 6 * 63), ("labels", 64), ("picture", 192)];
        let outputs = outputs.map(|(name, bytes)| (session.output_binding(name).unwrap(), bytes));
        for (binding, bytes) in outputs.into_iter().chain([(session.input_binding("image").unwrap(), 192)]) {
            assert_eq!((binding.offset, binding.size.map(NonZero::get)), (0, Some(bytes)));
            assert!(binding.buffer.usage().contains(usage));
        }
    }
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

/// What an output's buffer holds.
fn found(gpu: &Gpu, session: &Session, name: &str, shape: Shape) -> Tensor {
    let kept = gpu.upload(&Tensor::zeros(shape).unwrap()).unwrap();
    let output = session.output_binding(name).unwrap();
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    let bytes = output.size.map(NonZero::get);
    encoder.copy_buffer_to_buffer(output.buffer, output.offset, kept.wgpu_buffer(), 0, bytes);
    gpu.queue().submit([encoder.finish()]);
    gpu.download(&kept).unwrap()
}

/// Kernels that add to what is there (scatter, a fused pooling's switches) clear it first, in every run.
#[test]
fn nodes_that_run_several_times_in_a_pass_give_the_same_results() {
    let Some(gpu) = adapter::gpu() else { return };
    let mut g = Graph::builder();
    let x = g.input("x", [1, 4, 12, 14]).unwrap();
    let y = g.conv2d("conv", x, Conv2d::new([3, 3]).pad(1).relu(), 6).unwrap();
    let (y, switches) = g.max_pool2d_switches("pool", y, MaxPool2d::new([2, 2])).unwrap();
    let y = g.max_unpool2d("unpool", y, switches).unwrap();
    g.output(y).unwrap();
    let y = g.conv_transpose2d("up", y, ConvTranspose2d::new([4, 4]).stride([2, 2]), 3).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    // Integers, whose sums are the same in any order.
    let mut random = Random::new(9);
    let mut weights = Weights::new();
    for (name, shape) in graph.weights_required() {
        weights.insert(name, &random.integers(shape));
    }
    let (x, other) = (random.integers([1, 4, 12, 14]), random.integers([1, 4, 12, 14]));
    let exact = gpu.with_variant(conv2d::Variant::WinogradF2);
    let scatter = exact.with_variant(max_unpool2d::Variant::Scatter);
    for gpu in [
        &exact,
        &scatter.with_variant(conv_transpose2d::Variant::Scatter),
        &scatter.with_variant(conv_transpose2d::Variant::ScatterExchange),
    ] {
        let mut session = gpu.compile(&graph, &weights).unwrap();
        let expected = session.run(&x).unwrap();
        session.run(&other).unwrap();
        session.profile_repeated(&x, NonZero::new(3).unwrap()).unwrap();
        for name in ["unpool", "up"] {
            let expected = expected.tensor(name).unwrap();
            assert_eq!(&found(gpu, &session, name, expected.shape()), expected, "{name}: {}", session.plan());
        }
    }
}

#[test]
fn the_time_of_a_node_that_runs_several_times_is_that_of_one() {
    let Some(gpu) = adapter::gpu() else { return };
    let (graph, weights, x) = small();
    let mut session = gpu.compile(&graph, &weights).unwrap();
    let mut least = |runs| (0..5).map(|_| session.profile_repeated(&x, runs).unwrap().total()).min().unwrap();
    let (once, of_many) = (least(NonZero::<u32>::MIN), least(NonZero::new(40).unwrap()));
    // On a GPU what a pass takes besides may be half of a single run's time, or more.
    assert!(of_many < 8 * once && once < 8 * of_many, "{of_many:?} of 40, {once:?} alone");
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
    let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    session.record(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    assert!(pollster::block_on(scope.pop()).is_none());
    assert!(session.check_overflow().unwrap_err().is_device_lost());
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
