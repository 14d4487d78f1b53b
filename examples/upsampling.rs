//! Upsampling by hand: a transposed convolution of stride 2 with a bilinear filter, on the GPU and by the reference.
//!
//!     cargo run --example upsampling

use switchback::{ConvTranspose2d, Gpu, Tensor, bilinear_weight, reference};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A 3x3 map with a single peak, one image, one channel.
    let x = Tensor::new([1, 1, 3, 3], vec![0.0, 0.0, 0.0, 0.0, 16.0, 0.0, 0.0, 0.0, 0.0])?;

    // Kernel 4, stride 2: each output cell lies between two input cells along either axis. A border of 1 is cut off.
    let up = ConvTranspose2d::new([4, 4]).stride([2, 2]).pad(1);
    let w = bilinear_weight([1, 1, 4, 4])?;

    let gpu = Gpu::new()?;
    let y = gpu.conv_transpose2d(&up, &gpu.upload(&x)?, &gpu.upload(&w)?, None)?;
    let y = gpu.download(&y)?;

    println!("{} becomes {}, on {}:", x.shape(), y.shape(), gpu.info());
    for row in y.data().chunks(y.shape().w) {
        println!("{}", row.iter().map(|value| format!("{value:5.1}")).collect::<String>());
    }

    // The same operator, the same operands, in the same order, in f64 on the CPU; each element within its rounding bound.
    reference::conv_transpose2d(&up, &x, &w, None)?.check(&y)?;
    println!("as the reference says");
    Ok(())
}
