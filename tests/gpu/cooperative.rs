//! What only kernels on matrix units have to show. The problems of every variant are in `conv2d.rs`.

use switchback::gpu::{Elements, LimitsChoice};
use switchback::kernel::conv_transpose2d;
use switchback::kernel::conv2d::Variant;
use switchback::weights::Weights;
use switchback::{Conv2d, ConvTranspose2d, Gpu, Graph, MaxPool2d, Padding, Tensor, reference};

use crate::common::adapter;
use crate::common::problem::ConvProblem;

/// The shared device, if it has matrix units.
fn gpu() -> Option<Gpu> {
    let gpu = adapter::gpu().filter(adapter::has_matrix_units)?;
    Some(gpu.with_variant(Variant::Cooperative).with_variant(conv_transpose2d::Variant::Cooperative))
}

fn run(gpu: &Gpu, problem: &ConvProblem<Conv2d>, seed: u64) {
    let exact = problem.integers(seed);
    let expected = reference::conv2d(&problem.op, &exact.x, &exact.w, exact.bias.as_ref()).unwrap().exact();
    let on_gpu = |tensor| gpu.upload(tensor).unwrap();
    let bias = exact.bias.as_ref().map(on_gpu);
    let y = gpu.conv2d(&problem.op, &on_gpu(&exact.x), &on_gpu(&exact.w), bias.as_ref()).unwrap();
    expected.check(&gpu.download(&y).unwrap()).unwrap_or_else(|mismatch| panic!("{problem:?}: {mismatch}"));
}

fn run_transposed(gpu: &Gpu, problem: &ConvProblem<ConvTranspose2d>, seed: u64) {
    let exact = problem.integers(seed);
    let expected = reference::conv_transpose2d(&problem.op, &exact.x, &exact.w, exact.bias.as_ref()).unwrap().exact();
    let on_gpu = |tensor| gpu.upload(tensor).unwrap();
    let bias = exact.bias.as_ref().map(on_gpu);
    let y = gpu.conv_transpose2d(&problem.op, &on_gpu(&exact.x), &on_gpu(&exact.w), bias.as_ref()).unwrap();
    expected.check(&gpu.download(&y).unwrap()).unwrap_or_else(|mismatch| panic!("{problem:?}: {mismatch}"));
}

#[test]
fn tails_in_every_dimension() {
    let Some(gpu) = gpu() else { return };
    let op = Conv2d::new([1, 1]);
    let problem = |inputs, outputs, [rows, columns]: [usize; 2]| ConvProblem {
        because: "one less, as many, one more than a matrix or a workgroup holds",
        op,
        input: [1, inputs, rows, columns],
        output_channels: outputs,
        bias: true,
    };
    for inputs in [1, 7, 8, 9, 15, 16, 17, 31, 33] {
        run(&gpu, &problem(inputs, 9, [1, 5]), 1);
    }
    for outputs in [1, 8, 9, 16, 17, 63, 64, 65, 127, 128, 129] {
        run(&gpu, &problem(9, outputs, [1, 5]), 2);
    }
    for columns in [1, 7, 8, 9, 15, 16, 17, 33] {
        run(&gpu, &problem(9, 9, [1, columns]), 3);
    }
    for rows in [2, 3, 4, 5, 7, 8, 9, 15, 16, 17] {
        run(&gpu, &problem(9, 9, [rows, 3]), 4);
    }
}

#[test]
fn windows_groups_and_batches_of_many_tiles() {
    let Some(gpu) = gpu() else { return };
    let window = Conv2d::new([3, 5]).stride([2, 1]).dilation([1, 2]).pad([2, 3]).groups(3).relu();
    for (op, input, outputs) in [
        (window, [3, 57, 19, 23], 3 * 67),
        (Conv2d::new([3, 3]).pad(1), [2, 70, 17, 13], 130),
        (Conv2d::new([3, 3]).pad(2).dilation([2, 2]).groups(64), [1, 64, 9, 9], 128),
        (Conv2d::new([7, 7]).stride([4, 4]), [1, 3, 40, 50], 96),
    ] {
        run(&gpu, &ConvProblem { because: "many tiles", op, input, output_channels: outputs, bias: true }, 4);
    }
}

#[test]
fn transposed_tails_in_every_dimension() {
    let Some(gpu) = gpu() else { return };
    let problem = |inputs, outputs, extent: [usize; 2]| ConvProblem {
        because: "one less, as many, one more than a matrix or a workgroup holds: four phases, each of so many channels",
        op: ConvTranspose2d::new([3, 3]).stride([2, 2]),
        input: [1, inputs, extent[0], extent[1]],
        output_channels: outputs,
        bias: true,
    };
    for inputs in [1, 7, 8, 9, 15, 16, 17, 31, 33] {
        run_transposed(&gpu, &problem(inputs, 5, [2, 3]), 1);
    }
    for outputs in [1, 2, 3, 4, 15, 16, 17, 31, 32, 33] {
        run_transposed(&gpu, &problem(9, outputs, [2, 3]), 2);
    }
    // A row and a column more of cells than the input has.
    for columns in [1, 2, 3, 14, 15, 16, 30, 31, 32, 62, 63, 64] {
        run_transposed(&gpu, &problem(9, 5, [1, columns]), 3);
    }
}

#[test]
fn transposed_windows_groups_and_batches_of_many_tiles() {
    let Some(gpu) = gpu() else { return };
    let border = Padding { top: 9, bottom: 4, left: 2, right: 13 };
    let odd = ConvTranspose2d::new([4, 5]).stride([3, 2]).dilation([2, 4]).output_padding([2, 3]);
    for (op, input, outputs) in [
        (ConvTranspose2d::new([16, 16]).stride([8, 8]).pad(border), [2, 21, 9, 7], 21),
        (ConvTranspose2d::new([2, 2]).stride([2, 2]).relu(), [1, 70, 12, 11], 50),
        (ConvTranspose2d::new([3, 3]).pad(1), [2, 40, 13, 9], 70),
        (odd.groups(3).relu().pad([1, 2]), [3, 3 * 19, 6, 8], 3 * 7),
        (ConvTranspose2d::new([7, 7]), [2, 100, 1, 1], 13),
        // Columns whose phases no tap reaches.
        (ConvTranspose2d::new([2, 2]).stride([3, 5]).output_padding([2, 4]), [1, 9, 5, 6], 17),
    ] {
        let problem = ConvProblem { because: "many tiles", op, input, output_channels: outputs, bias: true };
        run_transposed(&gpu, &problem, 4);
    }
}

/// Numbers that f16 does not hold are no infinities: map or weight, of either operator.
#[test]
fn operands_beyond_f16_are_an_error() {
    let Some(gpu) = gpu() else { return };
    let (conv, transposed) = (Conv2d::new([3, 3]).pad(1), ConvTranspose2d::new([4, 4]).stride([2, 2]));
    for (x_value, w_value) in [(65_520.0, 1.0), (1.0, -70_000.0), (65_504.0, 1.0), (f32::INFINITY, 1.0)] {
        let upload = |shape: [usize; 4], last| {
            let mut tensor = Tensor::full(shape, 1.0).unwrap();
            *tensor.data_mut().last_mut().unwrap() = last;
            gpu.upload(&tensor).unwrap()
        };
        let x = upload([1, 3, 4, 5], x_value);
        let y = gpu.conv2d(&conv, &x, &upload([2, 3, 3, 3], w_value), None);
        let z = gpu.conv_transpose2d(&transposed, &x, &upload([3, 2, 4, 4], w_value), None);
        for (result, op) in [(y, "conv2d"), (z, "conv_transpose2d")] {
            if x_value == 65_520.0 || w_value == -70_000.0 {
                let error = result.unwrap_err().to_string();
                for part in [op, "cooperative", "65504", "another variant"] {
                    assert!(error.contains(part), "{error}");
                }
            } else {
                // An infinity is one in f16 too.
                result.unwrap();
            }
        }
    }
}

/// Sums of 2048 products and more are taken in parts where workgroups would be few: f32 and f16, even and odd channels, two
/// images, and a pooling after them.
#[test]
fn sums_in_parts() {
    let Some(gpu) = gpu() else { return };
    for (op, input, outputs) in [
        (Conv2d::new([3, 3]).pad(1).relu(), [2, 250, 6, 5], 35),
        (Conv2d::new([1, 1]), [1, 2100, 7, 9], 70),
        (Conv2d::new([5, 3]).groups(2), [1, 2 * 150, 9, 8], 2 * 10),
    ] {
        let problem = ConvProblem { because: "a long sum", op, input, output_channels: outputs, bias: true };
        run(&gpu, &problem, 6);
        let mut g = Graph::builder();
        let x = g.input("x", input).unwrap();
        let first = g.relu("first", x).unwrap();
        let conv = g.conv2d("conv", first, op, outputs).unwrap();
        let pooled = g.max_pool2d("pooled", conv, MaxPool2d::new([2, 2])).unwrap();
        let last = g.relu("last", pooled).unwrap();
        g.output(last).unwrap();
        let graph = g.build().unwrap();
        let weights = Weights::random(graph.weights_required(), 1).unwrap();
        let x = reference::half_tensor(&problem.integers(7).x);
        let mut session = gpu.with_elements(Elements::f16()).compile(&graph.with_every_output(), &weights).unwrap();
        let outputs = session.run(&x).unwrap();
        for check in session.check_nodes(&weights, &x, &outputs).unwrap() {
            assert!(check.mismatch.is_none(), "{problem:?}: {} {:?}", check.node, check.mismatch);
        }
        let mut session = gpu.with_elements(Elements::f16()).compile(&graph, &weights).unwrap();
        assert!(session.plan().node("pooled").is_some(), "{}", session.plan());
        let whole = session.run(&x).unwrap();
        assert_eq!(whole.tensor("last").unwrap(), outputs.tensor("last").unwrap(), "{problem:?}");
    }
}

/// Of one phase, where channels come in pairs and the border cuts off no more than the taps reach; of one that is stored interleaved.
#[test]
fn transposed_sums_in_parts() {
    let Some(gpu) = gpu() else { return };
    let uneven = Padding { top: 2, bottom: 0, left: 1, right: 2 };
    for (op, outputs) in [
        (ConvTranspose2d::new([3, 3]).pad(1).relu(), 36),
        (ConvTranspose2d::new([3, 3]).pad(uneven), 35),
        (ConvTranspose2d::new([3, 2]).pad([3, 0]), 4),
    ] {
        let input = [2, 350, 6, 5];
        run_transposed(
            &gpu,
            &ConvProblem { because: "a long sum", op, input, output_channels: outputs, bias: true },
            5,
        );
    }
}

/// Wherever it lies among what the pass over the map looks at.
#[test]
fn an_operand_beyond_f16_is_found_anywhere() {
    let Some(gpu) = gpu() else { return };
    let w = gpu.upload(&Tensor::full([1, 1, 1, 1], 1.0).unwrap()).unwrap();
    for cells in [1, 2, 63, 1023, 1024, 1025, 2100] {
        for at in [0, 1, 62, 64, 1022, 1023, 1024, cells - 1].into_iter().filter(|&at| at < cells) {
            let x = Tensor::from_fn([1, 1, 1, cells], |[.., j]| if j == at { 70_000.0 } else { 1.0 }).unwrap();
            let result = gpu.conv2d(&Conv2d::new([1, 1]), &gpu.upload(&x).unwrap(), &w, None);
            assert!(result.is_err(), "{at} of {cells}");
        }
    }
}

/// By name, so that nothing is computed otherwise than it was asked for; the error says what stands in the way.
#[test]
fn a_device_without_matrix_units_says_so() {
    let Some(gpu) = adapter::open(Gpu::builder().limits(LimitsChoice::WebGpu)) else { return };
    let gpu = gpu.with_variant(Variant::Cooperative);
    let problem =
        ConvProblem { because: "", op: Conv2d::new([3, 3]), input: [1, 2, 5, 5], output_channels: 2, bias: false };
    let operands = problem.integers(1);
    let error = gpu
        .conv2d(&problem.op, &gpu.upload(&operands.x).unwrap(), &gpu.upload(&operands.w).unwrap(), None)
        .unwrap_err();
    let mut g = Graph::builder();
    let x = g.input("x", problem.input).unwrap();
    let y = g.conv2d("conv", x, problem.op, 2).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 1).unwrap();
    for error in [error, gpu.compile(&graph, &weights).unwrap_err()] {
        assert!(error.is_unsupported());
        let message = error.to_string();
        for part in ["conv2d variant cooperative", "EXPERIMENTAL_COOPERATIVE_MATRIX", "SHADER_F16", "tiled"] {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn a_device_without_matrix_units_says_so_of_transposed_convolutions() {
    let Some(gpu) = adapter::open(Gpu::builder().limits(LimitsChoice::WebGpu)) else { return };
    let gpu = gpu.with_variant(conv_transpose2d::Variant::Cooperative);
    let op = ConvTranspose2d::new([4, 4]).stride([2, 2]);
    let problem = ConvProblem { because: "", op, input: [1, 2, 5, 5], output_channels: 2, bias: false };
    let operands = problem.integers(1);
    let eager = gpu.conv_transpose2d(&op, &gpu.upload(&operands.x).unwrap(), &gpu.upload(&operands.w).unwrap(), None);
    let mut g = Graph::builder();
    let x = g.input("x", problem.input).unwrap();
    let y = g.conv_transpose2d("up", x, op, 2).unwrap();
    g.output(y).unwrap();
    let graph = g.build().unwrap();
    let weights = Weights::random(graph.weights_required(), 1).unwrap();
    for error in [eager.unwrap_err(), gpu.compile(&graph, &weights).unwrap_err()] {
        assert!(error.is_unsupported());
        let message = error.to_string();
        for part in ["conv_transpose2d variant cooperative", "EXPERIMENTAL_COOPERATIVE_MATRIX", "SHADER_F16", "phased"]
        {
            assert!(message.contains(part), "{message}");
        }
    }
}
