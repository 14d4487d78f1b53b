//! What f16 costs in accuracy: FCN-8s in f16, by each kernel for it, against f32 on the same device.
//!
//!     cargo run --release --example half_precision            # the digits network
//!     cargo run --release --example half_precision -- full    # and the published FCN-8s, 500x500, seeded weights

use switchback::gpu::Elements;
use switchback::kernel::conv2d::Variant;
use switchback::net::{Fcn, Head};
use switchback::weights::Weights;
use switchback::{Gpu, Graph, Labels, RgbImage, Tensor, image};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let gpu = Gpu::new()?;
    println!("on {}", gpu.info());
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits");
    let weights = Weights::open(format!("{digits}/fcn8s-digits.safetensors"))?;
    let scene = image::load(format!("{digits}/scene-5.png"))?;
    let graph = Fcn::from_weights(Head::Stride8, &weights)?.graph_from_image(scene.extent())?;
    let agreement = compare(&gpu, "digits, scene 5", &graph, &weights, &scene)?;
    if agreement < 0.999 {
        return Err(format!("only {agreement} of the labels agree").into());
    }
    if std::env::args().nth(1).as_deref() == Some("full") {
        let extent = [500, 500];
        let graph = Fcn::published(Head::Stride8, 21).graph_from_image(extent)?;
        let weights = Weights::random(graph.weights_required(), 1)?;
        let noise = |i: usize| ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8;
        let picture = RgbImage::new(extent, (0..3 * extent[0] * extent[1]).map(noise).collect())?;
        compare(&gpu, "FCN-8s 500x500", &graph, &weights, &picture)?;
    }
    Ok(())
}

/// Prints a line for each kernel; gives the least part of the labels that agree.
fn compare(gpu: &Gpu, name: &str, graph: &Graph, weights: &Weights, picture: &RgbImage) -> Result<f64> {
    let (scores, labels) = run(gpu, graph, weights, picture)?;
    let largest = scores.data().iter().fold(0.0_f32, |most, score| most.max(score.abs()));
    println!("{name}, scores up to {largest:.4}");
    let mut least = 1.0_f64;
    for variant in [Variant::Tiled, Variant::Staged, Variant::Cooperative] {
        if variant == Variant::Cooperative && gpu.caps().cooperative.is_none() {
            println!("  {:<12} no matrix units here", variant.name());
            continue;
        }
        let half = gpu.with_elements(Elements::f16()).with_variant(variant);
        let (found, found_labels) = run(&half, graph, weights, picture)?;
        let differences = || scores.data().iter().zip(found.data()).map(|(a, b)| f64::from((a - b).abs()));
        let worst = differences().fold(0.0, f64::max);
        let mean = differences().sum::<f64>() / scores.data().len() as f64;
        let same = labels.data().iter().zip(found_labels.data()).filter(|(a, b)| a == b).count();
        let agreement = same as f64 / labels.data().len() as f64;
        println!(
            "  {:<12} largest error {worst:.3e}, mean {mean:.3e}, labels {:.4} %",
            variant.name(),
            100.0 * agreement
        );
        least = least.min(agreement);
    }
    Ok(least)
}

fn run(gpu: &Gpu, graph: &Graph, weights: &Weights, picture: &RgbImage) -> Result<(Tensor, Labels)> {
    let outputs = gpu.compile(graph, weights)?.run(picture)?;
    Ok((outputs.tensor("score")?.clone(), outputs.labels("labels")?.clone()))
}
