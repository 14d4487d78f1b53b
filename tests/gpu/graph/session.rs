//! A session's life: refused inputs, an application's own encoder, a profile, other threads, a lost device.

use switchback::gpu::wgpu;
use switchback::weights::Weights;
use switchback::{Gpu, Tensor};

use super::{bits, small};
use crate::common::adapter;

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
