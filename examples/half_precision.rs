//! What f16 costs in accuracy: networks in f16, by each kernel for it, against f32 on the same device; and what the maps of both
//! take.
//!
//!     cargo run --release --example half_precision            # the digits network
//!     cargo run --release --example half_precision -- full    # and published networks with seeded weights
//!     cargo run --release --example half_precision -- segnet  # one of them: fcn8s, segnet, deconvnet

use switchback::gpu::Elements;
use switchback::kernel::conv2d::Variant;
use switchback::net::{DeconvNet, Fcn, Head, SegNet, Segmentation};
use switchback::weights::Weights;
use switchback::{Gpu, Labels, RgbImage, Tensor, image};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let gpu = Gpu::new()?;
    println!("on {}", gpu.info());
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits");
    let weights = Weights::open(format!("{digits}/fcn8s-digits.safetensors"))?;
    let scene = image::load(format!("{digits}/scene-5.png"))?;
    let agreement = compare(&gpu, "digits, scene 5", &Fcn::from_weights(Head::Stride8, &weights)?, &weights, &scene)?;
    if agreement < 0.999 {
        return Err(format!("only {agreement} of the labels agree").into());
    }
    let published: [(&str, Box<dyn Segmentation>, [usize; 2]); 3] = [
        ("fcn8s", Box::new(Fcn::published(Head::Stride8, 21)), [500, 500]),
        ("segnet", Box::new(SegNet::published(11)), [360, 480]),
        ("deconvnet", Box::new(DeconvNet::published(21)), [224, 224]),
    ];
    let asked: Vec<String> = std::env::args().skip(1).collect();
    for (name, network, extent) in published {
        if asked.iter().any(|asked| asked == "full" || asked == name) {
            let weights = Weights::random(network.weights_required(), 1)?;
            let noise = |i: usize| ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8;
            let picture = RgbImage::new(extent, (0..3 * extent[0] * extent[1]).map(noise).collect())?;
            compare(&gpu, &format!("{name} {}x{}", extent[0], extent[1]), network.as_ref(), &weights, &picture)?;
        }
    }
    Ok(())
}

/// Prints a line for each kernel; gives the least part of the labels that agree.
fn compare(gpu: &Gpu, name: &str, network: &dyn Segmentation, weights: &Weights, picture: &RgbImage) -> Result<f64> {
    let (scores, labels, bytes) = run(gpu, network, weights, picture)?;
    let largest = scores.data().iter().fold(0.0_f32, |most, score| most.max(score.abs()));
    println!("{name}, scores up to {largest:.4}, f32: {:.1} MiB of maps", mebibytes(bytes));
    let mut least = 1.0_f64;
    for variant in [Variant::Tiled, Variant::Staged, Variant::Cooperative] {
        if variant == Variant::Cooperative && gpu.caps().cooperative.is_none() {
            println!("  {:<12} no matrix units here", variant.name());
            continue;
        }
        let half = gpu.with_elements(Elements::f16()).with_variant(variant);
        let (found, found_labels, bytes) = run(&half, network, weights, picture)?;
        let differences = || scores.data().iter().zip(found.data()).map(|(a, b)| f64::from((a - b).abs()));
        let worst = differences().fold(0.0, f64::max);
        let mean = differences().sum::<f64>() / scores.data().len() as f64;
        let same = labels.data().iter().zip(found_labels.data()).filter(|(a, b)| a == b).count();
        let agreement = same as f64 / labels.data().len() as f64;
        println!(
            "  {:<12} largest error {worst:.3e}, mean {mean:.3e}, labels {:.4} %, {:.1} MiB of maps",
            variant.name(),
            100.0 * agreement,
            mebibytes(bytes)
        );
        least = least.min(agreement);
    }
    Ok(least)
}

/// Scores, labels, and what a run's buffers are planned to take.
fn run(gpu: &Gpu, network: &dyn Segmentation, weights: &Weights, picture: &RgbImage) -> Result<(Tensor, Labels, u64)> {
    let mut session = gpu.compile(&network.graph_from_image(picture.extent())?, weights)?;
    let outputs = session.run(picture)?;
    let bytes = session.plan().peak_bytes();
    Ok((outputs.tensor(network.scores_name())?.clone(), outputs.labels("labels")?.clone(), bytes))
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
