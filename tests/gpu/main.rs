//! Tests on a device.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed assumption fails the test")]

#[path = "../common/mod.rs"]
mod common;

mod ceilings;
mod compact_switches;
mod conv2d;
mod conv2d_max_pool2d;
mod conv_transpose2d;
mod cooperative;
mod device;
mod devices;
mod elementwise;
mod graph;
mod half;
mod half_networks;
mod image_ops;
mod layout;
mod max_pool2d;
mod max_unpool2d;
mod normalization;
mod pooling_half;
mod proposals;
mod tails;
mod tuning;
