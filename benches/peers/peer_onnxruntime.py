"""ONNX Runtime's WebGPU execution provider, in f32. Nothing may fall back to the CPU unseen."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import fcn8s

OPSET, IR_VERSION = 17, 8


def prepare(workload, x, weight):
    """A function that runs the workload from host to host, or None where the provider has no such operator."""
    window = {"strides": [workload.stride] * 2, "pads": [workload.pad] * 4}
    if workload.op == "conv2d":
        node = helper.make_node("Conv", ["data", "w"], ["y"], **window)
    elif workload.op == "conv_transpose2d":
        node = helper.make_node("ConvTranspose", ["data", "w"], ["y"], group=workload.groups, **window)
    elif workload.op == "max_pool2d":
        node = helper.make_node("MaxPool", ["data"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    else:
        return None
    constants = [] if weight is None else [numpy_helper.from_array(weight, "w")]
    return runner([node], constants, x, "y")


def prepare_fcn8s(weights, x):
    layers, shapes = fcn8s.layers(x.shape[2:], *fcn8s.widths_of(weights))
    nodes, constants = [], [numpy_helper.from_array(value, name) for name, value in weights.items()]

    def constant(name, *values):
        constants.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    for op, name, inputs, of in layers:
        if op == "conv":
            linear = f"{name}_linear" if of["relu"] else name
            operands = [*inputs, f"{name}.weight", f"{name}.bias"]
            nodes.append(helper.make_node("Conv", operands, [linear], pads=[of["pad"]] * 4))
            if of["relu"]:
                nodes.append(helper.make_node("Relu", [linear], [name]))
        elif op == "up":
            operands = [*inputs, f"{name}.weight"]
            nodes.append(helper.make_node("ConvTranspose", operands, [name], strides=[of["stride"]] * 2))
        elif op == "pool":
            # The provider has no ceil_mode: a border at the end does the same, since it never wins.
            pads = [0, 0, *(extent % 2 for extent in shapes[inputs[0]][1:])]
            nodes.append(helper.make_node("MaxPool", inputs, [name], kernel_shape=[2, 2], strides=[2, 2], pads=pads))
        elif op == "add":
            nodes.append(helper.make_node("Add", inputs, [name]))
        elif op == "crop":
            _, h, w = shapes[name]
            start = constant(f"{name}_start", of["offset"], of["offset"])
            end = constant(f"{name}_end", of["offset"] + h, of["offset"] + w)
            nodes.append(helper.make_node("Slice", [*inputs, start, end, constant(f"{name}_axes", 2, 3)], [name]))
    return runner(nodes, constants, x, "score")


def runner(nodes, constants, x, output):
    inputs = [helper.make_tensor_value_info("data", TensorProto.FLOAT, x.shape)]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "workload", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    providers = ["WebGpuExecutionProvider"]
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=providers)
    return lambda: session.run([output], {"data": x})[0]


def describe():
    return {"version": onnxruntime.__version__, "adapter": "Dawn's choice"}
