"""The networks with a decoder, stated once: names, kernels and order are those of the published files.

`SegNet` and `SegNet-Basic`: Models/segnet_inference.prototxt and segnet_basic_inference.prototxt of
SegNet-Tutorial; `DeconvNet`: DeconvNet_inference_deploy.prototxt; `FCN-AlexNet`: voc-fcn-alexnet/net.py;
`U-Net`: the names and the padding of the widespread PyTorch implementation (double_conv, up, outc).
"""

from .fcn import BLOCKS
from .program import Program, parameter_count

# PyTorch's default. The published scripts fold with 1e-9 before they write a file.
EPS = 1e-5


def segnet(widths, classes):
    net = Program("segnet", eps=EPS)

    def conv(name, x, outputs):
        x = net.conv(name, x, outputs, 3, pad=1)
        net.batch_norm(f"{name}_bn", x)
        return net.relu(name.replace("conv", "relu"), x)

    x = "data"
    for number, block in enumerate(BLOCKS, 1):
        for name in block:
            x = conv(name, x, widths[number - 1])
        x = net.pool(f"pool{number}", x)
    for number in range(5, 0, -1):
        x = net.unpool(f"upsample{number}", x, f"pool{number}", top=f"pool{number}_D")
        # The last convolution of a stage goes down to the next stage's width.
        for name in reversed(BLOCKS[number - 1]):
            last = name.endswith("_1")
            if (number, last) == (1, True):
                net.conv("conv1_1_D", x, classes, 3, pad=1, top="scores")
            else:
                x = conv(f"{name}_D", x, widths[max(number - 1 - last, 0)])
    return net


def segnet_basic(width, classes):
    net = Program("segnet-basic", eps=EPS)
    x = net.lrn("norm", "data")
    for number in range(1, 5):
        x = net.conv(f"conv{number}", x, width, 7, pad=3)
        net.batch_norm(f"conv{number}_bn", x)
        x = net.pool(f"pool{number}", net.relu(f"relu{number}", x))
    for number in range(4, 0, -1):
        x = net.unpool(f"upsample{number}", x, f"pool{number}")
        x = net.conv(f"conv_decode{number}", x, width, 7, pad=3)
        net.batch_norm(f"conv_decode{number}_bn", x)
    net.conv("conv_classifier", x, classes, 1, top="scores")
    return net


def deconvnet(widths, fc, classes):
    net = Program("deconvnet", eps=EPS)

    def block(name, norm, relu, x, outputs, kernel, pad=0, kind="conv"):
        x = net.conv(name, x, outputs, kernel, pad=pad, kind=kind)
        net.batch_norm(norm, x)
        return net.relu(relu, x)

    x = "data"
    for number, names in enumerate(BLOCKS, 1):
        for name in names:
            tail = name.removeprefix("conv")
            x = block(name, f"bn{tail}", f"relu{tail}", x, widths[number - 1], 3, 1)
        x = net.pool(f"pool{number}", x)
    x = block("fc6", "bnfc6", "relu6", x, fc, 7)
    x = block("fc7", "bnfc7", "relu7", x, fc, 1)
    x = block("fc6-deconv", "fc6-deconv-bn", "fc6-deconv-relu", x, widths[4], 7, kind="deconv")
    for number in range(5, 0, -1):
        x = net.unpool(f"unpool{number}", x, f"pool{number}")
        layers = len(BLOCKS[number - 1])
        for layer in range(1, layers + 1):
            tail = f"{number}_{layer}"
            outputs = widths[max(number - 1 - (layer == layers), 0)]
            x = block(f"deconv{tail}", f"debn{tail}", f"derelu{tail}", x, outputs, 3, 1, "deconv")
    net.conv("seg-score-voc", x, classes, 1, top="scores")
    return net


def fcn_alexnet(widths, fc, classes):
    net = Program("fcn-alexnet")

    def conv(number, x, kernel, **rest):
        x = net.conv(f"conv{number}", x, widths[number - 1], kernel, **rest)
        return net.relu(f"relu{number}", x)

    x = net.pool("pool1", conv(1, "data", 11, stride=4, pad=100), 3)
    x = net.pool("pool2", conv(2, net.lrn("norm1", x), 5, pad=2, groups=2), 3)
    x = conv(3, net.lrn("norm2", x), 3, pad=1)
    x = conv(4, x, 3, pad=1, groups=2)
    x = net.pool("pool5", conv(5, x, 3, pad=1, groups=2), 3)
    x = net.relu("relu6", net.conv("fc6", x, fc, 6))
    x = net.relu("relu7", net.conv("fc7", x, fc, 1))
    x = net.conv("score_fr", x, classes, 1)
    x = net.deconv("upscore", x, classes, 63, stride=32, bias=False)
    net.crop("scores", x, "data", 18)
    return net


def unet(widths, classes):
    """Floor pools: an odd map's last row and column are not pooled, and come back as padding."""
    net = Program("unet", eps=EPS)

    def double(name, x, outputs):
        for conv, norm in ((0, 1), (3, 4)):
            x = net.conv(f"{name}.double_conv.{conv}", x, outputs, 3, pad=1, bias=False)
            net.batch_norm(f"{name}.double_conv.{norm}", x)
            net.relu(f"{name}.double_conv.{norm + 1}", x)
        return x

    x = double("inc", "data", widths[0])
    taps = []
    for level, width in enumerate(widths[1:], 1):
        taps.append(x)
        x = double(f"down{level}.maxpool_conv.1", net.pool(f"down{level}", x, ceil=False), width)
    for level, (tap, width) in enumerate(zip(reversed(taps), reversed(widths[:-1])), 1):
        x = net.deconv(f"up{level}.up", x, width, 2, stride=2)
        x = net.pad_to(f"up{level}.pad", x, tap)
        x = double(f"up{level}.conv", net.concat(f"up{level}.concat", tap, x), width)
    net.conv("outc.conv", x, classes, 1, top="scores")
    return net


VGG = (64, 128, 256, 512, 512)
# The published sizes, and what the papers and files count: parameters, with two a channel for a
# batch norm, and multiply-adds.
FULL = {
    "segnet": (segnet(VGG, 11), (360, 480), 29_449_355, 106_712_432_640),
    "segnet-basic": (segnet_basic(64, 11), (360, 480), 1_416_587, 59_188_838_400),
    "deconvnet": (deconvnet(VGG, 4096, 21), (224, 224), 251_805_653, 32_745_979_904),
}
for _program, _, _parameters, _ in FULL.values():
    assert parameter_count(_program) == _parameters, _program.name
