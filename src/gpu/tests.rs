//! Execution of plans on a real device, out of reach of the integration tests because plans are crate-private.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed assumption fails the test")]

use std::io::Write;
use std::time::Duration;

use crate::common::adapter;
use crate::error::{Error, Result};
use crate::gpu::uniforms::Params;
use crate::gpu::{
    Access, AdapterInfo, Buffer, Caps, Gpu, GpuBuffer, GpuBuilder, Kernel, KernelPlan, LimitsChoice, Operand, Part,
    Scratch, Step, Timer,
};

static HALVES: Part = Part { path: "test/halves.wgsl", source: "fn half(x: f32) -> f32 { return 0.5 * x; }\n" };
static MAIN: Part = Part {
    path: "test/affine.wgsl",
    source: "
struct Params { count: u32, past: u32, shift: f32, unused: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
override factor: f32;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.count + params.past {
        y[id.x] = half(factor * x[min(id.x, params.count - 1)]) + params.shift;
    }
}
",
};
static AFFINE: Kernel = Kernel {
    name: "test/affine",
    parts: &[&HALVES, &MAIN],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

fn step(count: u32, past: u32, factor: f64, shift: f32, from: impl Into<Operand>, to: impl Into<Operand>) -> Step {
    let params = [count, past, shift.to_bits(), 0].map(u32::to_le_bytes).concat();
    Step {
        kernel: &AFFINE,
        constants: vec![("factor", factor)],
        params,
        operands: vec![from.into(), to.into()],
        workgroups: [(count + past).div_ceil(64), 1, 1],
    }
}

fn plan(run: Vec<Step>) -> KernelPlan {
    KernelPlan { run, ..KernelPlan::default() }
}

fn copy(count: u32, past: u32) -> KernelPlan {
    plan(vec![step(count, past, 2.0, 0.0, Buffer::Input(0), Buffer::Output(0))])
}

fn upload(gpu: &Gpu, data: &[f32]) -> GpuBuffer {
    let buffer = gpu.allocate("x", data.len() as u64).unwrap();
    gpu.write("x", &buffer, bytemuck::cast_slice(data)).unwrap();
    buffer
}

fn floats(gpu: &Gpu, buffer: &GpuBuffer) -> Result<Vec<f32>> {
    pollster::block_on(gpu.read("y", buffer, buffer.words() as usize))
}

fn ramp(count: u16) -> Vec<f32> {
    (0..count).map(f32::from).collect()
}

/// Trusted shaders, and those with wgpu's checks.
fn both() -> Vec<Gpu> {
    let builders = [Gpu::builder().rails(true), Gpu::builder().rails(true).shader_checks(true)];
    builders.into_iter().filter_map(adapter::open).collect()
}

fn without_rails(limits: LimitsChoice) -> Option<Gpu> {
    adapter::open(GpuBuilder::default().limits(limits))
}

#[test]
fn steps_see_the_writes_of_those_before_them() {
    for gpu in both() {
        let x = ramp(1001);
        let (input, output) = (upload(&gpu, &x), gpu.allocate("y", 1001).unwrap());
        let plan = KernelPlan {
            scratch: vec![Scratch { words: 1001, persistent: true }, Scratch { words: 1001, persistent: false }],
            prepare: vec![step(1001, 0, 4.0, 1.0, Buffer::Input(0), Buffer::Scratch(0))],
            run: vec![
                step(1001, 0, 2.0, 0.25, Buffer::Scratch(0), Buffer::Scratch(1)),
                step(1001, 0, 6.0, 0.0, Buffer::Scratch(1), Buffer::Output(0)),
            ],
            ..KernelPlan::default()
        };
        gpu.execute("chain", &plan, &[&input], &[&output]).unwrap();
        assert!(floats(&gpu, &output).unwrap().iter().zip(&x).all(|(y, x)| *y == 3.0 * (2.0 * x + 1.25)));
    }
}

#[test]
fn an_element_that_a_kernel_forgets_is_poison() {
    let Some(gpu) = adapter::gpu() else { return };
    let (input, output) = (upload(&gpu, &ramp(100)), gpu.allocate("y", 100).unwrap());
    gpu.execute("short", &copy(99, 0), &[&input], &[&output]).unwrap();
    let y = floats(&gpu, &output).unwrap();
    assert_eq!(y[..99], ramp(99));
    assert!(y[99].is_nan());
}

#[test]
fn a_write_past_the_end_is_an_error() {
    for gpu in both() {
        for past in [1, 40] {
            let (input, output) = (upload(&gpu, &ramp(100)), gpu.allocate("y", 100).unwrap());
            let error = gpu.execute("overrun", &copy(100, past), &[&input], &[&output]).unwrap_err();
            assert!(error.to_string().contains("overrun") && error.to_string().contains("past the end"), "{error}");
            assert!(floats(&gpu, &output).unwrap_err().to_string().contains("past the end"), "a download checks too");
        }
    }
}

#[test]
fn a_recycled_buffer_is_poisoned_again() {
    let Some(gpu) = adapter::open(GpuBuilder::default().rails(true)) else { return };
    drop(upload(&gpu, &ramp(100)));
    let recycled = gpu.allocate("y", 99).unwrap();
    assert_eq!(gpu.memory().pooled, 0);
    assert!(floats(&gpu, &recycled).unwrap().iter().all(|y| y.is_nan()));
}

#[test]
fn a_shader_that_does_not_compile_is_reported_at_its_file_and_line() {
    static BROKEN: Part =
        Part { path: "test/broken.wgsl", source: "\nfn twice(x: f32) -> f32 {\n    return 2 * y;\n}\n" };
    static KERNEL: Kernel = Kernel { name: "test/broken", parts: &[&HALVES, &BROKEN], ..AFFINE };
    for gpu in both() {
        let error = gpu.pipeline(&KERNEL, &[]).unwrap_err().to_string();
        assert!(error.contains("test/broken") && error.contains("shaders/test/broken.wgsl:3:"), "{error}");
    }
}

#[test]
fn overrides_and_bindings_must_match() {
    static TWO_INPUTS: Kernel =
        Kernel { name: "test/two", bindings: &[Access::Uniform, Access::Read, Access::Read], ..AFFINE };
    let Some(gpu) = adapter::gpu() else { return };
    for constants in [vec![], vec![("factor", 1.0), ("unknown", 1.0)]] {
        assert!(matches!(gpu.pipeline(&AFFINE, &constants), Err(Error::Gpu { .. })), "{constants:?}");
    }
    assert!(matches!(gpu.pipeline(&TWO_INPUTS, &[("factor", 1.0)]), Err(Error::Gpu { .. })));
    let mut short = copy(4, 0);
    short.run[0].operands.pop();
    let (x, y) = (upload(&gpu, &ramp(4)), gpu.allocate("y", 4).unwrap());
    assert!(matches!(gpu.execute("short", &short, &[&x], &[&y]), Err(Error::Gpu { .. })));
    assert!(matches!(gpu.execute("nothing", &copy(4, 0), &[], &[&y]), Err(Error::Operand { .. })));
    gpu.execute("sound", &copy(4, 0), &[&x], &[&y]).unwrap();
}

#[test]
fn pipelines_are_compiled_once_for_each_set_of_constants() {
    let Some(gpu) = adapter::gpu() else { return };
    let pipeline = |factor| gpu.pipeline(&AFFINE, &[("factor", factor)]).unwrap();
    assert!(std::sync::Arc::ptr_eq(&pipeline(7.0), &pipeline(7.0)));
    assert!(!std::sync::Arc::ptr_eq(&pipeline(7.0), &pipeline(8.0)));
}

#[test]
fn a_feature_that_is_missing_is_unsupported() {
    static ATOMIC: Kernel = Kernel { name: "test/atomic", needs_float_atomics: true, ..AFFINE };
    let Some(gpu) = without_rails(LimitsChoice::WebGpu) else { return };
    assert!(gpu.pipeline(&ATOMIC, &[("factor", 1.0)]).unwrap_err().is_unsupported());
    let error = gpu.pipeline(&PAIRS, &[]).unwrap_err();
    assert!(error.is_unsupported() && error.to_string().contains("SHADER_INT64"), "{error}");
}

static WORDS_U64: Part =
    Part { path: "common/words_u64.wgsl", source: include_str!("../../shaders/common/words_u64.wgsl") };
/// Two words to a load, and to a store; a map of an odd number of words keeps its last one.
static PAIRS_MAIN: Part = Part {
    path: "test/pairs.wgsl",
    source: "
struct Params { pairs: u32, unused: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u64>;
@group(0) @binding(2) var<storage, read_write> y: array<u64>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.pairs {
        let values = vec2(low(x[id.x]), high(x[id.x]));
        y[id.x] = pair(2 * values);
    }
}
",
};
static PAIRS: Kernel = Kernel { name: "test/pairs", parts: &[&WORDS_U64, &PAIRS_MAIN], ..AFFINE };

#[test]
fn words_are_read_and_written_in_pairs() {
    for shader_checks in [false, true] {
        let Some(gpu) = adapter::open(GpuBuilder::default().shader_checks(shader_checks)) else { return };
        if !gpu.caps().int64 {
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            writeln!(std::io::stderr(), "SKIPPED {test}: {} has no SHADER_INT64", gpu.info()).ok();
            return;
        }
        for words in [2, 3, 130, 131] {
            let data = ramp(words);
            let (x, y) = (upload(&gpu, &data), upload(&gpu, &data));
            let params = [u32::from(words) / 2, 0].map(u32::to_le_bytes).concat();
            let operands = vec![Buffer::Input(0).into(), Buffer::Output(0).into()];
            let step = Step { kernel: &PAIRS, constants: vec![], params, operands, workgroups: [2, 1, 1] };
            gpu.execute("pairs", &plan(vec![step]), &[&x], &[&y]).unwrap();
            let paired = usize::from(words) / 2 * 2;
            let doubled = data[..paired].iter().map(|x| 2.0 * x);
            let expected: Vec<f32> = doubled.chain(data[paired..].iter().copied()).collect();
            assert_eq!(floats(&gpu, &y).unwrap(), expected, "{words} words");
        }
    }
}

#[test]
fn a_binding_of_exactly_the_limit_is_bound_and_one_more_word_is_refused() {
    let Some(gpu) = without_rails(LimitsChoice::WebGpu) else { return };
    let most = gpu.caps().max_binding_bytes / 4;
    let (large, y) = (gpu.allocate("x", most + 64).unwrap(), gpu.allocate("y", 1).unwrap());
    let run = |words| {
        let operand = Operand { buffer: Buffer::Input(0), words };
        gpu.execute("large", &plan(vec![step(1, 0, 1.0, 0.0, operand, Buffer::Output(0))]), &[&large], &[&y])
    };
    run(Some(0..most)).unwrap();
    run(Some(64..most + 64)).unwrap();
    for words in [Some(0..most + 1), None] {
        let error = run(words).unwrap_err();
        assert!(matches!(error, Error::Limit { available, .. } if available == 4 * most), "{error:?}");
    }
    assert!(matches!(run(Some(1..2)), Err(Error::Operand { .. })), "not aligned");
    for words in [0..0, 64..most + 65, 0..u64::MAX, u64::MAX - 63..u64::MAX] {
        assert!(matches!(run(Some(words.clone())), Err(Error::Operand { .. })), "{words:?}");
    }
}

#[test]
fn a_dispatch_of_exactly_the_limit_runs_and_one_more_workgroup_is_refused() {
    let Some(gpu) = without_rails(LimitsChoice::WebGpu) else { return };
    let (x, y) = (upload(&gpu, &ramp(4)), gpu.allocate("y", 4).unwrap());
    let run = |workgroups| {
        let mut plan = copy(4, 0);
        plan.run[0].workgroups = workgroups;
        gpu.execute("wide", &plan, &[&x], &[&y])
    };
    let most = gpu.caps().max_workgroups;
    run([most, 1, 1]).unwrap();
    for workgroups in [[most + 1, 1, 1], [1, 1, u32::MAX]] {
        assert!(matches!(run(workgroups), Err(Error::Limit { .. })), "{workgroups:?}");
    }
}

/// Two runs of `y = x` between the host's ends, as a session has them, `piece` words of the input at once at most; the
/// second leaves the input's last byte to be zero.
fn between_ends(gpu: &Gpu, piece: u64, past: u32) -> Result<()> {
    let (x, y) = (gpu.allocate("x", 100).unwrap(), gpu.allocate("y", 100).unwrap());
    let inwards = gpu.upload_in_pieces("x", &x, 100, piece).unwrap();
    let outwards = gpu.readback_alone("y", &y, 100).unwrap();
    let resolve = |operand: &Operand| Ok(if operand.buffer == Buffer::Input(0) { x.whole() } else { y.whole() });
    let step = gpu.prepare_step("copy", &copy(100, past).run[0], resolve).unwrap();
    for (sign, last, bytes) in [(1.0, 7.0, 400), (-1.0, f32::MIN_POSITIVE, 399)] {
        let mut data: Vec<f32> = ramp(100).iter().map(|x| sign * x).collect();
        data[99] = last;
        pollster::block_on(inwards.fill(gpu, "x", &x, &bytemuck::cast_slice(&data)[..bytes])).unwrap();
        gpu.submit("a run", |encoder| {
            inwards.record(encoder, &x);
            step.record(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
            outwards.record(encoder, &y);
        })
        .unwrap();
        let found: Vec<f32> = pollster::block_on(outwards.read(gpu, "y", 100))?;
        assert_eq!(found, data);
    }
    let long = pollster::block_on(inwards.fill(gpu, "x", &x, &[0; 401]));
    assert!(matches!(long, Err(Error::Operand { .. })), "{long:?}");
    Ok(())
}

#[test]
fn the_host_finds_values_in_a_cpu_drivers_own_memory_and_elsewhere_in_a_copy() {
    let limits = [LimitsChoice::Adapter, LimitsChoice::WebGpu];
    let railed = both().into_iter().map(|gpu| (gpu.caps().software, gpu));
    let plain = limits.into_iter().filter_map(|limits| {
        let gpu = without_rails(limits)?;
        Some((gpu.caps().software && limits == LimitsChoice::Adapter, gpu))
    });
    for (shared, gpu) in railed.chain(plain) {
        let buffer = gpu.allocate("x", 16).unwrap();
        let memory = gpu.host_memory("x", &buffer, 16, wgpu::BufferUsages::MAP_READ).unwrap();
        assert_eq!(memory.twin().is_none(), shared, "{}", gpu.info());
        for piece in [100, 99, 50, 32, 1] {
            between_ends(&gpu, piece, 0).unwrap();
        }
        if gpu.has_rails() {
            assert!(between_ends(&gpu, 100, 1).unwrap_err().to_string().contains("past the end"));
        }
    }
}

#[test]
fn threads_read_and_use_one_buffer_at_once() {
    let Some(gpu) = without_rails(LimitsChoice::Adapter) else { return };
    let x = upload(&gpu, &ramp(1000));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(floats(&gpu, &x).unwrap(), ramp(1000))));
            scope.spawn(|| {
                let y = gpu.allocate("y", 1000).unwrap();
                (0..20).for_each(|_| gpu.execute("copy", &copy(1000, 0), &[&x], &[&y]).unwrap());
                assert_eq!(floats(&gpu, &y).unwrap(), ramp(1000));
            });
        }
    });
}

#[test]
fn absurd_allocations_are_errors() {
    let Some(gpu) = without_rails(LimitsChoice::Adapter) else { return };
    for words in [gpu.caps().max_buffer_bytes / 4 + 1, u64::MAX / 4, u64::MAX / 4 + 1, u64::MAX] {
        assert!(matches!(gpu.allocate("absurd", words), Err(Error::Limit { .. })), "{words}");
    }
    let x = ramp(5);
    assert_eq!(floats(&gpu, &upload(&gpu, &x)).unwrap(), x, "the device works on");
}

#[test]
#[ignore = "takes all of the device's memory for a moment, which tests beside it would feel"]
fn running_out_of_memory_is_an_error() {
    let Some(gpu) = without_rails(LimitsChoice::Adapter) else { return };
    let hoard: Result<Vec<_>> = (0..1 << 20).map(|_| gpu.allocate("hoard", gpu.caps().max_buffer_bytes / 4)).collect();
    assert!(hoard.unwrap_err().is_out_of_memory());
    let x = ramp(5);
    assert_eq!(floats(&gpu, &upload(&gpu, &x)).unwrap(), x, "the device works on");
}

#[test]
fn large_params_and_many_steps() {
    let Some(gpu) = adapter::gpu() else { return };
    let (x, y) = (upload(&gpu, &ramp(10)), gpu.allocate("y", 10).unwrap());
    let shifted = |shift: u16| step(10, 0, 2.0, f32::from(shift), Buffer::Input(0), Buffer::Output(0));
    let mut steps: Vec<_> = (0..600).map(shifted).collect();
    steps[599].params.resize(1024, 0);
    gpu.execute("many", &plan(steps), &[&x], &[&y]).unwrap();
    assert_eq!(floats(&gpu, &y).unwrap()[3], 602.0);
    let mut endless = copy(10, 0);
    endless.run[0].params.resize(65 << 10, 0);
    assert!(matches!(gpu.execute("endless", &endless, &[&x], &[&y]), Err(Error::Limit { .. })));
}

#[test]
fn params_of_many_steps_are_written_together() {
    let Some(gpu) = adapter::gpu() else { return };
    // Operands begin at multiples of 256 bytes.
    let words = |k: u64| 64 * k..64 * (k + 1);
    let (x, y) = (upload(&gpu, &ramp(1)), gpu.allocate("y", words(599).end).unwrap());
    let shifted = |shift: u16| {
        let to = Operand { buffer: Buffer::Output(0), words: Some(words(shift.into())) };
        step(1, 0, 2.0, f32::from(shift), Buffer::Input(0), to)
    };
    let mut steps: Vec<_> = (0..600).map(shifted).collect();
    steps[1].params.resize(1024, 0);
    let params = gpu.params_together(&steps).unwrap();
    let buffer = |params: &Params| match params.binding() {
        wgpu::BindingResource::Buffer(binding) => binding.buffer.clone(),
        other => panic!("{other:?}"),
    };
    let mut buffers: Vec<_> = params.iter().map(buffer).collect();
    buffers.dedup();
    assert_eq!(buffers.len(), 3, "of 256 each");
    let resolve = |operand: &Operand| {
        let buffer = if operand.buffer == Buffer::Input(0) { &x } else { &y };
        Ok(buffer.whole().narrow(operand.words.clone()))
    };
    let bind = |(step, params)| gpu.bind_step("many", step, params, resolve).unwrap();
    let bound: Vec<_> = steps.iter().zip(params).map(bind).collect();
    gpu.submit("many", |encoder| {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        bound.iter().for_each(|step| step.record(&mut pass));
    })
    .unwrap();
    let firsts: Vec<_> = floats(&gpu, &y).unwrap().chunks(64).map(|words| words[0]).collect();
    assert_eq!(firsts, ramp(600));
}

#[test]
fn passes_are_timed() {
    let Some(gpu) = adapter::gpu() else { return };
    let count = 1 << 20;
    let (x, y) = (gpu.allocate("x", count.into()).unwrap(), gpu.allocate("y", count.into()).unwrap());
    let resolve = |operand: &Operand| Ok(if operand.buffer == Buffer::Input(0) { x.whole() } else { y.whole() });
    let bound = |step: &Step| gpu.prepare_step("timed", step, resolve).unwrap();
    let long: Vec<_> = (0..20).map(|_| bound(&copy(count, 0).run[0])).collect();
    let short = [bound(&copy(64, 0).run[0])];
    let times = pollster::block_on(gpu.measure("timed", &[&long, &short, &[]], 1)).unwrap();
    assert_eq!((times.timer, times.passes.len()), (gpu.timer(), 3));
    assert!(times.passes[0] > times.passes[1] && times.passes[0] < Duration::from_secs(60), "{times:?}");
    let least = |runs| {
        let times = pollster::block_on(gpu.measure("timed", &[&long[..1]; 3], runs)).unwrap();
        times.passes.into_iter().min()
    };
    assert!(least(20) > least(1));
    assert_eq!(gpu.timer() == Timer::GpuTimestamps, gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY));
}

#[test]
fn a_device_without_timestamps_is_timed_by_the_clock() {
    if adapter::gpu().is_none() {
        return;
    }
    // Not closed while other tests open devices; see `builder::instance`.
    let instance = Box::leak(Box::new(wgpu::Instance::default()));
    let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default())).unwrap();
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).unwrap();
    let gpu = Gpu::from_device(device, queue).unwrap();
    let (x, y) = (upload(&gpu, &ramp(64)), gpu.allocate("y", 64).unwrap());
    let resolve = |operand: &Operand| Ok(if operand.buffer == Buffer::Input(0) { x.whole() } else { y.whole() });
    let step = gpu.prepare_step("timed", &copy(64, 0).run[0], resolve).unwrap();
    let times = pollster::block_on(gpu.measure("timed", &[&[step], &[]], 1)).unwrap();
    assert_eq!((gpu.timer(), times.timer, times.passes.len()), (Timer::WallClock, Timer::WallClock, 2));
    assert!(times.passes.iter().all(|time| *time > Duration::ZERO), "{times:?}");
    assert_eq!(floats(&gpu, &y).unwrap(), ramp(64));
}

#[test]
fn a_device_of_the_application_s_can_do_what_ours_can() {
    let Some(ours) = without_rails(LimitsChoice::Adapter) else { return };
    // As above.
    let instance = Box::leak(Box::new(wgpu::Instance::default()));
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let same = |adapter: &&wgpu::Adapter| AdapterInfo::from(&adapter.get_info()) == *ours.info();
    let adapter = adapters.iter().find(same).unwrap();
    let open =
        |descriptor: &wgpu::DeviceDescriptor<'_>| pollster::block_on(adapter.request_device(descriptor)).unwrap();
    let (device, queue) = open(&Gpu::device_descriptor(adapter));
    let gpu = Gpu::from_device(device.clone(), queue.clone()).unwrap();
    let plain = Caps { cooperative: None, ..*ours.caps() };
    assert_eq!(*gpu.caps(), plain);
    assert_eq!((gpu.limits(), gpu.timer()), (ours.limits(), ours.timer()));
    // The adapter has matrix units perhaps, this device has not.
    let gpu = Gpu::builder().matrix_units_of(adapter).build_on(device, queue).unwrap();
    assert_eq!(*gpu.caps(), plain);

    if adapter::has_matrix_units(&ours) {
        let mut descriptor = Gpu::device_descriptor(adapter);
        descriptor.required_features |= wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX;
        descriptor.experimental_features = super::trusted::experimental();
        let (device, queue) = open(&descriptor);
        assert_eq!(*Gpu::from_device(device.clone(), queue.clone()).unwrap().caps(), plain);
        let gpu = Gpu::builder().matrix_units_of(adapter).build_on(device, queue).unwrap();
        assert_eq!(gpu.caps(), ours.caps());
        pollster::block_on(gpu.check_cooperative("conv2d")).unwrap();
    }
}

#[test]
fn preferences_belong_to_a_clone() {
    let Some(gpu) = adapter::gpu() else { return };
    let tuned = gpu.with_preference("conv2d", "direct").with_preference("max_pool2d", "values");
    let tuned = tuned.with_preference("conv2d", "tiled");
    assert_eq!((gpu.preference("conv2d"), tuned.preference("conv2d")), (None, Some("tiled")));
    assert_eq!(tuned.preference("max_pool2d"), Some("values"));
}
