"""What is compared: single operators at the shapes of FCN-8s, SegNet and DeconvNet, and these networks whole."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Workload:
    """One operator, batch 1, f32, no bias. `weight` is as in PyTorch: OIHW, for transposed convolution IOHW."""

    name: str
    op: str
    input: tuple
    weight: tuple = ()
    stride: int = 1
    pad: int = 0
    groups: int = 1

    @property
    def output(self):
        n, _, h, w = self.input
        if self.op == "conv2d":
            out, _, kh, kw = self.weight
            extent = ((h + 2 * self.pad - kh) // self.stride + 1, (w + 2 * self.pad - kw) // self.stride + 1)
            return (n, out, *extent)
        if self.op == "conv_transpose2d":
            _, out, kh, kw = self.weight
            extent = ((h - 1) * self.stride + kh - 2 * self.pad, (w - 1) * self.stride + kw - 2 * self.pad)
            return (n, out * self.groups, *extent)
        raise ValueError(f"{self.op} has no output shape here")

    @property
    def flops(self):
        """Two a multiply-add of the definition, products with padding included; 0 where there are none."""
        taps = int(np.prod(self.weight[1:], dtype=np.int64)) if self.weight else 0
        maps = {"conv2d": lambda: self.output, "conv_transpose2d": lambda: self.input}.get(self.op)
        return 2 * int(np.prod(maps(), dtype=np.int64)) * taps if maps else 0

    def operands(self):
        """The same seeded numbers of -1..1 for every peer; weights are scaled to keep sums near 1."""
        generator = np.random.Generator(np.random.PCG64(1))
        x = generator.uniform(-1, 1, self.input).astype(np.float32)
        if not self.weight:
            return x, None
        spread = np.sqrt(3 / np.prod(self.weight[1:]))
        return x, generator.uniform(-spread, spread, self.weight).astype(np.float32)


def conv(name, channels, outputs, size, kernel=3, pad=1):
    return Workload(name, "conv2d", (1, channels, size, size), (outputs, channels, kernel, kernel), pad=pad)


def up(name, channels, outputs, size, kernel, stride, pad=0, groups=1):
    weight = (channels, outputs // groups, kernel, kernel)
    return Workload(name, "conv_transpose2d", (1, channels, size, size), weight, stride, pad, groups)


def pool(name, op, channels, size):
    return Workload(name, op, (1, channels, size, size), stride=2)


CONVOLUTIONS = [
    conv("conv 3x3 64->64 @112", 64, 64, 112),
    conv("conv 3x3 128->128 @56", 128, 128, 56),
    conv("conv 3x3 256->256 @28", 256, 256, 28),
    conv("conv 3x3 512->512 @14", 512, 512, 14),
    conv("fc6 7x7 512->4096 @22", 512, 4096, 22, kernel=7, pad=0),
    conv("fc7 1x1 4096->4096 @16", 4096, 4096, 16, kernel=1, pad=0),
]
TRANSPOSED = [
    up("up k16 s8 21->21 @34", 21, 21, 34, 16, 8),
    up("up k2 s2 128->128 @28", 128, 128, 28, 2, 2),
    up("up k4 s2 21->21 @30", 21, 21, 30, 4, 2),
    up("up k64 s32 21->21 @16", 21, 21, 16, 64, 32),
    up("up k4 s2 21->21 @16", 21, 21, 16, 4, 2),
    up("up k4 s2 21->21 @34", 21, 21, 34, 4, 2),
    up("up k3 s1 512->512 @14", 512, 512, 14, 3, 1, pad=1),
    up("up k7 s1 4096->512 @1", 4096, 512, 1, 7, 1),
    up("bilinear k16 s8 21 @34", 21, 21, 34, 16, 8, groups=21),
    up("bilinear k64 s32 21 @16", 21, 21, 16, 64, 32, groups=21),
]
POOLING = [
    pool("pool 2x2/2 64 @224", "max_pool2d", 64, 224),
    pool("pool+switches 2x2/2 64 @224", "max_pool2d_switches", 64, 224),
    pool("unpool 2x2/2 64 @112", "max_unpool2d", 64, 112),
]
FCN8S = Workload("FCN-8s 500x500", "fcn8s", (1, 3, 500, 500))
DECODERS = [
    Workload("SegNet 360x480", "segnet", (1, 3, 360, 480)),
    Workload("SegNet-Basic 360x480", "segnet-basic", (1, 3, 360, 480)),
    Workload("DeconvNet 224x224", "deconvnet", (1, 3, 224, 224)),
]
NETWORKS = [FCN8S, *DECODERS]
WORKLOADS = {workload.name: workload for workload in [*CONVOLUTIONS, *TRANSPOSED, *POOLING, *NETWORKS]}
