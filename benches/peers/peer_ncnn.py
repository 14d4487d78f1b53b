"""ncnn, on Vulkan or on the CPU, in f32. Models are written here: .param is text, .bin the numbers in its order."""

import tempfile
from pathlib import Path

import ncnn
import numpy as np

import fcn8s


class Model:
    """A network being written."""

    def __init__(self):
        self.lines, self.blobs, self.data = [], set(), []

    def layer(self, kind, name, inputs, outputs, **parameters):
        self.blobs |= {*inputs, *outputs}
        numbers = " ".join(f"{key[1:]}={value}" for key, value in parameters.items())
        self.lines.append(f"{kind} {name} {len(inputs)} {len(outputs)} {' '.join([*inputs, *outputs])} {numbers}")

    def weight(self, values, bias=None):
        # A tag of four zero bytes says that f32 numbers follow; biases have no tag.
        self.data += [bytes(4), np.ascontiguousarray(values, np.float32).tobytes()]
        if bias is not None:
            self.data.append(np.ascontiguousarray(bias, np.float32).tobytes())

    def conv(self, name, x, y, weight, bias=None, stride=1, pad=0, relu=False):
        outputs, _, kernel, _ = weight.shape
        self.layer("Convolution", name, [x], [y], _0=outputs, _1=kernel, _3=stride, _4=pad,
                   _5=int(bias is not None), _6=weight.size, _9=int(relu))  # fmt: skip
        self.weight(weight, bias)

    def up(self, name, x, y, weight, stride=1, pad=0, groups=1):
        inputs, outputs, kernel, _ = weight.shape
        parameters = dict(_0=outputs * groups, _1=kernel, _3=stride, _4=pad, _5=0, _6=weight.size)
        kind = "Deconvolution"
        if groups > 1:
            kind, parameters = "DeconvolutionDepthWise", parameters | {"_7": groups}
        self.layer(kind, name, [x], [y], **parameters)
        # Output channels first, within each group.
        split = weight.reshape(groups, inputs // groups, outputs, kernel, kernel)
        self.weight(split.transpose(0, 2, 1, 3, 4))

    def load(self, vulkan):
        net = ncnn.Net()
        net.opt.use_vulkan_compute = vulkan
        for option in dir(net.opt):
            # All reduced precision off, whatever its name: the comparison is of f32.
            if option.startswith(("use_fp16", "use_bf16", "use_int8")):
                setattr(net.opt, option, False)
        with tempfile.TemporaryDirectory() as folder:
            param, data = Path(folder, "net.param"), Path(folder, "net.bin")
            param.write_text("\n".join(["7767517", f"{len(self.lines)} {len(self.blobs)}", *self.lines, ""]))
            with data.open("wb") as file:
                file.writelines(self.data)
            if net.load_param(str(param)) or net.load_model(str(data)):
                raise RuntimeError("ncnn refuses the model")
        return net


def prepare(workload, x, weight, vulkan=True):
    """A function that runs the workload from host to host, or None where ncnn has no such operator."""
    model = Model()
    model.layer("Input", "data", [], ["data"])
    if workload.op == "conv2d":
        model.conv("y", "data", "y", weight, stride=workload.stride, pad=workload.pad)
    elif workload.op == "conv_transpose2d":
        model.up("y", "data", "y", weight, workload.stride, workload.pad, workload.groups)
    elif workload.op == "max_pool2d":
        model.layer("Pooling", "y", ["data"], ["y"], _0=0, _1=2, _2=2, _5=0)
    else:
        return None
    return runner(model.load(vulkan), x, "y")


def prepare_fcn8s(weights, x, vulkan=True):
    layers, shapes = fcn8s.layers(x.shape[2:], *fcn8s.widths_of(weights))
    readers = {name: [] for name in shapes}
    for _, name, inputs, _ in layers:
        for value in inputs:
            readers[value].append(name)
    model = Model()

    # A value with several readers has a name of its own for each.
    def read(value, reader):
        return value if len(readers[value]) < 2 else f"{value}_for_{reader}"

    def split(name):
        if len(readers[name]) > 1:
            model.layer("Split", f"{name}_split", [name], [read(name, reader) for reader in readers[name]])

    model.layer("Input", "data", [], ["data"])
    split("data")
    for op, name, inputs, of in layers:
        inputs = [read(value, name) for value in inputs]
        if op == "conv":
            parameters = weights[f"{name}.weight"], weights[f"{name}.bias"]
            model.conv(name, inputs[0], name, *parameters, pad=of["pad"], relu=of["relu"])
        elif op == "up":
            model.up(name, inputs[0], name, weights[f"{name}.weight"], of["stride"])
        elif op == "pool":
            model.layer("Pooling", name, inputs, [name], _0=0, _1=2, _2=2, _5=0)
        elif op == "add":
            model.layer("BinaryOp", name, inputs, [name], _0=0)
        elif op == "crop":
            c, h, w = shapes[name]
            model.layer("Crop", name, inputs, [name], _0=of["offset"], _1=of["offset"], _2=0, _3=w, _4=h, _5=c)
        split(name)
    net = model.load(vulkan)
    model.data.clear()
    return runner(net, x, "score")


def runner(net, x, output):
    data = ncnn.Mat(np.ascontiguousarray(x[0]))

    def run():
        extractor = net.create_extractor()
        extractor.input("data", data)
        status, result = extractor.extract(output)
        if status:
            raise RuntimeError(f"ncnn ends with {status}")
        return np.array(result)[None]

    run.keep = net
    return run


def describe(vulkan=True):
    name = ncnn.get_gpu_info(ncnn.get_default_gpu_index()).device_name() if vulkan else "CPU"
    return {"version": ncnn.__version__, "adapter": name}
