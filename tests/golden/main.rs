//! Tests against results of other runtimes, with their provenance beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed assumption fails the test")]

#[cfg(feature = "safetensors")]
mod networks;
