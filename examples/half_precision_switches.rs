//! Why networks that unpool agree less between f16 and f32 than those that do not: is it the switches, and are those that differ
//! near ties? Published networks with seeded weights, each way down and up in either storage.
//!
//!     cargo run --release --example half_precision_switches            # slim ones, small
//!     cargo run --release --example half_precision_switches -- full    # as published

use switchback::gpu::Elements;
use switchback::graph::{Operation, Outputs};
use switchback::net::{DeconvNet, SegNet, Segmentation};
use switchback::weights::Weights;
use switchback::{Conv2d, Edge, Gpu, Graph, GraphBuilder, Labels, MaxPool2d, RgbImage, Rounding, reference};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let gpu = Gpu::new()?;
    println!("on {}", gpu.info());
    let (slim, extents) = match std::env::args().nth(1).as_deref() {
        Some("full") => (1, [[360, 480], [224, 224]]),
        None => (16, [[72, 96], [224, 224]]),
        Some(other) => return Err(format!("`{other}` is not `full`").into()),
    };
    let (segnet, deconvnet) = (SegNet::published(11).slimmed(slim), DeconvNet::published(21).slimmed(slim));
    let seeded = |network: &dyn Segmentation| Weights::random(network.weights_required(), 1);
    let noise = |i: usize| ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8;
    let picture = |[h, w]: [usize; 2]| RgbImage::new([h, w], (0..3 * h * w).map(noise).collect());
    let (weights, scene) = (seeded(&segnet)?, picture(extents[0])?);
    by_halves(&gpu, &segnet, &weights, &scene)?;
    by_switches(&gpu, &segnet, &weights, &scene)?;
    by_halves(&gpu, &deconvnet, &seeded(&deconvnet)?, &picture(extents[1])?)
}

/// Each half of the network in f16; f32 with weights of f16's precision; and what the switches' maxima had over their rivals.
fn by_halves(gpu: &Gpu, network: &dyn Segmentation, weights: &Weights, picture: &RgbImage) -> Result<()> {
    let [h, w] = picture.extent();
    println!("{} {h}x{w}, labels that agree with f32's", network.title());
    let graph = network.graph_from_image([h, w])?;
    let nodes = graph.nodes();
    // Where the way up begins.
    let back =
        nodes.iter().position(|node| matches!(node.operation(), Operation::MaxUnpool2d(_))).unwrap_or(nodes.len());
    let run = |elements: Elements, weights: &Weights| labels(&gpu.with_elements(elements), &graph, weights, picture);
    let expected = run(Elements::f32(), weights)?;
    let keeping = |part: std::ops::Range<usize>| {
        let names = nodes[part].iter().filter(|node| *node.operation() != Operation::Input);
        names.fold(Elements::f16(), |elements, node| elements.keep_f32(node.name()))
    };
    say("f16", &expected, &run(Elements::f16(), weights)?);
    say("the way down in f32, up in f16", &expected, &run(keeping(0..back), weights)?);
    say("the way down in f16, up in f32", &expected, &run(keeping(back..nodes.len()), weights)?);
    let mut rounded = Weights::new();
    for name in weights.names() {
        rounded.insert(name, &reference::half_tensor(&weights.tensor(name)?));
    }
    say("f32, only the weights rounded to f16", &expected, &run(Elements::f32(), &rounded)?);
    for (position, node) in nodes.iter().enumerate() {
        if matches!(node.operation(), Operation::MaxPool2dSwitches(_)) {
            let (map, switches) = (nodes[position - 1].name(), format!("{}.switches", node.name()));
            let mut g = Graph::builder();
            let image = g.image("image", picture.extent())?;
            let data = g.normalize("data", image, network.preprocessing())?;
            network.add_scores(&mut g, data)?;
            for output in [map, &switches] {
                let edge = g.edge(output)?;
                g.output(edge)?;
            }
            let open = g.build()?;
            let [single, half] = [Elements::f32(), Elements::f16()]
                .map(|elements| gpu.with_elements(elements).compile(&open, weights).and_then(|mut s| s.run(picture)));
            ties(node.name(), map, &switches, &single?, &half?)?;
        }
    }
    Ok(())
}

/// Prints how many switches of a pooling differ, and by how much the maximum was ahead of the cell that f16 took.
fn ties(pool: &str, map: &str, switches: &str, single: &Outputs, half: &Outputs) -> Result<()> {
    let (x, y) = (single.tensor(map)?, half.tensor(map)?);
    let (a, b) = (single.switches(switches)?, half.switches(switches)?);
    let (plane, windows) = (x.shape().plane(), a.shape().plane());
    let error = x.data().iter().zip(y.data()).map(|(x, y)| f64::from((x - y).abs())).fold(0.0, f64::max);
    let largest = x.data().iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let mut gaps: Vec<f64> = Vec::new();
    for (window, (&a, &b)) in a.indices().iter().zip(b.indices()).enumerate() {
        if a != b {
            let [a, b] = [a, b].map(|cell| window / windows * plane + cell as usize);
            let [x, y] = [x, y].map(|map| [a, b].map(|cell| f64::from(map.data()[cell])));
            let gap = x[0] - x[1];
            // Each map has its maximum where its switch says; so the gap is no more than the maps differ by in these two cells.
            if !(0.0..=(x[0] - y[0]).abs() + (x[1] - y[1]).abs()).contains(&gap) {
                return Err(format!("{pool}: a switch is not that of a maximum: {x:?} in f32, {y:?} in f16").into());
            }
            gaps.push(gap);
        }
    }
    gaps.sort_by(f64::total_cmp);
    let at = |part: f64| {
        gaps.get(((gaps.len() as f64 * part) as usize).min(gaps.len().saturating_sub(1))).copied().unwrap_or(0.0)
    };
    println!(
        "  {pool}: {:.3} % of the switches differ; their maxima were ahead by {:.1e} in the middle, {:.1e} at most; the map is up to \
         {largest:.1}, in f16 off by {error:.1e} at most",
        100.0 * gaps.len() as f64 / a.indices().len() as f64,
        at(0.5),
        at(1.0)
    );
    Ok(())
}

/// SegNet with two ways down, one in f32 and one in f16, of which one gives the values and the other the switches.
fn by_switches(gpu: &Gpu, network: &SegNet, weights: &Weights, picture: &RgbImage) -> Result<()> {
    // Each way has weights of its own: shared ones would keep norms from becoming part of the convolutions.
    let mut by_way = Weights::new();
    for name in weights.names() {
        let (node, part) = name.rsplit_once('.').ok_or("a weight without a node")?;
        let tensor = weights.tensor(name)?;
        [SINGLE, HALF, UP].iter().for_each(|way| by_way.insert(format!("{node}.{way}.{part}"), &tensor));
    }
    let (weights, extent) = (&by_way, picture.extent());
    let cross = |values, switches| Crossing::build(network, weights, extent, [values, switches]);
    let expected = labels(gpu, &cross(SINGLE, SINGLE)?.0, weights, picture)?;
    for (values, switches, up) in [(HALF, SINGLE, HALF), (HALF, SINGLE, SINGLE), (SINGLE, HALF, SINGLE)] {
        let (graph, named) = cross(values, switches)?;
        let kept = named.iter().filter(|(way, _)| *way == SINGLE || (*way == UP && up == SINGLE));
        let elements = kept.fold(Elements::f16(), |elements, (_, name)| elements.keep_f32(name));
        let found = labels(&gpu.with_elements(elements), &graph, weights, picture)?;
        say(&format!("{values} values by {switches} switches, up in {up}"), &expected, &found);
    }
    Ok(())
}

/// The ways of a crossed network.
const SINGLE: &str = "f32";
const HALF: &str = "f16";
const UP: &str = "up";

/// A network under way, and the names of its nodes by the way that they are on.
struct Crossing<'a> {
    g: GraphBuilder,
    weights: &'a Weights,
    named: Vec<(&'static str, String)>,
}

impl<'a> Crossing<'a> {
    fn build(
        network: &SegNet,
        weights: &'a Weights,
        extent: [usize; 2],
        [values, switches]: [&'static str; 2],
    ) -> Result<(Graph, Vec<(&'static str, String)>)> {
        let stages = [(1, 2), (2, 2), (3, 3), (4, 3), (5, 3)];
        let mut made = Self { g: Graph::builder(), weights, named: Vec::new() };
        let image = made.g.image("image", extent)?;
        let (mut from, mut bottom) = (Vec::new(), None);
        for way in [SINGLE, HALF].into_iter().filter(|way| [values, switches].contains(way)) {
            let name = format!("data.{way}");
            let mut x = made.g.normalize(&name, image, network.preprocessing())?;
            made.named.push((way, name));
            for (stage, layers) in stages {
                for layer in 1..=layers {
                    x = made.block(&format!("conv{stage}_{layer}"), way, x)?;
                }
                let (name, pool) = (format!("pool{stage}.{way}"), MaxPool2d::new([2, 2]).rounding(Rounding::Caffe));
                let (pooled, positions) = made.g.max_pool2d_switches(&name, x, pool)?;
                made.named.push((way, name));
                x = pooled;
                from.extend((way == switches).then_some(positions));
            }
            bottom = if way == values { Some(x) } else { bottom };
        }
        let mut x = bottom.ok_or("no way gives values")?;
        for ((stage, layers), &positions) in stages.into_iter().zip(&from).rev() {
            let name = format!("upsample{stage}");
            x = made.g.max_unpool2d(&name, x, positions)?;
            made.named.push((UP, name));
            for layer in (1..=layers).rev().filter(|&layer| (stage, layer) != (1, 1)) {
                x = made.block(&format!("conv{stage}_{layer}_D"), UP, x)?;
            }
        }
        let x = made.g.conv2d(&format!("conv1_1_D.{UP}"), x, conv(), network.classes())?;
        let classes = made.g.argmax_channels("labels", x)?;
        made.g.output(classes)?;
        Ok((made.g.build()?, made.named))
    }

    /// A convolution, its norm and its ReLU on one of the ways, with the network's weights.
    fn block(&mut self, name: &str, way: &'static str, x: Edge) -> Result<Edge> {
        let [node, norm, relu] = ["", "_bn", "_relu"].map(|part| format!("{name}{part}.{way}"));
        let channels = self.weights.shape(&format!("{node}.weight"))?.n;
        let x = self.g.conv2d(&node, x, conv(), channels)?;
        let x = self.g.scale(&norm, x, format!("{norm}.scale"), Some(format!("{norm}.shift").into()))?;
        let x = self.g.relu(&relu, x)?;
        self.named.extend([node, norm, relu].map(|name| (way, name)));
        Ok(x)
    }
}

fn conv() -> Conv2d {
    Conv2d::new([3, 3]).pad(1)
}

fn labels(gpu: &Gpu, graph: &Graph, weights: &Weights, picture: &RgbImage) -> Result<Labels> {
    Ok(gpu.compile(graph, weights)?.run(picture)?.labels("labels")?.clone())
}

fn say(what: &str, expected: &Labels, found: &Labels) {
    let same = expected.data().iter().zip(found.data()).filter(|(a, b)| a == b).count();
    println!("  {what}: {:.2} %", 100.0 * same as f64 / expected.data().len() as f64);
}
