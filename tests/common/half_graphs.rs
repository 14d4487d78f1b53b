//! Graphs that tests run in f16.

use switchback::{Conv2d, ConvTranspose2d, Crop, CropAdd, Graph, MaxPool2d, Pad, Padding, Slice};

/// Operators that have kernels for f16 and some that have none, over odd and even channels, two images.
pub(crate) fn every_operator(channels: usize) -> Graph {
    let mut g = Graph::builder();
    let x = g.input("x", [2, 3, 21, 26]).unwrap();
    let a = g.conv2d("a", x, Conv2d::new([3, 3]).pad(1).relu(), channels).unwrap();
    let b = g.conv2d("b", a, Conv2d::new([3, 5]).stride([1, 2]).dilation([2, 1]).pad([2, 3]), channels).unwrap();
    let pooled = g.max_pool2d("pooled", b, MaxPool2d::new([3, 2]).stride([2, 2]).pad(1)).unwrap();
    let (maxima, switches) = g.max_pool2d_switches("maxima", pooled, MaxPool2d::new([2, 2])).unwrap();
    let up = g.max_unpool2d("up", maxima, switches).unwrap();
    let sum = g.add("sum", up, pooled).unwrap();
    let rectified = g.relu("rectified", sum).unwrap();
    let wide = g.conv_transpose2d("wide", rectified, ConvTranspose2d::new([4, 4]).stride([2, 2]), channels).unwrap();
    let whole = g.crop("whole", a, Crop::new([3, 1], [16, 24])).unwrap();
    let halved = g.max_pool2d("halved", whole, MaxPool2d::new([2, 2])).unwrap();
    let again = g.relu("again", halved).unwrap();
    g.output(again).unwrap();
    let padded = g.pad("padded", b, Pad::new(3)).unwrap();
    let cropped = g.crop("cropped", padded, Crop::new([1, 2], [18, 14])).unwrap();
    let small = g.crop("small", wide, Crop::new([1, 1], [12, 10])).unwrap();
    let fused = g.crop_add("fused", small, cropped, CropAdd::new([2, 1]).scale(0.25)).unwrap();
    let both = g.concat("both", &[fused, small]).unwrap();
    let part = g.slice("part", both, Slice::new(2, channels)).unwrap();
    let score = g.conv2d("score", part, Conv2d::new([1, 1]), 5).unwrap();
    let labels = g.argmax_channels("labels", score).unwrap();
    g.output(score).unwrap();
    g.output(labels).unwrap();
    g.build().unwrap()
}

/// Transposed convolutions one after the other, over odd and even channels, two images: awkward windows, groups, borders.
pub(crate) fn upsamplings(channels: usize) -> Graph {
    let mut g = Graph::builder();
    let mut x = g.input("x", [2, channels, 5, 7]).unwrap();
    let border = Padding { top: 3, bottom: 1, left: 5, right: 2 };
    for (name, op, outputs) in [
        ("stride one", ConvTranspose2d::new([3, 3]).pad(1).relu(), channels),
        ("twice", ConvTranspose2d::new([4, 4]).stride([2, 2]), channels + 2),
        ("odd", ConvTranspose2d::new([3, 2]).stride([2, 3]).dilation([1, 2]).output_padding([1, 2]), 2 * channels),
        ("grouped", ConvTranspose2d::new([2, 3]).pad(1).groups(2).relu(), 2 * channels),
        ("cut", ConvTranspose2d::new([5, 8]).stride([2, 4]).pad(border), channels),
        ("each apart", ConvTranspose2d::new([4, 4]).stride([2, 2]).groups(channels), channels),
    ] {
        x = g.conv_transpose2d(name, x, op, outputs).unwrap();
        if name == "odd" {
            x = g.max_pool2d("smaller", x, MaxPool2d::new([3, 4]).stride([3, 4])).unwrap();
        }
    }
    let last = g.conv2d("last", x, Conv2d::new([3, 3]).stride([4, 4]), 3).unwrap();
    g.output(last).unwrap();
    let graph = g.build().unwrap();
    let names: Vec<String> =
        graph.nodes().iter().map(|node| node.name().to_owned()).filter(|name| name != "x").collect();
    graph.with_outputs(names.iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
}
