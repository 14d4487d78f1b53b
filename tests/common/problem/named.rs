//! Cases by name: each says which branch it exists for.

mod conv2d;
mod conv_transpose2d;
mod pooling;

pub(crate) use conv_transpose2d::*;
pub(crate) use conv2d::*;
pub(crate) use pooling::*;
