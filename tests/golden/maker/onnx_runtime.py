"""The operators as one- or two-node ONNX models, run by ONNX Runtime and by ONNX's own reference.

Both answer None for what the format cannot express. ONNX numbers a switch within the whole tensor;
here, as in PyTorch, it is numbered within its own plane, so the plane's offset is taken off or added.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from .geometry import transposed_extent

OPSET, IR_VERSION = 22, 10
ELEMENT = {
    np.dtype(np.float32): TensorProto.FLOAT,
    np.dtype(np.int64): TensorProto.INT64,
}


def run(op, params, inputs):
    """ONNX Runtime's answer."""
    build = BUILDERS.get(op)
    return build(runtime, params, **inputs) if build else None


def run_reference(op, params, inputs):
    """The answer of the specification's reference, asked only where ONNX Runtime departs from it.

    That is unpooling into a larger map: the reference scatters into the pool's own extent and then
    pads, ONNX Runtime decodes the switches with the larger map's width.
    """
    if op != "max_unpool2d" or params["output_size"] == params["origin"]:
        return None
    if _natural(params, inputs["x"]) != params["origin"]:
        return None  # the inferred extent is not the pool input's: another question
    return _unpool(_reference, params, **inputs)


def runtime(model, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, inputs)


def _reference(model, inputs):
    return ReferenceEvaluator(model).run(None, inputs)


def _solve(engine, nodes, inputs, outputs=("y",), types=None):
    """Runs `nodes`, each (operator, input names, output names, attributes)."""
    inputs = {key: np.array(value) for key, value in inputs.items()}
    graph = helper.make_graph(
        [helper.make_node(op, ins, outs, **attributes) for op, ins, outs, attributes in nodes],
        "case",
        [helper.make_tensor_value_info(k, ELEMENT[v.dtype], v.shape) for k, v in inputs.items()],
        [
            helper.make_tensor_value_info(k, (types or {}).get(k, TensorProto.FLOAT), None)
            for k in outputs
        ],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    return dict(zip(outputs, engine(model, inputs)))


def _begin_end(pad):
    return [pad["top"], pad["left"], pad["bottom"], pad["right"]]


def _window(params):
    return {
        "kernel_shape": params["kernel"],
        "strides": params["stride"],
        "dilations": params["dilation"],
        "pads": _begin_end(params["pad"]),
    }


def _with_relu(params, nodes):
    """Appends the fused activation: the last node's result `y` becomes `z`, then relu."""
    if not params["relu"]:
        return nodes
    op, ins, _, attributes = nodes[-1]
    return [*nodes[:-1], (op, ins, ["z"], attributes), ("Relu", ["z"], ["y"], {})]


def _conv(engine, params, **inputs):
    node = ("Conv", list(inputs), ["y"], {**_window(params), "group": params["groups"]})
    return _solve(engine, _with_relu(params, [node]), inputs)


def _conv_transpose(engine, params, **inputs):
    extra = params["output_padding"]
    if params["output_size"] is not None:
        # ONNX's own output_shape moves the pads instead, so the size is said as output padding.
        pad = params["pad"]
        sides = ((pad["top"], pad["bottom"]), (pad["left"], pad["right"]))
        extra = [
            size - transposed_extent(i, k, s, begin, end, d)
            for size, i, k, s, d, (begin, end) in zip(
                params["output_size"], inputs["x"].shape[2:], params["kernel"],
                params["stride"], params["dilation"], sides,
            )
        ]  # fmt: skip
    if any(e >= s for e, s in zip(extra, params["stride"])):
        return None  # ONNX Runtime asks for less than the stride, PyTorch than stride or dilation
    attributes = {**_window(params), "group": params["groups"], "output_padding": extra}
    node = ("ConvTranspose", list(inputs), ["y"], attributes)
    return _solve(engine, _with_relu(params, [node]), inputs)


def _pool(engine, params, x):
    if params["rounding"] == "caffe" or not np.isfinite(x).all():
        return None  # ONNX leaves NaN and all -inf windows open
    attributes = {**_window(params), "ceil_mode": int(params["rounding"] == "ceil")}
    node = ("MaxPool", ["x"], ["y", "switches"], attributes)
    answer = _solve(engine, [node], {"x": x}, ("y", "switches"), {"switches": TensorProto.INT64})
    planes = np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[0], x.shape[1], 1, 1)
    return {"y": answer["y"], "switches": answer["switches"] - planes * x.shape[2] * x.shape[3]}


def _natural(params, x):
    """The extent that ONNX infers for an unpooled map; padded pools are not asked."""
    steps = zip(x.shape[2:], params["kernel"], params["stride"])
    return [transposed_extent(extent, k, s, 0, 0, 1) for extent, k, s in steps]


def _unpool(engine, params, x, switches):
    if engine is runtime:
        if params["output_size"] != params["origin"]:
            return None  # ONNX Runtime decodes with the output's width
        if any(size < least for size, least in zip(params["origin"], _natural(params, x))):
            return None  # it refuses a map smaller than the inferred one, as after a ceil pool
    height, width = params["origin"]
    planes = np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[0], x.shape[1], 1, 1)
    inputs = {
        "x": x,
        "switches": switches + planes * height * width,
        "shape": np.array([*x.shape[:2], *params["output_size"]], np.int64),
    }
    attributes = {
        "kernel_shape": params["kernel"],
        "strides": params["stride"],
        "pads": _begin_end(params["pad"]),
    }
    return _solve(engine, [("MaxUnpool", list(inputs), ["y"], attributes)], inputs)


def _relu(engine, params, x):
    return _solve(engine, [("Relu", ["x"], ["y"], {})], {"x": x})


def _add(engine, params, x, other):
    nodes = [("Add", ["x", "other"], ["y"], {})]
    return _solve(engine, _with_relu(params, nodes), {"x": x, "other": other})


def _bounds(axes, starts, sizes):
    """The three int64 operands of Slice."""
    ends = [start + size for start, size in zip(starts, sizes)]
    return {k: np.array(v, np.int64) for k, v in (("s", starts), ("e", ends), ("a", axes))}


def _crop(engine, params, x):
    bounds = _bounds([2, 3], params["offset"], params["size"])
    return _solve(engine, [("Slice", ["x", *bounds], ["y"], {})], {"x": x, **bounds})


def _pad(engine, params, x):
    pad = params["pad"]
    amounts = np.array([0, 0, pad["top"], pad["left"], 0, 0, pad["bottom"], pad["right"]], np.int64)
    return _solve(engine, [("Pad", ["x", "p"], ["y"], {})], {"x": x, "p": amounts})


def _crop_add(engine, params, x, skip):
    bounds = _bounds([2, 3], params["offset"], x.shape[2:])
    nodes = [("Slice", ["skip", *bounds], ["z"], {}), ("Add", ["x", "z"], ["y"], {})]
    return _solve(engine, nodes, {"x": x, "skip": skip, **bounds})


def _concat(engine, params, **parts):
    return _solve(engine, [("Concat", list(parts), ["y"], {"axis": 1})], parts)


def _slice(engine, params, x):
    bounds = _bounds([1], [params["start"]], [params["count"]])
    return _solve(engine, [("Slice", ["x", *bounds], ["y"], {})], {"x": x, **bounds})


def _scale(engine, params, x, scale=None, shift=None):
    if scale is None:
        scale = np.full(x.shape[1], params["factor"], np.float32)
    inputs = {"x": x, "scale": scale.reshape(1, -1, 1, 1)}
    nodes = [("Mul", ["x", "scale"], ["y" if shift is None else "t"], {})]
    if shift is not None:
        inputs["shift"] = shift.reshape(1, -1, 1, 1)
        nodes.append(("Add", ["t", "shift"], ["y"], {}))
    return _solve(engine, _with_relu(params, nodes), inputs)


def _batch_norm(engine, params, x, weight, bias, running_mean, running_var):
    inputs = {"x": x, "weight": weight, "bias": bias, "mean": running_mean, "var": running_var}
    nodes = [("BatchNormalization", list(inputs), ["y"], {"epsilon": params["eps"]})]
    return _solve(engine, _with_relu(params, nodes), inputs)


def _lrn(engine, params, x):
    attributes = {key: params[key] for key in ("size", "alpha", "beta")} | {"bias": params["k"]}
    return _solve(engine, [("LRN", ["x"], ["y"], attributes)], {"x": x})


def _softmax(engine, params, x):
    return _solve(engine, [("Softmax", ["x"], ["y"], {"axis": 1})], {"x": x})


def _argmax(engine, params, x):
    if np.isnan(x).any():
        return None
    node = ("ArgMax", ["x"], ["y"], {"axis": 1, "keepdims": 0, "select_last_index": 0})
    answer = _solve(engine, [node], {"x": x}, types={"y": TensorProto.INT64})
    return {"y": answer["y"].astype(np.uint8)}


BUILDERS = {
    "conv2d": _conv,
    "conv_transpose2d": _conv_transpose,
    "max_pool2d": _pool,
    "max_unpool2d": _unpool,
    "relu": _relu,
    "add": _add,
    "crop": _crop,
    "pad": _pad,
    "crop_add": _crop_add,
    "concat": _concat,
    "slice": _slice,
    "scale": _scale,
    "batch_norm": _batch_norm,
    "lrn": _lrn,
    "softmax_channels": _softmax,
    "argmax_channels": _argmax,
}
