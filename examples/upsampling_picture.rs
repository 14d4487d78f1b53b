//! Draws what docs/UPSAMPLING.md tells: for one upsampling, the multiply-adds that each variant of the transposed
//! convolution executes, and the time that it takes.
//!
//!     cargo run --release --example upsampling_picture -- docs/images/upsampling.png

use std::time::{Duration, Instant};

use switchback::image::write_rgb;
use switchback::kernel::conv_transpose2d::Variant;
use switchback::weights::Weights;
use switchback::{ConvTranspose2d, Gpu, Graph, Parameters, RgbImage, Tensor, bilinear_weight};

/// FCN-8s' last upsampling: 21 classes, kernel 16, stride 8.
const INPUT: [usize; 4] = [1, 21, 34, 34];
const WEIGHT: [usize; 4] = [21, 21, 16, 16];
const UP: ConvTranspose2d = ConvTranspose2d::new([16, 16]).stride([8, 8]);

/// Runs of which the fastest counts, unless they take longer than a second together: zero insertion on a CPU driver does.
const RUNS: usize = 3;

/// Pixels of the picture: rows and columns of a bar's place, and of a factor of ten.
const PLACE: usize = 34;
const BAR: usize = 13;
const DECADE: usize = 90;

const EXECUTED: [u8; 3] = [176, 74, 60];
const TIME: [u8; 3] = [47, 102, 144];
const GRID: [u8; 3] = [214, 214, 214];

struct Measured {
    name: String,
    macs: u64,
    milliseconds: f64,
}

fn measure(name: String, gpu: &Gpu, weight: &Tensor) -> Result<Measured, Box<dyn std::error::Error>> {
    let mut g = Graph::builder();
    let x = g.input("x", INPUT)?;
    let y = g.conv_transpose2d_with("up", x, UP, INPUT[1], Parameters::weight("weight"))?;
    g.output(y)?;
    let mut weights = Weights::new();
    weights.insert("weight", weight);
    let mut session = gpu.compile(&g.build()?, &weights)?;
    let x = Tensor::from_fn(INPUT, |[_, c, y, x]| (c + 3 * y) as f32 / (1 + x) as f32)?;
    let macs = session.plan().node("up").map_or(0, switchback::graph::PlannedNode::executed_macs);
    let mut milliseconds = f64::INFINITY;
    let began = Instant::now();
    for run in 0..RUNS {
        if run > 0 && began.elapsed() > Duration::from_secs(1) {
            break;
        }
        milliseconds = milliseconds.min(1e3 * session.profile(&x)?.total().as_secs_f64());
    }
    println!("{name:<24} {macs:>14} multiply-adds {milliseconds:>10.2} ms");
    Ok(Measured { name, macs, milliseconds })
}

/// Two bars for each variant, from top to bottom in the order of the table on stdout: multiply-adds, in millions, and
/// milliseconds, both from 1 on a scale of powers of ten whose lines are drawn.
fn draw(rows: &[Measured]) -> Result<RgbImage, switchback::Error> {
    let [height, width] = [PLACE * rows.len(), 5 * DECADE];
    let mut pixels = vec![255_u8; 3 * height * width];
    let mut fill = |ys: std::ops::Range<usize>, xs: std::ops::Range<usize>, colour: [u8; 3]| {
        for y in ys {
            for x in xs.clone() {
                pixels[3 * (y * width + x)..][..3].copy_from_slice(&colour);
            }
        }
    };
    (0..5).for_each(|decade| fill(0..height, decade * DECADE..decade * DECADE + 1, GRID));
    for (place, row) in rows.iter().enumerate() {
        for (bar, (value, colour)) in
            [(row.macs as f64 / 1e6, EXECUTED), (row.milliseconds, TIME)].into_iter().enumerate()
        {
            let length = (value.max(1.0).log10() * DECADE as f64) as usize;
            let top = place * PLACE + 3 + bar * (BAR + 1);
            fill(top..top + BAR, 0..length.clamp(2, width), colour);
        }
    }
    RgbImage::new([height, width], pixels)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "out/upsampling.png".to_owned());
    if let Some(folder) = std::path::Path::new(&path).parent() {
        std::fs::create_dir_all(folder)?;
    }
    let gpu = Gpu::new()?;
    println!("{}", gpu.info());
    let dense = Tensor::from_fn(WEIGHT, |[c, o, u, v]| 1.0 / (1 + c + o + u + v) as f32)?;
    let mut rows = Vec::new();
    for variant in [Variant::ZeroInsert, Variant::Scatter, Variant::Gather, Variant::Phased, Variant::SharedPhases] {
        rows.push(measure(variant.name().to_owned(), &gpu.with_variant(variant), &dense)?);
    }
    rows.push(measure("bilinear, interpolate".to_owned(), &gpu, &bilinear_weight(WEIGHT)?)?);
    write_rgb(&path, &draw(&rows)?)?;
    println!("{path}: from top to bottom {}", rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", "));
    Ok(())
}
