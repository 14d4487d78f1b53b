"""PyTorch, on CUDA where there is a device, otherwise on the CPU. Full f32: TF32 off; or f16 in channels_last, which cuDNN's matrix
units want; cuDNN searches for its best."""

import time

import torch
import torch.nn.functional as F

import decoders
import fcn8s

torch.backends.cudnn.benchmark = True
torch.backends.cudnn.allow_tf32 = False
torch.backends.cuda.matmul.allow_tf32 = False
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
FORM = {"dtype": torch.float32}
# Seconds that a graph of calls is to take, and the most calls: as `switchback bench` has it for the runs of a pass.
PASS, MOST_CALLS = 1e-3, 100


def in_half():
    """Maps and weights in f16, channels last, from now on; results are given in f32 as before."""
    FORM.update(dtype=torch.float16, memory_format=torch.channels_last)


def there(tensor):
    """On the device, in the form that is asked for; vectors have no layout."""
    return tensor.to(DEVICE, **(FORM if tensor.dim() == 4 else {"dtype": FORM["dtype"]}))


def prepare(workload, x, weight):
    """A function that runs the workload from host to host; its `device` runs it alone and gives seconds."""
    given = torch.from_numpy(x)
    weight = None if weight is None else there(torch.from_numpy(weight))
    window = {"stride": workload.stride, "padding": workload.pad}
    match workload.op:
        case "conv2d":
            return runner(given, lambda x: F.conv2d(x, weight, **window))
        case "conv_transpose2d":
            return runner(given, lambda x: F.conv_transpose2d(x, weight, groups=workload.groups, **window))
        case "max_pool2d":
            return runner(given, lambda x: F.max_pool2d(x, 2, 2))
        case "max_pool2d_switches":
            return runner(given, lambda x: F.max_pool2d(x, 2, 2, return_indices=True)[0])
        case "max_unpool2d":
            origin = there(torch.rand(1, x.shape[1], 2 * x.shape[2], 2 * x.shape[3]))
            switches = F.max_pool2d(origin, 2, 2, return_indices=True)[1]
            return runner(given, lambda x: F.max_unpool2d(x, switches, 2, 2))


def prepare_fcn8s(weights, x):
    layers, shapes = fcn8s.layers(x.shape[2:], *fcn8s.widths_of(weights))
    weights = {name: there(torch.from_numpy(value)) for name, value in weights.items()}

    def forward(data):
        values = {"data": data}
        for op, name, inputs, of in layers:
            a = values[inputs[0]]
            if op == "conv":
                y = F.conv2d(a, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=of["pad"])
                values[name] = y.relu_() if of["relu"] else y
            elif op == "up":
                values[name] = F.conv_transpose2d(a, weights[f"{name}.weight"], stride=of["stride"])
            elif op == "pool":
                values[name] = F.max_pool2d(a, 2, 2, ceil_mode=True)
            elif op == "add":
                values[name] = a + values[inputs[1]]
            elif op == "crop":
                (_, h, w), offset = shapes[name], of["offset"]
                values[name] = a[:, :, offset : offset + h, offset : offset + w]
        return values["score"]

    return runner(torch.from_numpy(x), forward)


def prepare_decoder(network, weights, x, divisor=1):
    layers = decoders.NETWORKS[network](divisor)
    weights = {name: there(torch.from_numpy(value)) for name, value in weights.items()}

    def forward(x):
        switches, extents = {}, {}
        for op, *of in layers:
            if op in ("conv", "up"):
                name, _, _, pad, relu = of
                function = F.conv2d if op == "conv" else F.conv_transpose2d
                x = function(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=pad)
                x = x.relu_() if relu else x
            elif op == "pool":
                extents[of[0]] = x.shape[2:]
                x, switches[of[0]] = F.max_pool2d(x, 2, 2, ceil_mode=True, return_indices=True)
            elif op == "unpool":
                x = F.max_unpool2d(x, switches[of[0]], 2, 2, output_size=extents[of[0]])
            else:
                x = F.local_response_norm(x, 5)
        return x

    return runner(torch.from_numpy(x), forward)


def runner(x, forward):
    @torch.inference_mode()
    def run():
        return forward(there(x)).float().contiguous().cpu().numpy()

    given = there(x)

    @torch.inference_mode()
    def device():
        """Seconds of the operator alone, its operands on the device."""
        if DEVICE == "cpu":
            start = time.perf_counter()
            forward(given)
            return time.perf_counter() - start
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        forward(given)
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / 1e3

    @torch.inference_mode()
    def capture():
        """A CUDA graph of as many calls in a row as take about a millisecond: how many, and a function that replays it and gives
        seconds of one call, without the gaps in which the device waits for the host. A RuntimeError where the operator cannot be
        captured, as those that wait for the device; to be asked for last, for CUDA may not be used any more then."""
        calls = round(min(max(PASS / min(device() for _ in range(5)), 1), MOST_CALLS))
        graph, side = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                expected = forward(given)
        torch.cuda.current_stream().wait_stream(side)
        with torch.cuda.graph(graph):
            for _ in range(calls - 1):
                forward(given)
            found = forward(given)
        graph.replay()
        error, most = (found - expected).abs().max().item(), 1e-2 * expected.abs().max().item()
        if not error <= most:
            raise RuntimeError(f"replay gives something else than a call: {error} off, allowed are {most}")

        def replay():
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            # One that is not timed goes before, so that the device is busy while the host launches the one that is.
            graph.replay()
            begin.record()
            graph.replay()
            end.record()
            end.synchronize()
            return begin.elapsed_time(end) / 1e3 / calls

        return calls, replay

    run.device = device
    if DEVICE == "cuda":
        run.capture = capture
    return run


def describe():
    name = torch.cuda.get_device_name() if DEVICE == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    return {"version": torch.__version__, "adapter": name, "element": str(FORM["dtype"]).removeprefix("torch.")}
