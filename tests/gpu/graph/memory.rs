//! What a run allocates: nothing on the device, and on the host nothing where earlier results are given back.

use switchback::graph::Outputs;
use switchback::weights::Weights;
use switchback::{Gpu, Graph, MaxPool2d, Palette, Value};

use super::{bits, small};
use crate::common::adapter;
use crate::common::random::Random;

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
