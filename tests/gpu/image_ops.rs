//! Images in, label maps and pictures out: normalize, softmax, argmax and colorize, against the reference.

use switchback::{ChannelOrder, Error, Gpu, Labels, Normalize, Palette, RgbImage, Tensor, reference};

use super::devices::on_each;
use crate::common::adapter;
use crate::common::random::Random;

/// Pixel counts with every remainder by four.
const EXTENTS: [[usize; 2]; 8] = [[1, 1], [1, 2], [3, 1], [2, 2], [1, 31], [31, 1], [13, 17], [40, 33]];

fn image(extent: [usize; 2], seed: u64) -> RgbImage {
    RgbImage::new(extent, Random::new(seed).bytes(3 * extent[0] * extent[1])).unwrap()
}

fn labels(count: usize, extent: [usize; 2], seed: u64) -> Labels {
    Labels::new(count, extent, Random::new(seed).bytes(count * extent[0] * extent[1])).unwrap()
}

#[test]
fn normalize() {
    let uneven = Normalize {
        order: ChannelOrder::Rgb,
        mean: [123.675, 116.28, 103.53],
        factor: [0.017_124_75, 0.017_507, 0.017_429_19],
    };
    on_each(|gpu| {
        for extent in EXTENTS {
            let image = image(extent, 1);
            let uploaded = gpu.upload_image(&image).unwrap();
            for op in [Normalize::RAW, Normalize::CAFFE, uneven] {
                let y = gpu.download(&gpu.normalize(&op, &uploaded).unwrap()).unwrap();
                reference::normalize(&op, &image).unwrap().check(&y).unwrap();
            }
        }
    });
}

#[test]
fn raw_bytes_arrive_exactly() {
    let Some(gpu) = adapter::gpu() else { return };
    let image = RgbImage::new([1, 2], vec![1, 2, 3, 253, 254, 255]).unwrap();
    let uploaded = gpu.upload_image(&image).unwrap();
    let download = |op| gpu.download(&gpu.normalize(&op, &uploaded).unwrap()).unwrap();
    assert_eq!(download(Normalize::RAW).data(), [1.0, 253.0, 2.0, 254.0, 3.0, 255.0]);
    let bgr = Normalize { order: ChannelOrder::Bgr, ..Normalize::RAW };
    assert_eq!(download(bgr).data(), [3.0, 255.0, 2.0, 254.0, 1.0, 253.0]);
}

#[test]
fn softmax_channels() {
    on_each(|gpu| {
        for [n, c, h, w] in [[1, 1, 1, 1], [1, 21, 13, 17], [2, 5, 7, 11], [3, 2, 1, 3], [1, 67, 3, 5]] {
            for spread in [1.0, 20.0, 1e4] {
                let mut x = Random::new(2).reals([n, c, h, w]);
                x.data_mut().iter_mut().for_each(|score| *score *= spread);
                let y = gpu.download(&gpu.softmax_channels(&gpu.upload(&x).unwrap()).unwrap()).unwrap();
                let answer = reference::softmax_channels(&x).unwrap();
                answer.check(&y).unwrap_or_else(|mismatch| panic!("{n}x{c}x{h}x{w} times {spread}: {mismatch}"));
            }
        }
    });
}

#[test]
fn equal_scores_share() {
    let Some(gpu) = adapter::gpu() else { return };
    let x = gpu.upload(&Tensor::full([1, 4, 3, 5], -3e38).unwrap()).unwrap();
    assert!(gpu.download(&gpu.softmax_channels(&x).unwrap()).unwrap().data().iter().all(|&share| share == 0.25));
}

fn check_argmax(gpu: &Gpu, x: &Tensor, because: &str) {
    let found = gpu.argmax_channels(&gpu.upload(x).unwrap()).unwrap();
    let expected = reference::argmax_channels(x).unwrap();
    assert_eq!(gpu.download_labels(&found).unwrap(), expected, "{because}");
}

/// Batches whose images are not a multiple of four pixels: words that hold the end of one and the start of the next.
#[test]
fn argmax_channels() {
    on_each(|gpu| {
        for [h, w] in EXTENTS {
            for (n, c) in [(1, 1), (1, 21), (2, 5), (3, 2), (5, 3)] {
                let shape = [n, c, h, w];
                check_argmax(gpu, &Random::new(3).reals(shape), &format!("{shape:?}"));
                let mut random = Random::new(4);
                let ties = Tensor::from_fn(shape, |_| random.integer(-1, 1) as f32).unwrap();
                check_argmax(gpu, &ties, &format!("ties, {shape:?}"));
            }
        }
    });
}

#[test]
fn argmax_of_256_channels() {
    let Some(gpu) = adapter::gpu() else { return };
    let rising = Tensor::from_fn([1, 256, 3, 3], |[_, c, _, x]| if x == 1 { c as f32 } else { -(c as f32) }).unwrap();
    check_argmax(&gpu, &rising, "the last and the first class");
    let refusal = gpu.argmax_channels(&gpu.upload(&Tensor::zeros([1, 257, 1, 1]).unwrap()).unwrap()).unwrap_err();
    assert!(matches!(refusal, Error::Operand { op: "argmax_channels", .. }), "{refusal}");
}

#[test]
fn a_nan_is_never_the_class() {
    let bits = [0x7fc0_0000, 0xffc0_0001, 0xff80_0000, 0x7f80_0000, 0x8000_0000, 0, 1, 0xff7f_ffff];
    on_each(|gpu| {
        let mut random = Random::new(5);
        let x = Tensor::from_fn([2, 3, 13, 17], |_| f32::from_bits(bits[random.integer(0, 7) as usize])).unwrap();
        check_argmax(gpu, &x, "NaNs, infinities, zeros of both signs");
        check_argmax(gpu, &Tensor::full([1, 3, 1, 5], f32::NAN).unwrap(), "nothing but NaN");
        check_argmax(gpu, &Tensor::full([1, 3, 1, 5], f32::NEG_INFINITY).unwrap(), "nothing but -infinity");
    });
}

#[test]
fn colorize() {
    let palette = Palette::voc();
    on_each(|gpu| {
        for extent in EXTENTS {
            let labels = labels(1, extent, 6);
            let picture = gpu.colorize(&gpu.upload_labels(&labels).unwrap(), &palette).unwrap();
            let expected = reference::colorize(&labels, &palette).unwrap();
            assert_eq!(gpu.download_image(&picture).unwrap(), expected, "{extent:?}");
        }
    });
}

#[test]
fn every_class_has_its_colour() {
    let Some(gpu) = adapter::gpu() else { return };
    let mut random = Random::new(7);
    let palette = Palette(std::array::from_fn(|_| [0; 3].map(|_: u8| random.bits() as u8)));
    let labels = Labels::new(1, [16, 16], (0..=255).collect()).unwrap();
    let picture = gpu.download_image(&gpu.colorize(&gpu.upload_labels(&labels).unwrap(), &palette).unwrap()).unwrap();
    assert_eq!(picture.data(), palette.0.as_flattened());
}

#[test]
fn colorize_takes_one_map() {
    let Some(gpu) = adapter::gpu() else { return };
    let two = gpu.upload_labels(&labels(2, [3, 5], 8)).unwrap();
    let refusal = gpu.colorize(&two, &Palette::voc()).unwrap_err();
    assert!(matches!(refusal, Error::Operand { op: "colorize", .. }), "{refusal}");
}

/// What `segment` does round the network.
#[test]
fn from_image_to_picture() {
    let Some(gpu) = adapter::gpu() else { return };
    let image = image([7, 9], 9);
    let scores = gpu.normalize(&Normalize::RAW, &gpu.upload_image(&image).unwrap()).unwrap();
    let labels = gpu.argmax_channels(&scores).unwrap();
    let picture = gpu.colorize(&labels, &Palette::voc()).unwrap();
    let expected = reference::normalize(&Normalize::RAW, &image).unwrap().tensor();
    let expected = reference::colorize(&reference::argmax_channels(&expected).unwrap(), &Palette::voc()).unwrap();
    assert_eq!(gpu.download_image(&picture).unwrap(), expected);
}
