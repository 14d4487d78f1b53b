//! The devices that every operator is tried on, and how results are compared.

use std::sync::OnceLock;

use switchback::gpu::{LimitsChoice, wgpu};
use switchback::{Gpu, Tensor};

use crate::common::adapter::{self, PerSeat};

/// Workgroups a dimension of the device whose dispatches fold: a plane of 23x30 in five channels takes all three.
const FEW_WORKGROUPS: u32 = 7;

/// Runs `test` on the adapter with all its limits, with WebGPU's default limits, and with so few workgroups a dimension
/// that all but the smallest dispatches fold. Fresh memory is poisoned and guarded on all three.
pub(crate) fn on_each(test: impl Fn(&Gpu)) {
    static DEVICES: PerSeat<Option<[(&str, Gpu); 2]>> = PerSeat::new();
    let Some(gpu) = adapter::gpu() else { return };
    test(&gpu);
    let others = DEVICES.get_or_init(|| {
        let webgpu = adapter::open(Gpu::builder().rails(true).limits(LimitsChoice::WebGpu))?;
        Some([("WebGPU's limits", webgpu), ("few workgroups", with_few_workgroups(&gpu))])
    });
    for (limits, gpu) in others.iter().flatten() {
        println!("with {limits}");
        test(gpu);
    }
}

fn with_few_workgroups(gpu: &Gpu) -> Gpu {
    let limits = wgpu::Limits { max_compute_workgroups_per_dimension: FEW_WORKGROUPS, ..wgpu::Limits::defaults() };
    with_limits(gpu, limits)
}

/// The adapter of `gpu`, opened as an application would open it, perhaps with lower limits than any real device has.
pub(crate) fn with_limits(gpu: &Gpu, required_limits: wgpu::Limits) -> Gpu {
    // One, never closed, as the library has its own: Vulkan's loader may crash where one closes while another's device opens.
    static INSTANCE: OnceLock<wgpu::Instance> = OnceLock::new();
    let open = || wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let instance = INSTANCE.get_or_init(open);
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let adapter = adapters.into_iter().find(|adapter| adapter.get_info().name == gpu.info().name).unwrap();
    let descriptor = wgpu::DeviceDescriptor { required_limits, ..Default::default() };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    Gpu::builder().rails(true).build_on(device, queue).unwrap()
}

/// The same with bindings of 16 KiB and buffers of 64 KiB at most, over several of which weights are split.
pub(crate) fn with_small_buffers(gpu: &Gpu) -> Gpu {
    let limits = wgpu::Limits {
        max_storage_buffer_binding_size: 16 << 10,
        max_buffer_size: 64 << 10,
        ..wgpu::Limits::defaults()
    };
    with_limits(gpu, limits)
}

/// Asserts that two tensors are equal bit for bit, except that any NaN equals any other.
#[track_caller]
pub(crate) fn assert_same(found: &Tensor, expected: &Tensor, because: &str) {
    assert_eq!(found.shape(), expected.shape(), "{because}");
    for (position, (&found, &wanted)) in found.data().iter().zip(expected.data()).enumerate() {
        let same = found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan();
        let [_, c, h, w] = expected.shape().dims();
        let index = [position / (c * h * w), position / (h * w) % c, position / w % h, position % w];
        assert!(same, "{because}: {found} ({:#010x}) at {index:?}, expected {wanted}", found.to_bits());
    }
}

#[test]
#[should_panic(expected = "at [0, 1, 0, 1], expected -0")]
fn a_zero_of_the_other_sign_is_not_the_same() {
    let tensor = |last| Tensor::new([1, 2, 1, 2], vec![1.0, f32::NAN, 3.0, last]).unwrap();
    assert_same(&tensor(-0.0), &tensor(-0.0), "equal");
    assert_same(&tensor(0.0), &tensor(-0.0), "unequal");
}
