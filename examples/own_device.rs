//! An application with a wgpu device of its own: the network's dispatches go into the application's encoder, between its
//! other work, and its results stay on the GPU until the application copies them.
//!
//!     cargo run --example own_device

use switchback::gpu::wgpu;
use switchback::weights::Weights;
use switchback::{Conv2d, Gpu, Graph, Tensor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The application's own device. Its features and limits may be any that suffice for the network; these are those of use.
    let instance = wgpu::Instance::default();
    let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?;
    let (device, queue) = pollster::block_on(adapter.request_device(&Gpu::device_descriptor(&adapter)))?;
    println!("the application's device is on {}", adapter.get_info().name);

    // Switchback on the same device.
    let gpu = Gpu::from_device(device.clone(), queue.clone())?;
    let mut g = Graph::builder();
    let x = g.input("x", [1, 1, 4, 4])?;
    let y = g.conv2d("y", x, Conv2d::new([3, 3]).pad(1), 1)?;
    g.output(y)?;
    let graph = g.build()?;
    let mut weights = Weights::new();
    weights.insert("y.weight", &Tensor::full([1, 1, 3, 3], 1.0)?);
    weights.insert("y.bias", &Tensor::vector(vec![0.5])?);
    let session = gpu.compile(&graph, &weights)?;

    // Here the host fills the input; `examples/frames.rs` writes `session.input_binding` in a pass of its own.
    session.write(&Tensor::full([1, 1, 4, 4], 1.0)?)?;

    let bytes = 4 * 16;
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let staging =
        device.create_buffer(&wgpu::BufferDescriptor { label: None, size: bytes, usage, mapped_at_creation: false });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    session.record(&mut encoder);
    encoder.copy_buffer_to_buffer(session.output_binding("y")?.buffer, 0, &staging, 0, bytes);
    queue.submit([encoder.finish()]);

    let (sender, receiver) = std::sync::mpsc::channel();
    staging.map_async(wgpu::MapMode::Read, .., move |mapped| drop(sender.send(mapped)));
    device.poll(wgpu::PollType::wait_indefinitely())?;
    receiver.recv()??;
    let mapped = staging.get_mapped_range(..)?;
    let sums: Vec<f32> =
        mapped.chunks_exact(4).map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
    for row in sums.chunks(4) {
        println!("{row:?}");
    }
    // A corner sees 4 ones, an edge 6, the middle 9.
    assert_eq!(sums[..6], [4.5, 6.5, 6.5, 4.5, 6.5, 9.5]);
    Ok(())
}
