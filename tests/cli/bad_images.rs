//! Images of every kind: converted, or refused by name.

use std::path::Path;

use png::{BitDepth, ColorType};

use crate::common::adapter;
use crate::{Ran, digits, files, switchback};

fn segment(image: &Path, out: &Path) -> Ran {
    let weights = digits("fcn8s-digits.safetensors");
    let [image, weights, out] = [image, &weights, out].map(|path| path.to_str().unwrap());
    switchback(&["segment", image, "--weights", weights, "--adapter", "cpu", "--out", out])
}

/// A PNG of 2 rows and 3 columns.
fn png(path: &Path, colour: ColorType, depth: BitDepth, bytes_a_row: usize) {
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), 3, 2);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if colour == ColorType::Indexed {
        encoder.set_palette([10, 20, 30].repeat(16));
    }
    let data: Vec<u8> = (0..2 * bytes_a_row).map(|i| (i * 37 % 256) as u8).collect();
    encoder.write_header().unwrap().write_image_data(&data).unwrap();
}

#[test]
fn sixteen_bit_gray_transparent_and_palette_images_are_converted() {
    let folder = tempfile::tempdir().unwrap();
    for (name, colour, depth, bytes) in [
        ("deep", ColorType::Rgb, BitDepth::Sixteen, 18),
        ("gray", ColorType::Grayscale, BitDepth::Eight, 3),
        ("gray-deep", ColorType::Grayscale, BitDepth::Sixteen, 6),
        ("bits", ColorType::Grayscale, BitDepth::One, 1),
        ("alpha", ColorType::Rgba, BitDepth::Eight, 12),
        ("gray-alpha", ColorType::GrayscaleAlpha, BitDepth::Eight, 6),
        ("palette", ColorType::Indexed, BitDepth::Four, 2),
    ] {
        let path = folder.path().join(format!("{name}.png"));
        png(&path, colour, depth, bytes);
        let results = segment(&path, folder.path()).results();
        assert!(results.contains("2x3"), "{name}: {results}");
        let labels = switchback::image::read_labels(folder.path().join(format!("{name}.labels.png"))).unwrap();
        assert_eq!(labels.extent(), [2, 3], "{name}");
    }
}

#[test]
fn what_is_no_usable_image_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let photo = std::fs::read(digits("scene-5.png")).unwrap();
    let mut cmyk = b"\xFF\xD8\xFF\xC0\x00\x14\x08\x00\x01\x00\x01\x04".to_vec();
    cmyk.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]);
    for (name, bytes, expected) in [
        ("empty.png", Vec::new(), "empty"),
        ("text.jpg", b"not an image".to_vec(), "expected PNG or JPEG"),
        ("cut.png", photo[..photo.len() / 2].to_vec(), "cannot be decoded"),
        ("cmyk.jpg", cmyk, "CMYK"),
        ("animation.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00".to_vec(), "Gif"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let message = segment(&path, &out).message();
        assert!(message.contains(name) && message.contains(expected), "{message}");
    }
    assert!(segment(&folder.path().join("missing.png"), &out).message().contains("missing.png"));
    let nothing = folder.path().join("nothing");
    std::fs::create_dir(&nothing).unwrap();
    assert!(segment(&nothing, &out).message().contains(nothing.to_str().unwrap()));
    assert!(files(&out).is_empty(), "{:?}", files(&out));
}

#[test]
fn an_image_too_large_for_the_device_is_refused_with_numbers() {
    let Some(gpu) = adapter::gpu() else { return };
    // conv1_1's map alone, 12 channels of f32, and a border of 99 around it.
    let side = 3500_usize;
    let needed = 4 * 12 * (side as u64 + 198).pow(2);
    if needed <= gpu.caps().max_binding_bytes {
        return; // a large device just does it
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.png");
    let mut encoder = png::Encoder::new(std::fs::File::create(&path).unwrap(), side as u32, side as u32);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&vec![7; side * side]).unwrap();
    let weights = digits("fcn8s-digits.safetensors");
    let [path, weights, out] = [&path, &weights, folder.path()].map(|path| path.to_str().unwrap());
    let ran = switchback(&["segment", path, "--weights", weights, "--out", out, "--adapter", &gpu.info().name]);
    let message = ran.message();
    for expected in ["large.png", "bytes", "the device offers", "smaller image"] {
        assert!(message.contains(expected), "{expected} is not in {message}");
    }
    assert_eq!(files(folder.path()), ["large.png"]);
}

#[test]
fn a_bad_image_does_not_undo_the_good_ones_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good.png"), folder.path().join("bad.png"));
    png(&good, ColorType::Rgb, BitDepth::Eight, 9);
    std::fs::write(&bad, "").unwrap();
    let out = folder.path().join("out");
    let weights = digits("fcn8s-digits.safetensors");
    let [good, bad, weights, out_text] = [&good, &bad, &weights, &out].map(|path| path.to_str().unwrap());
    let ran = switchback(&["segment", good, bad, "--weights", weights, "--adapter", "cpu", "--out", out_text]);
    assert!(ran.message().contains("bad.png"));
    assert_eq!(files(&out), ["good.labels.png"]);
}
