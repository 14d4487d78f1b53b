//! The operators and a network in a browser, on its own WebGPU, whose compiler is another than the one of the other tests.
//! `make browser-test` runs them; docs/TESTING.md says what it needs.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

#[path = "../common/mod.rs"]
mod common;

mod convolution;
mod half;
mod network;
mod pooling;

use switchback::Gpu;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// The browser's adapter, which these tests do not go without; fresh memory is poisoned.
async fn gpu() -> Gpu {
    let gpu = Gpu::builder().rails(true).build_async().await.unwrap_or_else(|error| panic!("{error}"));
    wasm_bindgen_test::console_log!("adapter: {}", gpu.info());
    gpu
}
