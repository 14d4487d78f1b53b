//! What several test binaries share: the adapter, awkward problems and seeded data.
#![allow(dead_code, unused_imports, reason = "every test binary uses its own part of this")]

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod adapter;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod graphs;
pub(crate) mod half_graphs;
pub(crate) mod problem;
pub(crate) mod project;
pub(crate) mod random;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod seeds;
pub(crate) mod variants;
