//! `switchback visualize`: pictures of every network's insides, and what cannot be shown.

use std::path::Path;

use switchback::RgbImage;
use switchback::image::{load, write_rgb};

use crate::common::adapter;
use crate::common::project::project;
use crate::{Ran, digits, files, switchback};

fn visualize(image: &Path, model: &str, weights: &Path, out: &Path, more: &[&str]) -> Ran {
    let [image, weights, out] = [image, weights, out].map(|path| path.to_str().unwrap());
    switchback(&[&["visualize", image, "--model", model, "--weights", weights, "--out", out], more].concat())
}

/// Units of the digits' network in their smallest scene.
fn look(out: &Path, more: &[&str]) -> Ran {
    visualize(&digits("scene-5.png"), "fcn8s", &digits("fcn8s-digits.safetensors"), out, more)
}

/// The parts of each line `unit N  VALUE at ROW,COLUMN  looks at ROWSxCOLUMNS pixels from TOP,LEFT`.
fn lines(results: &str) -> Vec<(&str, &str)> {
    results.lines().filter_map(|line| line.strip_prefix("unit ")?.split_once("  looks at ")).collect()
}

#[test]
fn nine_projections_stand_beside_nine_patches() {
    let folder = tempfile::tempdir().unwrap();
    let photo = load(digits("scene-5.png")).unwrap();
    let out = folder.path().join("cpu.png");
    let results = look(&out, &["--layer", "conv2_1", "--unit", "top9", "--adapter", "cpu"]).results();
    let units = lines(&results);
    assert_eq!(units.len(), 9, "{results}");
    assert!(results.contains("FCN-8s, `conv2_1` (1x24x") && results.contains("cpu.png: 9 of 24 units"), "{results}");
    // 10x10 pixels, magnified ten times; 3 pixels between tiles and 12 between the halves.
    let picture = load(&out).unwrap();
    assert_eq!(picture.extent(), [306, 2 * 306 + 12]);
    let pixel = |y: usize, x: usize| <[u8; 3]>::try_from(&picture.data()[3 * (y * 624 + x)..][..3]).unwrap();
    for (position, (_, place)) in units.iter().enumerate() {
        let (extent, from) = place.split_once(" pixels from ").unwrap();
        let pair = |text: &str, by| text.split_once(by).map(|(a, b)| [a, b].map(|n| n.parse::<usize>().unwrap()));
        let ([rows, columns], [top, left]) = (pair(extent, 'x').unwrap(), pair(from, ',').unwrap());
        // The patch's first pixel, wherever its tile begins.
        let tile = [position / 3 * 103 + (100 - 10 * rows) / 2, 318 + position % 3 * 103 + (100 - 10 * columns) / 2];
        let first = &photo.data()[3 * (top * photo.extent()[1] + left)..][..3];
        assert_eq!(pixel(tile[0] + 4, tile[1] + 4), first, "{position}: {place}");
        // The projection has something to show, and is grey where the signal ends.
        let projection = tile[1] - 318;
        let cells = (0..10 * rows).flat_map(|y| (0..10 * columns).map(move |x| (y, x)));
        let shades: std::collections::HashSet<_> = cells.map(|(y, x)| pixel(tile[0] + y, projection + x)).collect();
        assert!(shades.len() > 10, "{position}: {} shades", shades.len());
    }

    let Some(gpu) = adapter::gpu() else { return };
    let other = folder.path().join("gpu.png");
    let on_gpu = look(&other, &["--layer", "conv2_1", "--adapter", &gpu.info().name]).results();
    assert_eq!(
        lines(&on_gpu).iter().map(|(_, place)| *place).collect::<Vec<_>>(),
        units.iter().map(|u| u.1).collect::<Vec<_>>()
    );
    let close = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= 2;
    assert!(load(&other).unwrap().data().iter().zip(picture.data()).all(close));
}

#[test]
fn one_unit_stands_beside_one_patch() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("one.png");
    let results = look(&out, &["--layer", "conv1_2", "--unit", "3", "--adapter", "cpu"]).results();
    assert_eq!(lines(&results).len(), 1, "{results}");
    // 5x5 pixels, magnified twenty times.
    assert_eq!(load(&out).unwrap().extent(), [100, 212]);
}

#[test]
fn every_network_is_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.png");
    let bytes = (0..3 * 195 * 193).map(|i| ((i * 37) ^ (i / 61 * 11)) as u8).collect();
    write_rgb(&large, &RgbImage::new([195, 193], bytes).unwrap()).unwrap();
    let (small, golden) = (digits("scene-5.png"), |file: &str| project("tests/golden").join(file));
    let gpu = adapter::gpu().map(|gpu| gpu.info().name.clone());
    for (model, weights, layer, image) in [
        ("vgg16", "networks/vgg16.safetensors", "conv4_3", &small),
        ("vgg16", "networks/vgg16.safetensors", "features.23", &small),
        ("vgg16", "networks/vgg16.safetensors", "pool4", &small),
        ("segnet", "decoders/segnet.safetensors", "conv5_3", &small),
        ("segnet", "foreign/segnet-old.caffemodel", "pool3", &small),
        ("segnet-basic", "decoders/segnet-basic.safetensors", "conv3", &small),
        ("fcn-alexnet", "decoders/fcn-alexnet.safetensors", "conv5", &small),
        ("deconvnet", "decoders/deconvnet.safetensors", "fc6-deconv", &large),
    ] {
        for adapter in ["cpu"].into_iter().chain(gpu.as_deref()) {
            let out = folder.path().join("out.png");
            let ran = visualize(image, model, &golden(weights), &out, &["--layer", layer, "--adapter", adapter]);
            let results = ran.results();
            assert!(!lines(&results).is_empty() && results.contains(&format!("`{layer}`")), "{model}: {results}");
            assert!(load(&out).unwrap().extent()[0] >= 90, "{model}");
        }
    }
}

#[test]
fn what_cannot_be_shown_is_said_and_leaves_no_picture() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.png");
    let refused = |more: &[&str], expected: &str| {
        let message = look(&out, &[more, &["--adapter", "cpu"]].concat()).message();
        assert!(message.contains(expected), "{message}");
    };
    refused(&["--layer", "conv9"], "there is no layer `conv9`; there are conv1_1, conv1_2, pool1, conv2_1,");
    refused(&["--layer", "conv1_1", "--unit", "12"], "`conv1_1` has no unit 12; its 12 count from 0 to 11");
    refused(&["--layer", "labels"], "labels");
    refused(&["--layer", "conv5_3", "--unit", "4"], "unit 4 of `conv5_3` does not respond to this image");
    refused(&["--layer", "conv5_3"], "no unit of `conv5_3` responds to this image");
    let ran = look(&out, &["--layer", "conv1_1", "--unit", "best"]);
    assert!(
        !ran.success && ran.stderr.contains("expected a unit's number from 0, or top1 to top100"),
        "{}",
        ran.stderr
    );
    let golden = project("tests/golden/decoders/segnet.safetensors");
    let behind = visualize(&digits("scene-5.png"), "segnet", &golden, &out, &["--layer", "conv3_3_D"]).message();
    assert!(behind.contains("max_unpool2d") && behind.contains("look at a layer before it"), "{behind}");
    assert!(files(folder.path()).is_empty());
    let nowhere =
        look(&folder.path().join("no/such/folder.png"), &["--layer", "conv1_1", "--adapter", "cpu"]).message();
    assert!(nowhere.contains("no/such/folder.png"), "{nowhere}");
}
