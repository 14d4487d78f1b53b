//! Tests on a device.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed assumption fails the test")]

#[path = "../common/mod.rs"]
mod common;

mod conv2d;
mod device;
