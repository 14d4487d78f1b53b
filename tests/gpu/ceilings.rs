//! The ceilings are measured, plausible, and of one order from call to call.

use crate::common::adapter;

#[test]
fn ceilings_are_finite_and_repeatable() {
    let Some(gpu) = adapter::gpu() else { return };
    let [first, second] = [gpu.ceilings().unwrap(), gpu.ceilings().unwrap()];
    for ceilings in [first, second] {
        // From the slowest processor to well past the fastest GPU.
        assert!((1e7..1e14).contains(&ceilings.bytes_per_s), "{ceilings:?}");
        assert!((1e7..1e16).contains(&ceilings.flops_per_s), "{ceilings:?}");
        assert_eq!(ceilings.matrix_flops_per_s.is_some(), adapter::has_matrix_units(&gpu));
        assert!(ceilings.matrix_flops_per_s.is_none_or(|rate| (1e7..1e17).contains(&rate)), "{ceilings:?}");
    }
    // Another test may have had the processor in between.
    let ratio = |a: f64, b: f64| (0.05..20.0).contains(&(a / b));
    assert!(ratio(first.bytes_per_s, second.bytes_per_s), "{first:?} {second:?}");
    assert!(ratio(first.flops_per_s, second.flops_per_s), "{first:?} {second:?}");
}
