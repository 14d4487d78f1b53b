//! Reading the tensors of a golden safetensors file.

use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use switchback::Tensor;

/// One file's bytes.
pub(crate) struct File(Vec<u8>);

impl File {
    pub(crate) fn open(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        Self(std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    fn view(&self, name: &str, dtype: Dtype) -> TensorView<'_> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(view.dtype(), dtype, "{name}");
        view
    }

    /// A map, a weight, a vector of one value a channel, or a batch of class scores without rows and columns.
    pub(crate) fn floats(&self, name: &str) -> Tensor {
        let view = self.view(name, Dtype::F32);
        let values = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        match *view.shape() {
            [c] => Tensor::new([1, c, 1, 1], values),
            [n, c] => Tensor::new([n, c, 1, 1], values),
            [n, c, h, w] => Tensor::new([n, c, h, w], values),
            ref other => panic!("{name} is {other:?}"),
        }
        .unwrap()
    }

    /// Bytes and their extents: images, labels.
    pub(crate) fn bytes(&self, name: &str) -> (Vec<usize>, Vec<u8>) {
        let view = self.view(name, Dtype::U8);
        (view.shape().to_vec(), view.data().to_vec())
    }

    /// Pooling switches; -1 where there is none is no u32 and so refused.
    pub(crate) fn switches(&self, name: &str) -> Vec<u32> {
        let values = self.view(name, Dtype::I64).data().as_chunks().0.iter();
        values.map(|&bytes| u32::try_from(i64::from_le_bytes(bytes)).unwrap()).collect()
    }
}
