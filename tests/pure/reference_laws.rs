//! Laws that tie the operators to each other.

use crate::common::problem::{conv_transpose2d_cases, conv2d_cases, max_pool2d_cases, max_unpool2d_cases};

#[test]
fn every_named_case_is_a_valid_problem() {
    conv2d_cases().iter().for_each(|case| assert!(case.output_shape().is_ok(), "{case:?}"));
    conv_transpose2d_cases().iter().for_each(|case| assert!(case.output_shape().is_ok(), "{case:?}"));
    max_pool2d_cases().iter().for_each(|case| assert!(case.op.output_shape(case.input.into()).is_ok(), "{case:?}"));
    max_unpool2d_cases().iter().for_each(|case| drop(case.operands(1)));
}
