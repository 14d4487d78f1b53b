//! Pooling switches: max pooling remembers where each maximum was, max unpooling puts values back there.
//!
//!     cargo run --example pool_unpool

use switchback::{Gpu, MaxPool2d, MaxUnpool2d, Tensor};

fn main() -> switchback::Result<()> {
    #[rustfmt::skip]
    let x = Tensor::new([1, 1, 4, 5], vec![
        1.0, 2.0, 0.0, 0.0, 3.0,
        4.0, 0.0, 0.0, 9.0, 1.0,
        0.0, 0.0, 5.0, 5.0, 0.0,
        7.0, 6.0, 5.0, 5.0, 8.0,
    ])?;

    let gpu = Gpu::new()?;
    // `ceil` keeps the last column, which no whole window covers.
    let pool = MaxPool2d::new([2, 2]).ceil();
    let (pooled, switches) = gpu.max_pool2d_switches(&pool, &gpu.upload(&x)?)?;
    show("pooled", &gpu.download(&pooled)?);
    println!("switches, flat positions in the 4x5 plane; of equal values the first wins:");
    println!("  {:?}\n", gpu.download_switches(&switches)?.indices());

    // The switches know the extent they came from: 4x5, not the 4x6 that doubling would give.
    let back = gpu.max_unpool2d(&MaxUnpool2d::new(), &pooled, &switches)?;
    let back = gpu.download(&back)?;
    show("unpooled", &back);

    // Every maximum is where it was, everything else is zero.
    assert_eq!(back.shape(), x.shape());
    assert!(back.data().iter().zip(x.data()).all(|(back, x)| *back == *x || *back == 0.0));
    Ok(())
}

fn show(title: &str, tensor: &Tensor) {
    println!("{title}, {}:", tensor.shape());
    for row in tensor.data().chunks(tensor.shape().w) {
        println!("  {row:?}");
    }
    println!();
}
