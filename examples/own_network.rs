//! A network of your own: built by name, planned, run, and timed layer by layer.
//!
//!     cargo run --example own_network

use switchback::weights::Weights;
use switchback::{Conv2d, ConvTranspose2d, Gpu, Graph, MaxPool2d, Tensor};

fn main() -> switchback::Result<()> {
    // Down by two, up by two, and a skip across: every shape is checked as its node is added.
    let mut g = Graph::builder();
    let x = g.input("image", [1, 3, 96, 64])?;
    let fine = g.conv2d("conv1", x, Conv2d::new([3, 3]).pad(1).relu(), 16)?;
    let coarse = g.max_pool2d("pool1", fine, MaxPool2d::new([2, 2]))?;
    let coarse = g.conv2d("conv2", coarse, Conv2d::new([3, 3]).pad(1).relu(), 32)?;
    let up = g.conv_transpose2d("up1", coarse, ConvTranspose2d::new([2, 2]).stride([2, 2]), 16)?;
    let both = g.concat("skip", &[fine, up])?;
    let scores = g.conv2d("score", both, Conv2d::new([1, 1]), 5)?;
    let labels = g.argmax_channels("labels", scores)?;
    g.output(labels)?;
    let graph = g.build()?;

    // Seeded weights stand in for trained ones: `Weights::open("my.safetensors")` reads those.
    let weights = Weights::random(graph.weights_required(), 1)?;

    let gpu = Gpu::new()?;
    println!("{}", graph.plan(gpu.caps())?);

    // Compiling packs the weights and makes every buffer; a run only fills, submits once and reads back.
    let mut session = gpu.compile(&graph, &weights)?;
    let image = Tensor::from_fn([1, 3, 96, 64], |[_, c, y, x]| ((c + 1) * (y ^ x)) as f32 / 64.0)?;
    let labels = session.run(&image)?.argmax_channels()?;
    let [rows, columns] = labels.extent();
    println!("{rows}x{columns} labels, the first {:?}", &labels.data()[..8]);

    println!("{}", session.profile(&image)?);
    Ok(())
}
