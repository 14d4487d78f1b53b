"""A program as an ONNX model, all sizes open, for a second opinion from ONNX Runtime.

ONNX Runtime will not unpool into the odd extent of a ceil pool, so unpooling is written as what it is:
zeros, into which the values are scattered at ONNX's own whole-tensor indices.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .onnx_runtime import IR_VERSION, OPSET, runtime


def scores(program, weights, image):
    """`scores` of the network as ONNX Runtime computes them in f32."""
    return runtime(model(program, weights), {"data": image})[0]


def model(program, weights):
    graph = _Graph(weights, program.eps)
    for layer in program.layers:
        graph.add(layer)
    value = {"data": program.channels["data"], "scores": program.channels["scores"]}
    ends = [
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ["n", channels, f"{name}_h", f"{name}_w"]
        )
        for name, channels in value.items()
    ]
    nodes = [*graph.nodes, helper.make_node("Identity", [graph.blobs["scores"]], ["scores"])]
    body = helper.make_graph(nodes, program.name, ends[:1], ends[1:], graph.constants)
    return helper.make_model(
        body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


class _Graph:
    """Nodes and constants; `blobs` maps a blob to the value that its last writer made."""

    def __init__(self, weights, eps):
        self.eps, self.nodes, self.blobs = eps, [], {"data": "data"}
        self.constants = [numpy_helper.from_array(value, key) for key, value in weights.items()]
        self.known = set(weights)

    def add(self, layer):
        inputs = [self.blobs[name] for name in layer.bottoms]
        self.blobs[layer.top] = getattr(self, f"_{layer.kind}")(layer, *inputs)

    def node(self, op, inputs, output, outputs=(), **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output, *outputs], **attributes))
        return output

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _conv(self, layer, x, op="Conv"):
        p = layer.params
        parts = [f"{layer.name}.weight"] + ([f"{layer.name}.bias"] if p["bias"] else [])
        window = {"pads": [p["pad"]] * 4, "strides": [p["stride"]] * 2, "group": p["groups"]}
        return self.node(op, [x, *parts], f"{layer.name}:y", **window)

    def _deconv(self, layer, x):
        return self._conv(layer, x, "ConvTranspose")

    def _batch_norm(self, layer, x):
        name = layer.name
        if f"{name}.scale" not in self.known:
            parts = [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
            return self.node("BatchNormalization", [x, *parts], f"{name}:y", epsilon=self.eps)
        axes = self.constant(f"{name}:axes", np.array([0, 2, 3], np.int64))
        scale, shift = (
            self.node("Unsqueeze", [f"{name}.{part}", axes], f"{name}:{part}")
            for part in ("scale", "shift")
        )
        return self.node("Add", [self.node("Mul", [x, scale], f"{name}:product"), shift], f"{name}:y")

    def _relu(self, layer, x):
        return self.node("Relu", [x], f"{layer.name}:y")

    def _lrn(self, layer, x):
        p = layer.params
        return self.node(
            "LRN", [x], f"{layer.name}:y", size=p["size"], alpha=p["alpha"], beta=p["beta"], bias=1.0
        )

    def _pool(self, layer, x):
        p, mask = layer.params, f"{layer.name}_mask"
        self.blobs[mask] = mask
        window = {
            "kernel_shape": [p["kernel"]] * 2,
            "strides": [p["stride"]] * 2,
            "ceil_mode": int(p["ceil"]),
        }
        return self.node("MaxPool", [x], f"{layer.name}:y", [mask], **window)

    def _unpool(self, layer, x, mask, origin):
        name = layer.name
        whole = self.constant(f"{name}:whole", np.array([-1], np.int64))
        shape = self.node("Shape", [origin], f"{name}:shape")
        count = self.node("ReduceProd", [shape], f"{name}:count", keepdims=1)
        zeros = self.node("ConstantOfShape", [count], f"{name}:zeros")
        places, values = (
            self.node("Reshape", [value, whole], f"{name}:{part}")
            for part, value in (("places", mask), ("values", x))
        )
        flat = self.node("ScatterElements", [zeros, places, values], f"{name}:flat")
        return self.node("Reshape", [flat, shape], f"{name}:y")

    def _extent(self, layer, value, part):
        return self.node("Shape", [value], f"{layer.name}:{part}", start=2, end=4)

    def _crop(self, layer, x, like):
        name = layer.name
        start = self.constant(f"{name}:start", np.array([layer.params["offset"]] * 2, np.int64))
        end = self.node("Add", [start, self._extent(layer, like, "extent")], f"{name}:end")
        axes = self.constant(f"{name}:axes", np.array([2, 3], np.int64))
        return self.node("Slice", [x, start, end, axes], f"{name}:y")

    def _pad_to(self, layer, x, like):
        name = layer.name
        missing = self.node(
            "Sub", [self._extent(layer, like, "to"), self._extent(layer, x, "from")], f"{name}:all"
        )
        two = self.constant(f"{name}:two", np.array([2, 2], np.int64))
        before = self.node("Div", [missing, two], f"{name}:before")
        after = self.node("Sub", [missing, before], f"{name}:after")
        pads = self.node("Concat", [before, after], f"{name}:pads", axis=0)
        nothing = self.constant(f"{name}:nothing", np.float32(0))
        axes = self.constant(f"{name}:axes", np.array([2, 3], np.int64))
        return self.node("Pad", [x, pads, nothing, axes], f"{name}:y")

    def _concat(self, layer, *parts):
        return self.node("Concat", list(parts), f"{layer.name}:y", axis=1)
