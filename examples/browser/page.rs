//! What the page beside it calls: the demo's network on the browser's WebGPU.
//!
//!     make browser-demo

use switchback::graph::{GpuWeights, Session};
use switchback::net::{Fcn, Head};
use switchback::weights::Weights;
use switchback::{Gpu, Palette, RgbImage};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// A network on the browser's GPU, for pictures of any size.
#[wasm_bindgen]
pub struct Segmenter {
    weights: GpuWeights,
    network: Fcn,
    /// Compiled for pictures of these rows and columns, one after another.
    session: Option<([usize; 2], Session)>,
}

#[wasm_bindgen]
impl Segmenter {
    /// Opens the GPU; `weights` is a file of an FCN-8s.
    pub async fn open(weights: Vec<u8>) -> Result<Self, JsError> {
        let weights = Weights::from_bytes(weights)?;
        let network = Fcn::from_weights(Head::Stride8, &weights)?;
        let gpu = Gpu::builder().build_async().await?;
        Ok(Self { weights: gpu.weights(&weights), network, session: None })
    }

    /// What it runs on.
    pub fn adapter(&self) -> String {
        self.weights.gpu().info().to_string()
    }

    /// Compiles for pictures of this size. The next one finds this one's pipelines and packed weights: neither depends on
    /// sizes, though which kernels are chosen may.
    pub async fn compile(&mut self, width: usize, height: usize) -> Result<(), JsError> {
        let extent = [height, width];
        if self.session.as_ref().is_none_or(|(compiled_for, _)| *compiled_for != extent) {
            self.session = None; // its memory first
            let graph = self.network.labels_from_image(extent)?;
            self.session = Some((extent, self.weights.compile_async(&graph).await?));
        }
        Ok(())
    }

    /// The class of each pixel of a picture of the size that was compiled for; `rgba` is as a canvas gives it.
    pub async fn labels(&mut self, rgba: &[u8]) -> Result<Vec<u8>, JsError> {
        let (extent, session) =
            self.session.as_mut().ok_or_else(|| JsError::new("compile for the picture's size first"))?;
        let rgb = rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let picture = RgbImage::new(*extent, rgb)?;
        Ok(session.run_async(&picture).await?.argmax_channels()?.into_data())
    }
}

/// The colour of each class, three bytes after another.
#[wasm_bindgen]
pub fn colours() -> Vec<u8> {
    Palette::voc().0.concat()
}
