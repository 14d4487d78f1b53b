//! The device layer through the public API.

use switchback::Tensor;

use crate::common::adapter;

#[test]
fn what_is_uploaded_comes_back() {
    let Some(gpu) = adapter::gpu() else { return };
    for shape in [[1, 1, 1, 1], [1, 3, 5, 7], [2, 3, 1, 11]] {
        let tensor = Tensor::from_fn(shape, |[n, c, y, x]| (n * 1000 + c * 100 + y * 10 + x) as f32).unwrap();
        assert_eq!(gpu.download(&gpu.upload(&tensor).unwrap()).unwrap(), tensor);
    }
}
