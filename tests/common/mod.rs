//! What several test binaries share: the adapter, awkward problems and seeded data.
#![allow(dead_code, unused_imports, reason = "every test binary uses its own part of this")]

pub(crate) mod adapter;
pub(crate) mod graphs;
pub(crate) mod problem;
pub(crate) mod project;
pub(crate) mod random;
