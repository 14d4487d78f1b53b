//! What units of a network respond to: a deconvnet on the digits' FCN-8s, from an activation back to pixels.
//!
//! Draws the projections of the nine units of `conv2_2` that respond most, and the parts of the photograph that they look
//! at.
//!
//!     cargo run --release --example look_inside -- docs/images/scene-4.conv2_2.png

use std::path::PathBuf;

use switchback::graph::Inputs;
use switchback::net::{DeconvView, Fcn, Head, plate};
use switchback::weights::Weights;
use switchback::{Gpu, Tensor, image};

const LAYER: &str = "conv2_2";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let to = std::env::args().nth(1).map_or_else(|| PathBuf::from("out/scene-4.conv2_2.png"), PathBuf::from);
    let digits = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/digits");
    let weights = Weights::open(digits.join("fcn8s-digits.safetensors"))?;
    let photo = image::load(digits.join("scene-4.png"))?;
    let network = Fcn::from_weights(Head::Stride8, &weights)?.labels_from_image(photo.extent())?;

    // Forward to the layer and back, in one graph: convolutions and what undoes them share their weights.
    let view = DeconvView::new(&network, &weights, LAYER)?;
    let gpu = Gpu::new()?;
    let mut session = gpu.compile(view.graph(), view.weights())?;
    let mut run = |keep: &Tensor| session.run(Inputs::new().with("image", &photo).with("keep", keep));

    // The first run lets nothing through, and shows the activations to choose from.
    let nothing = run(&view.nothing()?)?;
    assert!(nothing.tensor("pixels")?.data().iter().all(|&pixel| pixel == 0.0));
    let strongest = view.strongest(nothing.tensor(LAYER)?, 9)?;

    let mut sights = Vec::new();
    for activation in strongest {
        let outputs = run(&view.keep(activation)?)?;
        sights.push(view.sight(&photo, activation, outputs.tensor("pixels")?)?);
    }
    for sight in &sights {
        println!("unit {:>2} responds with {:.2} to {:?}", sight.activation.unit, sight.activation.value, sight.region);
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    image::write_rgb(&to, &plate(&sights, 3)?)?;
    println!("{} shows them", to.display());
    Ok(())
}
