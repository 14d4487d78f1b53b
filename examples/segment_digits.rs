//! The demo through the library: a photograph with handwritten digits in it, a label for every pixel, and how many are
//! right.
//!
//!     cargo run --release --example segment_digits [SCENE]

use switchback::image::{self, Confusion};
use switchback::net::{Fcn, Head};
use switchback::weights::Weights;
use switchback::{Gpu, Palette};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scene = std::env::args().nth(1).unwrap_or_else(|| "scene-5".to_owned());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits");

    let weights = Weights::open(format!("{folder}/fcn8s-digits.safetensors"))?;
    let network = Fcn::from_weights(Head::Stride8, &weights)?;
    let photo = image::load(format!("{folder}/{scene}.png"))?;
    let graph = network.labels_from_image(photo.extent())?;

    let gpu = Gpu::new()?;
    let mut session = gpu.compile(&graph, &weights)?;
    let labels = session.run(&photo)?.argmax_channels()?;

    let mut confusion = Confusion::new(network.classes())?;
    confusion.add(&image::read_labels(format!("{folder}/{scene}.truth.png"))?, &labels)?;
    let metrics = confusion.metrics().ok_or("the true label map is empty")?;
    println!("{scene} on {}: {:.4} of the pixels are right", gpu.info(), metrics.pixel_accuracy);

    let out = std::path::Path::new("out");
    std::fs::create_dir_all(out)?;
    let overlay = out.join(format!("{scene}.overlay.png"));
    image::write_rgb(&overlay, &image::overlay(&photo, &labels, &Palette::voc(), 0.6)?)?;
    println!("{} shows them", overlay.display());
    Ok(())
}
