//! Tests against results of other runtimes, with their provenance beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed assumption fails the test")]

#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "safetensors")]
mod decoders;
mod extents;
#[cfg(feature = "safetensors")]
mod file;
#[cfg(feature = "checkpoints")]
mod foreign;
#[cfg(feature = "safetensors")]
mod maps;
#[cfg(feature = "safetensors")]
mod networks;
#[cfg(feature = "safetensors")]
mod normalization;
#[cfg(feature = "safetensors")]
mod operators;
#[cfg(feature = "safetensors")]
mod views;
