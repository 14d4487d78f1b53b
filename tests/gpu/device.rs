//! The device layer through the public API: choice of adapter, transfers, limits, loss, applications' own devices.

use switchback::gpu::{Caps, GpuBuilder, LimitsChoice, Timer, wgpu};
use switchback::{Error, Gpu, Labels, MaxPool2d, RgbImage, Shape, Switches, Tensor};

use crate::common::adapter;

fn numbered(shape: impl Into<Shape>) -> Tensor {
    let mut next = 0.0;
    Tensor::from_fn(shape, |_| {
        next += 1.0;
        next
    })
    .unwrap()
}

/// A device that this test may lose, beside what is needed to hand it over as an application's.
fn application(builder: GpuBuilder) -> Option<(wgpu::Device, wgpu::Queue)> {
    adapter::open(builder).map(|gpu| (gpu.device().clone(), gpu.queue().clone()))
}

#[test]
fn an_adapter_that_is_not_there_is_named_beside_those_that_are() {
    let adapters = Gpu::adapters();
    let error = Gpu::builder().adapter("no such GPU").build().unwrap_err();
    assert!(matches!(error, Error::NoAdapter { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("named \"no such GPU\""), "{message}");
    assert!(adapters.iter().all(|info| message.contains(&info.to_string())), "{message}");
}

#[test]
fn an_adapter_is_opened_by_part_of_its_name() {
    let Some(gpu) = adapter::gpu() else { return };
    let name = gpu.info().name.to_uppercase();
    let part: String = name.chars().take(6).collect();
    assert!(Gpu::builder().adapter(part.as_str()).build().unwrap().info().name.to_uppercase().contains(&part));
}

#[test]
fn tensors_come_back_bit_for_bit() {
    let Some(gpu) = adapter::gpu() else { return };
    for shape in [[1, 1, 1, 1], [1, 1, 1, 2], [1, 3, 5, 7], [2, 3, 1, 11], [1, 1, 1023, 1025]] {
        let tensor = numbered(shape);
        assert_eq!(gpu.download(&gpu.upload(&tensor).unwrap()).unwrap(), tensor);
    }
    let odd = [f32::NAN, f32::INFINITY, -0.0, f32::MIN_POSITIVE / 4.0, f32::from_bits(0xFFFF_FFFF)];
    let back = gpu.download(&gpu.upload(&Tensor::vector(odd.to_vec()).unwrap()).unwrap()).unwrap();
    assert_eq!(back.data().iter().map(|v| v.to_bits()).collect::<Vec<_>>(), odd.map(f32::to_bits));
}

#[test]
fn bytes_of_any_count_come_back() {
    let Some(gpu) = adapter::gpu() else { return };
    for [rows, columns] in [[1, 1], [1, 2], [1, 3], [2, 2], [1, 5], [7, 13], [500, 333]] {
        let bytes = |count: usize| (0..count).map(|i| (i * 7 % 251) as u8).collect::<Vec<_>>();
        let labels = Labels::new(2, [rows, columns], bytes(2 * rows * columns)).unwrap();
        assert_eq!(gpu.download_labels(&gpu.upload_labels(&labels).unwrap()).unwrap(), labels);
        let image = RgbImage::new([rows, columns], bytes(3 * rows * columns)).unwrap();
        assert_eq!(gpu.download_image(&gpu.upload_image(&image).unwrap()).unwrap(), image);
    }
}

#[test]
fn switches_keep_their_origin() {
    let Some(gpu) = adapter::gpu() else { return };
    let pool = MaxPool2d::new([2, 2]).stride([2, 2]);
    let switches = Switches::new([1, 1, 1, 2], [2, 5], pool, vec![5, 3]).unwrap();
    assert_eq!(gpu.download_switches(&gpu.upload_switches(&switches).unwrap()).unwrap(), switches);
}

#[test]
fn freed_memory_is_pooled_and_given_back() {
    let Some(gpu) = adapter::open(Gpu::builder()) else { return };
    let tensor = numbered([1, 1, 100, 100]);
    let first = gpu.upload(&tensor).unwrap();
    let second = first.clone();
    assert_eq!((gpu.memory().in_use, gpu.memory().pooled), (40_000, 0));
    drop(first);
    assert_eq!(gpu.memory().in_use, 40_000, "a clone still holds it");
    drop(second);
    assert_eq!((gpu.memory().in_use, gpu.memory().pooled), (0, 40_000));
    let again = gpu.upload(&tensor).unwrap();
    assert_eq!((gpu.memory().in_use, gpu.memory().pooled), (40_000, 0));
    assert_eq!(gpu.download(&again).unwrap(), tensor);
    drop(again);
    gpu.trim().unwrap();
    assert_eq!((gpu.memory().in_use, gpu.memory().pooled, gpu.memory().peak), (0, 0, 40_000));
}

#[test]
fn webgpu_limits_can_be_forced() {
    let Some(gpu) = adapter::open(Gpu::builder().limits(LimitsChoice::WebGpu)) else { return };
    let mut expected = Caps::WEBGPU;
    // What the driver is, which no limit changes.
    expected.software = gpu.caps().software;
    expected.max_iterations = gpu.caps().max_iterations;
    expected.uniform_loads = gpu.caps().uniform_loads;
    expected.gathers = gpu.caps().gathers;
    assert_eq!(*gpu.caps(), expected);
}

#[test]
fn a_tensor_of_exactly_the_largest_buffer_fits_and_one_more_row_does_not() {
    let Some(gpu) = adapter::open(Gpu::builder().limits(LimitsChoice::WebGpu)) else { return };
    let words = (gpu.caps().max_buffer_bytes / 4) as usize;
    let data = (0..words as u32).map(f32::from_bits).collect();
    let tensor = Tensor::new([1, 1, words / 1024, 1024], data).unwrap();
    let back = gpu.upload(&tensor).and_then(|held| gpu.download(&held)).unwrap();
    assert!(back.data().iter().map(|v| v.to_bits()).eq(0..words as u32), "in order, whatever pieces it went in");
    drop((tensor, back));
    let error = gpu.upload(&Tensor::zeros([1, 1, words / 1024 + 1, 1024]).unwrap()).unwrap_err();
    match &error {
        Error::Limit { needed, available, .. } => {
            assert_eq!((*needed, *available), (4 * (words as u64 + 1024), 4 * words as u64));
        }
        other => panic!("{other:?}"),
    }
    assert!(error.is_out_of_memory() && error.to_string().contains("smaller"), "{error}");
}

#[test]
fn two_devices_do_not_mix() {
    let (Some(one), Some(other)) = (adapter::open(Gpu::builder()), adapter::open(Gpu::builder())) else { return };
    let (a, b) = (numbered([1, 1, 3, 3]), numbered([1, 2, 3, 3]));
    let (on_one, on_other) = (one.upload(&a).unwrap(), other.upload(&b).unwrap());
    assert_eq!(one.download(&on_one).unwrap(), a);
    assert_eq!(other.download(&on_other).unwrap(), b);
    let error = one.download(&on_other).unwrap_err();
    assert!(error.to_string().contains("another"), "{error}");
    assert_eq!(one.download(&on_one).unwrap(), a, "the refusal does no harm");
}

#[test]
fn many_threads_share_a_device() {
    let Some(gpu) = adapter::gpu() else { return };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let gpu = gpu.clone();
            scope.spawn(move || {
                for i in 0..20 {
                    let tensor = numbered([1, 1, thread + 1, i + 1]);
                    assert_eq!(gpu.download(&gpu.upload(&tensor).unwrap()).unwrap(), tensor);
                }
            });
        }
    });
}

#[test]
fn futures_can_move_between_threads() {
    fn sendable<T: Send>(_: &T) {}
    let Some(gpu) = adapter::gpu() else { return };
    let tensor = gpu.upload(&numbered([1, 1, 1, 1])).unwrap();
    let download = gpu.download_async(&tensor);
    sendable(&download);
    let build = Gpu::builder().build_async();
    sendable(&build);
}

#[test]
fn a_destroyed_device_is_an_error_everywhere() {
    let Some(gpu) = adapter::open(Gpu::builder()) else { return };
    let tensor = numbered([1, 1, 4, 4]);
    let held = gpu.upload(&tensor).unwrap();
    gpu.device().destroy();
    for attempt in 0..2 {
        for error in [
            gpu.upload(&tensor).unwrap_err(),
            gpu.download(&held).unwrap_err(),
            gpu.trim().unwrap_err(),
            gpu.download(&gpu.wrap([1, 1, 2, 2], held.wgpu_buffer().clone()).unwrap()).unwrap_err(),
        ] {
            assert!(error.is_device_lost(), "attempt {attempt}: {error:?}");
        }
    }
    drop(held);
    let fresh = Gpu::new().unwrap();
    assert_eq!(fresh.download(&fresh.upload(&tensor).unwrap()).unwrap(), tensor);
}

#[test]
fn an_applications_device_can_be_lost_too() {
    let Some((device, queue)) = application(Gpu::builder()) else { return };
    let gpu = Gpu::from_device(device.clone(), queue.clone()).unwrap();
    let held = gpu.upload(&numbered([1, 1, 4, 4])).unwrap();
    device.destroy();
    assert!(gpu.download(&held).unwrap_err().is_device_lost());
    assert!(Gpu::from_device(device, queue).unwrap_err().is_device_lost());
}

#[test]
fn an_application_keeps_its_device_and_buffers() {
    let Some((device, queue)) = application(Gpu::builder()) else { return };
    let gpu = Gpu::from_device(device.clone(), queue.clone()).unwrap();
    let tensor = numbered([1, 2, 3, 5]);

    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let buffer = |usage, size| {
        device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    };
    let own = buffer(usage, 120);
    let bytes: Vec<u8> = tensor.data().iter().flat_map(|v| v.to_le_bytes()).collect();
    queue.write_buffer(&own, 0, &bytes);
    assert_eq!(gpu.download(&gpu.wrap(tensor.shape(), own).unwrap()).unwrap(), tensor);

    let ours = gpu.upload(&tensor).unwrap();
    let copy = buffer(usage, 120);
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(ours.wgpu_buffer(), 0, &copy, 0, 120);
    queue.submit([encoder.finish()]);
    assert_eq!(gpu.download(&gpu.wrap(tensor.shape(), copy).unwrap()).unwrap(), tensor);

    for (error, reason) in [
        (gpu.wrap([1, 2, 3, 5], buffer(usage, 116)).unwrap_err(), "at least 120 bytes"),
        (gpu.wrap([1, 2, 3, 5], buffer(wgpu::BufferUsages::COPY_SRC, 120)).unwrap_err(), "STORAGE"),
        (gpu.wrap([1, 0, 3, 5], buffer(usage, 120)).unwrap_err(), "at least one element"),
        (gpu.wrap([1 << 20, 1 << 20, 1 << 20, 1 << 20], buffer(usage, 120)).unwrap_err(), "2^31"),
    ] {
        assert!(error.to_string().contains(reason), "{error}");
    }
    let unreadable = gpu.wrap([1, 1, 1, 4], buffer(wgpu::BufferUsages::STORAGE, 16)).unwrap();
    assert!(gpu.download(&unreadable).unwrap_err().to_string().contains("COPY_SRC"));
}

#[test]
fn an_applications_error_handler_stays_installed() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let Some((device, queue)) = application(Gpu::builder()) else { return };
    let heard = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&heard);
    device.on_uncaptured_error(Arc::new(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    }));
    let gpu = Gpu::from_device(device.clone(), queue).unwrap();
    drop(gpu.upload(&numbered([1, 1, 1, 3])).unwrap());
    assert_eq!(heard.load(Ordering::Relaxed), 0);
    let size = gpu.limits().max_buffer_size + 1;
    let usage = wgpu::BufferUsages::STORAGE;
    drop(device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false }));
    assert_eq!(heard.load(Ordering::Relaxed), 1, "the application's own mistake is the application's to hear");
}

#[test]
fn the_timer_says_what_it_is() {
    let Some(gpu) = adapter::gpu() else { return };
    let timestamps = gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY);
    assert_eq!(gpu.timer() == Timer::GpuTimestamps, timestamps);
}
