//! A network that the library does not know, from the graph's public parts alone: U-Net (Ronneberger, Fischer and Brox
//! 2015), as the widespread PyTorch implementation has it, with transposed convolutions and batch norms.
//!
//!     cargo run --release --example unet [WEIGHTS]

use switchback::weights::Weights;
use switchback::{
    BatchNorm, Conv2d, ConvTranspose2d, Edge, Gpu, Graph, GraphBuilder, MaxPool2d, Pad, Padding, Parameters, Result,
    Shape, Tensor,
};

fn main() -> Result<()> {
    let input = Shape::from([1, 3, 161, 239]);
    let weights = match std::env::args().nth(1) {
        Some(path) => Weights::open(path)?,
        // Random numbers stand in for a file.
        None => Weights::random(build(&[64, 128, 256, 512, 1024], 2, input)?.weights_required(), 1)?,
    };
    let graph = unet(&weights, input)?;

    // Batch norms and ReLUs are part of the convolutions in what runs.
    let mut session = Gpu::new()?.compile(&graph, &weights)?;
    println!("{}", session.plan());
    let labels = session.run(&Tensor::zeros(input)?)?.argmax_channels()?;
    println!("labels of {:?}", labels.extent());
    Ok(())
}

/// The network that `weights` are for: depth, widths and classes come from them.
pub(crate) fn unet(weights: &Weights, input: Shape) -> Result<Graph> {
    let mut widths = vec![weights.shape("inc.double_conv.0.weight")?.n];
    while let Ok(weight) = weights.shape(&format!("down{}.maxpool_conv.1.double_conv.0.weight", widths.len())) {
        widths.push(weight.n);
    }
    build(&widths, weights.shape("outc.conv.weight")?.n, input)
}

/// Down, and up again with what each level left behind.
fn build(widths: &[usize], classes: usize, input: Shape) -> Result<Graph> {
    let mut g = Graph::builder();
    let data = g.input("data", input)?;
    let mut x = double_conv(&mut g, "inc", data, widths[0])?;
    let mut skips = Vec::new();
    for (level, &width) in widths.iter().enumerate().skip(1) {
        skips.push(x);
        x = g.max_pool2d(&format!("down{level}"), x, MaxPool2d::new([2, 2]))?;
        x = double_conv(&mut g, &format!("down{level}.maxpool_conv.1"), x, width)?;
    }
    for (level, (skip, &width)) in skips.into_iter().zip(widths).rev().enumerate() {
        let up = format!("up{}", level + 1);
        x = g.conv_transpose2d(&format!("{up}.up"), x, ConvTranspose2d::new([2, 2]).stride([2, 2]), width)?;
        // A pooling of an odd extent left its last row or column out: zeros take its place.
        let (whole, pooled) = (g.shape(skip)?, g.shape(x)?);
        let (rows, columns) = (whole.h - pooled.h, whole.w - pooled.w);
        let border = Padding { top: 0, bottom: rows, left: 0, right: columns };
        x = g.pad(&format!("{up}.pad"), x, Pad::new(border))?;
        x = g.concat(&format!("{up}.concat"), &[skip, x])?;
        x = double_conv(&mut g, &format!("{up}.conv"), x, width)?;
    }
    let scores = g.conv2d("outc.conv", x, Conv2d::new([1, 1]), classes)?;
    g.output(scores)?;
    g.build()
}

/// Twice a 3x3 convolution without bias, a batch norm and a ReLU.
fn double_conv(g: &mut GraphBuilder, name: &str, mut x: Edge, width: usize) -> Result<Edge> {
    for first in [0, 3] {
        let conv = format!("{name}.double_conv.{first}");
        x = g.conv2d_with(&conv, x, Conv2d::new([3, 3]).pad(1), width, Parameters::named(&conv).without_bias())?;
        x = g.batch_norm(&format!("{name}.double_conv.{}", first + 1), x, BatchNorm::new())?;
        x = g.relu(&format!("{name}.double_conv.{}", first + 2), x)?;
    }
    Ok(x)
}
