//! Tests that need no adapter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed assumption fails the test")]

#[path = "../common/mod.rs"]
mod common;

mod comparator;
mod extremes;
mod fold;
mod graph;
mod layers;
mod nets;
mod reference_laws;
mod reference_literals;
mod seeds;
mod unpooling_nets;
mod views;
#[cfg(feature = "safetensors")]
mod weights;
