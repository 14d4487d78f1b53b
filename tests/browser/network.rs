//! A photograph's labels by FCN-8s, in f32 and in f16, and every node of it against the reference.

use switchback::gpu::Elements;
use switchback::net::{Fcn, Head};
use switchback::weights::Weights;
use switchback::{Gpu, RgbImage, image};
use wasm_bindgen_test::wasm_bindgen_test;

use super::gpu;

async fn check(gpu: &Gpu) {
    let weights = include_bytes!("../../examples/digits/fcn8s-digits.safetensors");
    let weights = Weights::from_bytes(weights.to_vec()).unwrap();
    let photo = image::decode(include_bytes!("../../examples/digits/scene-5.png"), "scene-5.png").unwrap();
    let graph = Fcn::from_weights(Head::Stride8, &weights).unwrap().labels_from_image(photo.extent()).unwrap();
    let mut session = gpu.compile_async(&graph, &weights).await.unwrap();
    let outputs = session.run_async(&photo).await.unwrap();
    for check in session.check_nodes(&weights, &photo, &outputs).unwrap() {
        assert!(check.mismatch.is_none(), "{:?}", check.mismatch);
    }
    // The same again, and another photograph in between.
    let labels = outputs.argmax_channels().unwrap();
    let negative = RgbImage::new(photo.extent(), photo.data().iter().map(|value| 255 - value).collect()).unwrap();
    assert!(session.run_async(&negative).await.unwrap().argmax_channels().unwrap() != labels);
    assert_eq!(session.run_async(&photo).await.unwrap().argmax_channels().unwrap(), labels);
}

#[wasm_bindgen_test]
async fn the_demos_network_labels_a_photograph() {
    check(&gpu().await).await;
}

#[wasm_bindgen_test]
async fn and_in_half_precision() {
    check(&gpu().await.with_elements(Elements::f16())).await;
}
