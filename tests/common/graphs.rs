//! Graphs made of arbitrary numbers: small networks of every operator, wired at random.

use proptest::prelude::*;
use switchback::op::{MaxUnpool2d, Normalize};
use switchback::{
    BatchNorm, Conv2d, ConvTranspose2d, Crop, CropAdd, Edge, Graph, GraphBuilder, LocalResponseNorm, MaxPool2d, Pad,
    Palette, Parameters, Slice,
};

/// What a random graph is made from, so that it can be built with one set of outputs or another.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    nodes: Vec<[usize; 4]>,
    outputs: Vec<usize>,
}

/// Shape of the input `x` and extent of the input `image`.
pub(crate) const INPUT: [usize; 4] = [2, 3, 7, 5];
pub(crate) const IMAGE: [usize; 2] = [6, 9];

pub(crate) fn recipes() -> impl Strategy<Value = Recipe> {
    let nodes = prop::collection::vec(any::<[usize; 4]>(), 1..16);
    (nodes, prop::collection::vec(any::<usize>(), 1..3)).prop_map(|(nodes, outputs)| Recipe { nodes, outputs })
}

impl Recipe {
    /// The graph with every value among its outputs.
    pub(crate) fn all_outputs(&self) -> Graph {
        let mut growth = Growth::of(&self.nodes);
        for edge in [growth.tensors.clone(), growth.others.clone()].concat() {
            growth.builder.output(edge).unwrap();
        }
        growth.builder.build().unwrap()
    }

    /// The graph with a few of its tensors as outputs.
    pub(crate) fn few_outputs(&self) -> Graph {
        let mut growth = Growth::of(&self.nodes);
        for output in &self.outputs {
            // The same again is refused.
            let _ = growth.builder.output(growth.tensors[output % growth.tensors.len()]);
        }
        growth.builder.build().unwrap()
    }
}

struct Growth {
    builder: GraphBuilder,
    tensors: Vec<Edge>,
    switches: Vec<(Edge, Edge)>,
    others: Vec<Edge>,
}

impl Growth {
    fn of(nodes: &[[usize; 4]]) -> Self {
        let mut builder = Graph::builder();
        let x = builder.input("x", INPUT).unwrap();
        let image = builder.image("image", IMAGE).unwrap();
        let data = builder.normalize("data", image, Normalize::CAFFE).unwrap();
        let mut growth = Self { builder, tensors: vec![x, data], switches: vec![], others: vec![image] };
        for (position, &node) in nodes.iter().enumerate() {
            growth.add(&format!("n{position}"), node);
        }
        growth
    }

    /// Adds a node; numbers that make none, because shapes do not fit or grow too large, are passed over.
    fn add(&mut self, name: &str, [kind, a, b, n]: [usize; 4]) {
        let g = &mut self.builder;
        let (x, other) = (self.tensors[a % self.tensors.len()], self.tensors[b % self.tensors.len()]);
        let shape = g.shape(x).unwrap();
        let small = shape.elements() < 4000;
        let pool = MaxPool2d::new([2, 2]).stride([1 + n % 2, 2]).ceil();
        let added = match kind % 16 {
            0 => g.conv2d(name, x, Conv2d::new([3, 3]).pad(1).relu(), 1 + n % 6),
            1 => g.conv2d_with(name, x, Conv2d::new([1, 1]), 4, Parameters::named("shared").without_bias()),
            2 if small => {
                let up = ConvTranspose2d::new([3, 2]).stride([2, 1]);
                g.conv_transpose2d(name, x, up, 1 + n % 4)
            }
            3 => g.max_pool2d(name, x, pool),
            4 => g.max_pool2d_switches(name, x, pool).map(|(values, switches)| {
                self.switches.push((values, switches));
                self.others.push(switches);
                values
            }),
            5 if !self.switches.is_empty() => {
                let (values, switches) = self.switches[n % self.switches.len()];
                g.max_unpool2d_with(name, values, switches, MaxUnpool2d::new())
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
