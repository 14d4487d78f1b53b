//! Batch norm and local response norm against the reference.

use switchback::{BatchNorm, Error, LocalResponseNorm, Tensor, reference};

use super::devices::on_each;
use crate::common::adapter;
use crate::common::random::Random;

/// One pixel, one row, one column, prime extents, a batch, and more channels than a workgroup has invocations.
const SHAPES: [[usize; 4]; 6] =
    [[1, 1, 1, 1], [1, 2, 1, 31], [1, 2, 31, 1], [1, 3, 13, 17], [2, 5, 7, 11], [2, 67, 3, 5]];

#[test]
fn batch_norm() {
    on_each(|gpu| {
        for shape in SHAPES {
            let mut random = Random::new(1);
            let x = random.reals(shape);
            let mut vectors: [Tensor; 4] = std::array::from_fn(|_| random.reals([1, shape[1], 1, 1]));
            vectors[3].data_mut().iter_mut().for_each(|variance| *variance = variance.abs());
            for op in [BatchNorm::new(), BatchNorm::new().epsilon(0.5)] {
                let expected = reference::batch_norm(&op, &x, vectors.each_ref()).unwrap();
                let on_gpu = vectors.each_ref().map(|vector| gpu.upload(vector).unwrap());
                let y = gpu.batch_norm(&op, &gpu.upload(&x).unwrap(), on_gpu.each_ref()).unwrap();
                expected.check(&gpu.download(&y).unwrap()).unwrap();
            }
        }
    });
}

#[test]
fn local_response_norm() {
    let ops = [
        LocalResponseNorm::new(5),
        LocalResponseNorm::new(1).alpha(1.0),
        LocalResponseNorm::new(3).alpha(2.0).beta(0.5).k(2.0),
        LocalResponseNorm::new(99).alpha(50.0),
        LocalResponseNorm::new(7).alpha(0.0),
        LocalResponseNorm::new(7).beta(0.0).alpha(9.0),
    ];
    on_each(|gpu| {
        for shape in SHAPES {
            let x = Tensor::from_fn(shape, {
                let x = Random::new(2).reals(shape);
                move |at| 250.0 * x.get(at).unwrap()
            })
            .unwrap();
            for op in ops {
                let expected = reference::local_response_norm(&op, &x).unwrap();
                let y = gpu.local_response_norm(&op, &gpu.upload(&x).unwrap()).unwrap();
                expected.check(&gpu.download(&y).unwrap()).unwrap_or_else(|wrong| panic!("{op:?} {shape:?}: {wrong}"));
            }
        }
    });
}

#[test]
fn bad_operands_are_refused() {
    let Some(gpu) = adapter::gpu() else { return };
    let x = gpu.upload(&Tensor::zeros([1, 2, 3, 4]).unwrap()).unwrap();
    let refusal = gpu.batch_norm(&BatchNorm::new(), &x, [&x; 4]).unwrap_err();
    assert!(matches!(refusal, Error::Operand { op: "batch_norm", .. }), "{refusal}");
    let refusal = gpu.local_response_norm(&LocalResponseNorm::new(4), &x).unwrap_err();
    assert!(matches!(refusal, Error::Parameter { op: "local_response_norm", .. }), "{refusal}");
}
