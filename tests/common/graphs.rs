//! Graphs made of arbitrary numbers: small networks of every operator, wired at random.

use proptest::prelude::*;
use proptest::sample::select;
use switchback::graph::{Inputs, ValueRef};
use switchback::op::{MaxUnpool2d, Normalize};
use switchback::{
    BatchNorm, Conv2d, ConvTranspose2d, Crop, CropAdd, Edge, Graph, GraphBuilder, LocalResponseNorm, MaxPool2d, Pad,
    Palette, Parameters, RgbImage, Rounding, Slice, Tensor,
};

use super::random::Random;

/// What a random graph is made from, so that it can be built with one set of outputs or another, and of another size.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    nodes: Vec<[usize; 4]>,
    outputs: Vec<usize>,
    /// Shape of the input `x`.
    pub(crate) input: [usize; 4],
    /// Extent of the input `image`.
    pub(crate) image: [usize; 2],
}

/// What random graphs compute from.
pub(crate) struct Operands {
    x: Tensor,
    image: RgbImage,
}

pub(crate) fn recipes() -> impl Strategy<Value = Recipe> {
    let number = || 0_usize..1 << 12;
    let nodes = prop::collection::vec([number(), number(), number(), number()], 1..16);
    let outputs = prop::collection::vec(number(), 1..3);
    let input = select(&[[2, 3, 7, 5], [1, 4, 9, 14], [2, 1, 1, 11], [1, 6, 16, 8], [3, 2, 5, 1]][..]);
    let image = select(&[[6, 9], [1, 1], [13, 8]][..]);
    (nodes, outputs, input, image).prop_map(|(nodes, outputs, input, image)| Recipe { nodes, outputs, input, image })
}

impl Recipe {
    /// The graph with every value among its outputs.
    pub(crate) fn all_outputs(&self) -> Graph {
        let mut growth = Growth::of(self);
        for edge in [growth.tensors.clone(), growth.others.clone()].concat() {
            growth.builder.output(edge).unwrap();
        }
        growth.builder.build().unwrap()
    }

    /// The graph with a few of its values as outputs.
    pub(crate) fn few_outputs(&self) -> Graph {
        let mut growth = Growth::of(self);
        for output in &self.outputs {
            // The same again is refused.
            let values = [growth.tensors.as_slice(), &growth.others].concat();
            let _ = growth.builder.output(values[values.len() - 1 - output % values.len()]);
        }
        growth.builder.build().unwrap()
    }

    pub(crate) fn operands(&self, seed: u64) -> Operands {
        let mut random = Random::new(seed);
        let x = random.reals(self.input);
        let image = RgbImage::new(self.image, random.bytes(3 * self.image[0] * self.image[1])).unwrap();
        Operands { x, image }
    }
}

impl Operands {
    /// Those that a graph has among its inputs.
    pub(crate) fn of(&self, graph: &Graph) -> Inputs<'_> {
        let given: [(&str, ValueRef); 2] = [("x", (&self.x).into()), ("image", (&self.image).into())];
        let used = given.into_iter().filter(|(name, _)| graph.inputs().any(|(input, _)| input == *name));
        used.fold(Inputs::new(), |inputs, (name, value)| inputs.with(name, value))
    }

    /// The same as f16 holds it.
    pub(crate) fn in_half(mut self) -> Self {
        self.x = switchback::reference::half_tensor(&self.x);
        self
    }
}

struct Growth {
    builder: GraphBuilder,
    tensors: Vec<Edge>,
    /// Maxima, switches, and the extent that they come from.
    switches: Vec<(Edge, Edge, [usize; 2])>,
    others: Vec<Edge>,
}

impl Growth {
    fn of(recipe: &Recipe) -> Self {
        let mut builder = Graph::builder();
        let x = builder.input("x", recipe.input).unwrap();
        let image = builder.image("image", recipe.image).unwrap();
        let data = builder.normalize("data", image, Normalize::CAFFE).unwrap();
        let mut growth = Self { builder, tensors: vec![x, data], switches: vec![], others: vec![image] };
        for (position, &node) in recipe.nodes.iter().enumerate() {
            growth.add(&format!("n{position}"), node);
        }
        growth
    }

    /// Adds a node; numbers that make none, because shapes do not fit or grow too large, are passed over.
    fn add(&mut self, name: &str, [kind, a, b, n]: [usize; 4]) {
        let g = &mut self.builder;
        // Half of all nodes follow the one before, as in a network.
        let last = self.tensors.len() - 1;
        let x = self.tensors[if a.is_multiple_of(2) { last } else { a / 2 % (last + 1) }];
        let other = self.tensors[b % (last + 1)];
        let shape = g.shape(x).unwrap();
        let small = shape.elements() < 4000;
        let parameters = Parameters::named(name);
        let added = match kind % 24 {
            0 | 16 | 17 if small => {
                let channels = [5, 1, 2, 8, 17, 33][n % 6];
                let (op, channels) = convolution(n / 6, shape.c, channels);
                g.conv2d_with(name, x, op, channels, parameters)
            }
            1 => g.conv2d_with(name, x, Conv2d::new([1, 1]), 4, Parameters::named("shared").without_bias()),
            2 | 18 if small => {
                let (up, channels) = upsampling(n, shape.c);
                g.conv_transpose2d_with(name, x, up, channels, parameters)
            }
            3 => g.max_pool2d(name, x, pooling(n)),
            4 | 19 => g.max_pool2d_switches(name, x, pooling(n)).map(|(values, switches)| {
                self.switches.push((values, switches, shape.extent()));
                self.others.push(switches);
                values
            }),
            5 if !self.switches.is_empty() => {
                let (values, switches, [h, w]) = self.switches[n % self.switches.len()];
                let unpool = MaxUnpool2d::new();
                let unpool = if b.is_multiple_of(3) { unpool.output_size([h + n % 2, w + 1]) } else { unpool };
                g.max_unpool2d_with(name, values, switches, unpool)
            }
            6 => g.relu(name, x),
            7 => g.add(name, x, other).or_else(|_| g.add(name, x, x)),
            8 => g.crop_add(name, x, other, CropAdd::new([0, n % 2]).scale(0.5)).or_else(|_| {
                let cropped = Crop::new([n % shape.h, 0], [shape.h - n % shape.h, shape.w]);
                g.crop(name, x, cropped)
            }),
            9 if small => g.pad(name, x, Pad::new([n % 2, 1])),
            10 if small => g.concat(name, &[x, other, x]).or_else(|_| g.concat(name, &[x, x])),
            11 => g.slice(name, x, Slice::new(n % shape.c, 1)),
            12 => g.scale(name, x, 0.25, Some("shift".into())).or_else(|_| g.softmax_channels(name, x)),
            13 => g.batch_norm(name, x, BatchNorm::new()),
            14 => g.local_response_norm(name, x, LocalResponseNorm::new(1 + 2 * (n % 3)).alpha(1.0)),
            // A map that only a pooling reads.
            20 | 21 if small => {
                let (op, channels) = convolution(n / 8, shape.c, [5, 8, 17, 33][n % 4]);
                let pool = MaxPool2d::new([2, 2]).rounding([Rounding::Ceil, Rounding::Caffe][n / 4 % 2]);
                let map = g.conv2d(&format!("{name} unpooled"), x, op, channels);
                map.and_then(|map| g.max_pool2d_switches(name, map, pool)).map(|(values, switches)| {
                    let extent = g.shape(values).unwrap().extent();
                    self.switches.push((values, switches, extent.map(|cells| 2 * cells)));
                    values
                })
            }
            // Scores that only an argmax reads.
            22 | 23 if small => {
                let (op, channels) = upsampling(n, shape.c);
                let scores = g.conv_transpose2d(&format!("{name} scores"), x, op, channels).and_then(|scores| {
                    let [h, w] = g.shape(scores).unwrap().extent();
                    g.crop(&format!("{name} cropped"), scores, Crop::new([h / 3, w / 4], [h - h / 3, w - w / 4]))
                });
                self.others.extend(scores.and_then(|scores| g.argmax_channels(name, scores)));
                return;
            }
            _ => {
                let labels = g.argmax_channels(name, x).unwrap();
                self.others.push(labels);
                if let Ok(picture) = g.colorize(&format!("{name} in colour"), labels, Palette::voc()) {
                    self.others.push(picture);
                }
                return;
            }
        };
        self.tensors.extend(added);
    }
}

/// A convolution from so many channels to about so many, and to how many.
fn convolution(n: usize, inputs: usize, outputs: usize) -> (Conv2d, usize) {
    let kernel = [[3, 3], [3, 3], [1, 1], [5, 2], [2, 7], [7, 7]][n % 6];
    let op = Conv2d::new(kernel).pad([kernel[0] / 2, kernel[1] / 2]);
    let op = if (n / 6).is_multiple_of(2) { op.relu() } else { op };
    match n / 12 % 8 {
        0 => (op.stride([2, 1]), outputs),
        1 => (op.dilation([1, 2]), outputs),
        2 => (op.groups(inputs), inputs * (1 + n % 2)),
        _ => (op, outputs),
    }
}

/// A transposed convolution of a map of so many channels, and those of its result.
fn upsampling(n: usize, channels: usize) -> (ConvTranspose2d, usize) {
    let twice = ConvTranspose2d::new([4, 4]).stride([2, 2]);
    match n / 4 % 6 {
        0 => (ConvTranspose2d::new([3, 2]).stride([2, 1]), 1 + n % 4),
        1 => (twice.pad(1), 1 + n % 4),
        2 => (twice.groups(channels).pad([n % 2, 1]), channels),
        3 => (ConvTranspose2d::new([3, 3]).pad(1).relu(), 1 + n % 4),
        4 => (ConvTranspose2d::new([2, 3]).stride([3, 2]).dilation([1, 2]).output_padding([2, n % 2]), 1 + n % 4),
        _ => (twice, channels),
    }
}

/// Windows of which two bits hold a switch, and others.
fn pooling(n: usize) -> MaxPool2d {
    let op = match n % 4 {
        0 | 1 => MaxPool2d::new([2, 2]),
        2 => MaxPool2d::new([2, 2]).stride([1, 2]),
        _ => MaxPool2d::new([3, 2]).stride([2, 2]).dilation([1, 2]).pad([1, 0]),
    };
    op.rounding([Rounding::Floor, Rounding::Ceil, Rounding::Caffe][n / 4 % 3])
}
