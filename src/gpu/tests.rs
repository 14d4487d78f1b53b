//! Execution of plans on a real device, out of reach of the integration tests because plans are crate-private.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed assumption fails the test")]

#[allow(dead_code, reason = "integration tests use the rest")]
#[path = "../../tests/common/adapter.rs"]
mod adapter;

use crate::gpu::{Access, Buffer, Kernel, KernelPlan, Operand, Part, Scratch, Step};

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

#[test]
fn steps_see_the_writes_of_those_before_them() {
    let Some(gpu) = adapter::gpu() else { return };
    let x: Vec<f32> = (0..1001).map(|i| i as f32).collect();
    let input = gpu.allocate("x", 1001).unwrap();
    gpu.write("x", &input, bytemuck::cast_slice(&x)).unwrap();
    let output = gpu.allocate("y", 1001).unwrap();
    let plan = KernelPlan {
        scratch: vec![Scratch { words: 1001, persistent: false }],
        run: vec![
            step(1001, 0, 4.0, 1.0, Buffer::Input(0), Buffer::Scratch(0)),
            step(1001, 0, 2.0, 0.0, Buffer::Scratch(0), Buffer::Output(0)),
        ],
        ..KernelPlan::default()
    };
    gpu.execute("affine", &plan, &[&input], &[&output]).unwrap();
    let y: Vec<f32> = pollster::block_on(gpu.read("y", &output, 1001)).unwrap();
    assert!(y.iter().zip(&x).all(|(y, x)| *y == 2.0 * x + 1.0));
}
