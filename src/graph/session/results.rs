//! Reading a session's results, in the memory of earlier ones.

use crate::error::Result;
use crate::gpu::{Gpu, Readback, Storage, from_halves};
use crate::graph::ValueType;
use crate::tensor::{Labels, RgbImage, Switches, Tensor, Value};

/// What a run left for an output of this type and form; in the memory of `old`, which is lost, where that is of its
/// kind.
///
/// # Errors
/// As [`Readback::read`].
pub(super) async fn read(
    gpu: &Gpu,
    readback: &Readback,
    name: &str,
    (value_type, storage): (ValueType, Storage),
    old: Option<Value>,
) -> Result<Value> {
    Ok(match (value_type, storage) {
        (ValueType::Tensor(shape), Storage::Halves) => {
            let words: Vec<u32> = readback.read(gpu, name, storage.words(shape) as usize).await?;
            Value::Tensor(Tensor::new(shape, from_halves(&words, shape))?)
        }
        (ValueType::Tensor(shape), _) => {
            let old = if let Some(Value::Tensor(tensor)) = old { tensor.into_data() } else { Vec::new() };
            Value::Tensor(Tensor::new(shape, readback.read_into(gpu, name, shape.elements(), old).await?)?)
        }
        (ValueType::Switches { shape, origin, pool }, _) => {
            let old = if let Some(Value::Switches(switches)) = old { switches.into_indices() } else { Vec::new() };
            let indices = readback.read_into(gpu, name, shape.elements(), old).await?;
            Value::Switches(Switches::trusted(shape, origin, pool, indices))
        }
        (ValueType::Labels { count, extent }, _) => {
            let pixels = readback.read_into(gpu, name, count * extent[0] * extent[1], bytes(old)).await?;
            Value::Labels(Labels::new(count, extent, pixels)?)
        }
        (ValueType::Image { extent }, Storage::Texels(texels)) => {
            let count = 4 * storage.words([1, 3, extent[0], extent[1]].into()) as usize;
            let bytes = readback.read::<u8>(gpu, name, count).await?;
            Value::Image(RgbImage::new(extent, texels.to_rgb(&bytes, extent[1]))?)
        }
        (ValueType::Image { extent }, _) => {
            let pixels = readback.read_into(gpu, name, 3 * extent[0] * extent[1], bytes(old)).await?;
            Value::Image(RgbImage::new(extent, pixels)?)
        }
    })
}

/// The memory of a value of bytes.
fn bytes(old: Option<Value>) -> Vec<u8> {
    match old {
        Some(Value::Labels(labels)) => labels.into_data(),
        Some(Value::Image(image)) => image.into_data(),
        _ => Vec::new(),
    }
}
