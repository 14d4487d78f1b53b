//! Max pooling with switches and unpooling, over the named problems, bit for bit.

use switchback::kernel::max_unpool2d::Variant;
use switchback::{Tensor, reference};
use wasm_bindgen_test::wasm_bindgen_test;

use super::gpu;
use crate::common::problem::{max_pool2d_cases, max_unpool2d_cases};

fn assert_same(found: &Tensor, expected: &Tensor, because: &str) {
    assert_eq!(found.shape(), expected.shape(), "{because}");
    let bits = |tensor: &Tensor| tensor.data().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert!(bits(found) == bits(expected), "{because}");
}

#[wasm_bindgen_test]
async fn values_and_switches() {
    let gpu = gpu().await;
    for problem in max_pool2d_cases() {
        let x = problem.input(1);
        let (values, switches) = reference::max_pool2d(&problem.op, &x).unwrap();
        let x = gpu.upload(&x).unwrap();
        let only_values = gpu.max_pool2d(&problem.op, &x).unwrap();
        assert_same(&gpu.download_async(&only_values).await.unwrap(), &values, problem.because);
        let (found, found_switches) = gpu.max_pool2d_switches(&problem.op, &x).unwrap();
        assert_same(&gpu.download_async(&found).await.unwrap(), &values, problem.because);
        assert_eq!(gpu.download_switches_async(&found_switches).await.unwrap(), switches, "{}", problem.because);
    }
}

#[wasm_bindgen_test]
async fn unpooling_by_every_variant() {
    let gpu = gpu().await;
    for problem in max_unpool2d_cases() {
        let (x, switches) = problem.operands(1);
        let expected = reference::max_unpool2d(&problem.op, &x, &switches).unwrap();
        let (x, switches) = (gpu.upload(&x).unwrap(), gpu.upload_switches(&switches).unwrap());
        for &variant in Variant::ALL {
            let y = gpu.with_variant(variant).max_unpool2d(&problem.op, &x, &switches).unwrap();
            let because = format!("{}, {}", variant.name(), problem.because);
            assert_same(&gpu.download_async(&y).await.unwrap(), &expected, &because);
        }
    }
}
